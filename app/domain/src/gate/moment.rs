//! A moment of the past, so exactly that a gate's answer can be given again: the time, and what the database had by then.

use crate::Timestamp;
use std::{fmt, str::FromStr};
use time::{UtcOffset, format_description::well_known::Rfc3339};

/// The longest text that is read as a moment. A snapshot names every transaction that was under way, and there are at most as
/// many as the database takes connections.
const LONGEST: usize = 16_384;

/// When a question was answered, and from what: `2026-11-22T12:00:00.123456Z/741:745:742`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    at: Timestamp,
    snapshot: String,
}

/// Not a moment as an answer of the gate names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not what an answer of the gate has as its `snapshot`")]
pub struct NoMoment;

impl Moment {
    /// The moment at which a question was answered from this snapshot, as the database names it.
    #[must_use]
    pub fn new(at: Timestamp, snapshot: String) -> Self {
        Self { at, snapshot }
    }

    /// What time it was.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Which transactions were committed: `xmin:xmax:` and those between that were not.
    #[must_use]
    pub fn snapshot(&self) -> &str {
        &self.snapshot
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.format(&Rfc3339).map_err(|_| fmt::Error)?;
        write!(f, "{at}/{}", self.snapshot)
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        if text.len() > LONGEST {
            return Err(NoMoment);
        }
        let (at, snapshot) = text.split_once('/').ok_or(NoMoment)?;
        let at = Timestamp::parse(at, &Rfc3339).map_err(|_| NoMoment)?;
        if !is_snapshot(snapshot) {
            return Err(NoMoment);
        }
        Ok(Self::new(at.to_offset(UtcOffset::UTC), snapshot.to_owned()))
    }
}

/// Whether the database can read it.
fn is_snapshot(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let (Some(xmin), Some(xmax), Some(between)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (Some(xmin), Some(xmax)) = (transaction(xmin), transaction(xmax)) else {
        return false;
    };
    let mut least = xmin;
    let in_order = |one: &str| {
        let fits = transaction(one).filter(|one| (least..xmax).contains(one));
        least = fits.map_or(least, |one| one + 1);
        fits.is_some()
    };
    xmin <= xmax && (between.is_empty() || between.split(',').all(in_order))
}

/// The number of a transaction; the smaller ones are none.
fn transaction(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number > 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_moment_is_read_as_it_was_written() {
        for snapshot in ["741:741:", "741:745:742", "741:745:741,742,744"] {
            let moment = Moment::new(
                datetime!(2026-11-22 12:00:00.123456 UTC),
                snapshot.to_owned(),
            );
            let text = moment.to_string();
            assert_eq!(text, format!("2026-11-22T12:00:00.123456Z/{snapshot}"));
            assert_eq!(text.parse(), Ok(moment));
        }
    }

    #[test]
    fn what_no_answer_names_is_no_moment() {
        let long = format!("741:{}:741{}", u64::MAX, ",742".repeat(LONGEST));
        let snapshots = [
            "",
            "741",
            "741:745",
            "745:741:",
            "0:741:",
            "+741:745:",
            "741:745:745",
            "741:745:740",
            "741:745:743,742",
            "741:745:742,742",
            "741:745:742,",
            "741:745:742:743",
            "741:99999999999999999999999:",
            "741:745:' or true",
            &long,
        ];
        for snapshot in snapshots {
            let text = format!("2026-11-22T12:00:00Z/{snapshot}");
            assert_eq!(text.parse::<Moment>(), Err(NoMoment), "{text}");
        }
        for text in [
            "",
            "2026-11-22T12:00:00Z",
            "741:745:742",
            "yesterday/741:745:742",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(NoMoment), "{text}");
        }
    }
}
