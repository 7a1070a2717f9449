//! How often something was not taken as a delivery, and why: counted here, written to the database every few seconds.

use domain::host::Host;
use std::sync::{Arc, Mutex, PoisonError};
use store::deliveries;

/// Why it was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    NotConnected,
    ContentType,
    Unsigned,
    Stale,
    Head,
    Event,
    TooLarge,
    TooSlow,
    Busy,
}

impl Reason {
    /// The word used in SQL and on pages, and the kind of the problem.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NotConnected => "host-not-connected",
            Reason::ContentType => "content-type",
            Reason::Unsigned => "signature",
            Reason::Stale => "stale-signature",
            Reason::Head => "delivery-head",
            Reason::Event => "unknown-event",
            Reason::TooLarge => "too-large",
            Reason::TooSlow => "too-slow",
            Reason::Busy => "busy",
        }
    }
}

/// What was refused since it was last written down. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Refused(Arc<Mutex<deliveries::Refused>>);

impl Refused {
    /// Counts one.
    pub fn count(&self, host: Host, reason: Reason) {
        self.add([((host, reason.as_str()), 1)]);
    }

    /// Takes what there is, to be written down.
    #[must_use]
    pub fn take(&self) -> deliveries::Refused {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts back what could not be written down.
    pub fn put_back(&self, counted: deliveries::Refused) {
        self.add(counted);
    }

    fn add(&self, counted: impl IntoIterator<Item = ((Host, &'static str), u64)>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, times) in counted {
            *all.entry(what).or_default() += times;
        }
    }
}
