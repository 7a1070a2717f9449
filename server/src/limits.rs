//! How often one caller may do what costs us something. Each server counts for itself, so with several the limits add up;
//! they are against a script that runs wild, not against somebody who has many servers.

use crate::{
    problem::Refusal,
    settings::{self, Network},
};
use axum::{extract::ConnectInfo, http::request::Parts};
use domain::{
    ids::{PersonId, TokenId},
    problem::Problem,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The limits of one server.
#[derive(Debug)]
pub struct Limits {
    sign_in: Limit<IpAddr>,
    submit: Limit<TokenId>,
    decide: Limit<PersonId>,
    wait: Places<TokenId>,
    trusted_proxies: Vec<Network>,
}

/// Too many; so many seconds until the next may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    pub retry_after: u64,
}

impl Limits {
    /// Limits as the settings say.
    #[must_use]
    pub fn new(limits: settings::Limits, trusted_proxies: Vec<Network>) -> Self {
        Self {
            sign_in: Limit::a_minute(limits.sign_in),
            submit: Limit::a_minute(limits.submit),
            decide: Limit::a_minute(limits.decide),
            wait: Places::for_each(limits.wait),
            trusted_proxies,
        }
    }

    /// Counts the beginning of a sign-in from the address that this request comes from.
    ///
    /// # Errors
    /// It was one too many.
    pub fn sign_in(&self, request: &Parts) -> Result<(), TooMany> {
        self.sign_in
            .count(network_of(client(request, &self.trusted_proxies)))
    }

    /// Counts a submission with this token.
    ///
    /// # Errors
    /// It was one too many.
    pub fn submit(&self, token: TokenId) -> Result<(), TooMany> {
        self.submit.count(token)
    }

    /// Counts a decision by this person.
    ///
    /// # Errors
    /// It was one too many.
    pub fn decide(&self, person: PersonId) -> Result<(), TooMany> {
        self.decide.count(person)
    }

    /// A place among the questions with this token that wait, until it is dropped.
    ///
    /// # Errors
    /// All are taken.
    pub fn wait(&self, token: TokenId) -> Result<OwnedSemaphorePermit, TooMany> {
        self.wait.take(token)
    }
}

impl From<TooMany> for Refusal {
    fn from(too_many: TooMany) -> Self {
        Refusal::from(Problem::TooMany).retry_after(too_many.retry_after)
    }
}

/// Above so many callers, those who have been quiet are forgotten: nobody fills our memory by having many addresses.
const REMEMBERED: usize = 10_000;

#[derive(Debug)]
struct Limit<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn a_minute(count: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(count)),
        }
    }

    fn count(&self, caller: K) -> Result<(), TooMany> {
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&caller).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            TooMany {
                retry_after: wait.as_secs() + 1,
            }
        })
    }
}

/// How soon a place may be free again, in seconds.
const PLACE_AFTER: u64 = 5;

/// So many at a time for each caller.
#[derive(Debug)]
struct Places<K> {
    each: usize,
    of: Mutex<HashMap<K, Arc<Semaphore>>>,
}

impl<K: Hash + Eq> Places<K> {
    fn for_each(count: NonZeroU32) -> Self {
        Self {
            each: usize::try_from(count.get())
                .map_or(Semaphore::MAX_PERMITS, |n| n.min(Semaphore::MAX_PERMITS)),
            of: Mutex::default(),
        }
    }

    fn take(&self, caller: K) -> Result<OwnedSemaphorePermit, TooMany> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.len() > REMEMBERED {
            of.retain(|_, places| places.available_permits() < self.each);
        }
        let places = of
            .entry(caller)
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        let place = Arc::clone(places).try_acquire_owned();
        place.map_err(|_| TooMany {
            retry_after: PLACE_AFTER,
        })
    }
}

/// The address that a request comes from. A proxy's word counts only if the settings trust that proxy: from the right, the
/// first address of `X-Forwarded-For` that is no trusted proxy's own.
fn client(request: &Parts, trusted: &[Network]) -> IpAddr {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    // Without a connection, as in tests, everybody is one.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer;
    for hop in forwarded_for(request).rev() {
        let (true, Some(address)) = (is_trusted(nearest), hop) else {
            break;
        };
        nearest = address;
    }
    nearest
}

fn forwarded_for(request: &Parts) -> impl DoubleEndedIterator<Item = Option<IpAddr>> {
    let headers = request.headers.get_all("x-forwarded-for");
    headers
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|hop| address(hop.trim()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Some proxies add the port.
fn address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    hop.parse().or_else(|_| with_port()).ok()
}

/// Who has one IPv6 address has a whole /64 of them.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn request(peer: &str, forwarded: &[&str]) -> Parts {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        let peer: IpAddr = peer.parse().unwrap();
        parts
            .extensions
            .insert(ConnectInfo(SocketAddr::new(peer, 4711)));
        parts
    }

    fn client_of(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(&request(peer, forwarded), &trusted).to_string()
    }

    #[test]
    fn what_a_stranger_says_of_itself_counts_for_nothing() {
        assert_eq!(
            client_of("203.0.113.9", &["198.51.100.1"], &[]),
            "203.0.113.9"
        );
        assert_eq!(
            client_of("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_trusted_proxy_says_who_came_and_what_came_before_that_is_hearsay() {
        let proxies = ["10.0.0.0/8"];
        assert_eq!(
            client_of("10.0.0.1", &["198.51.100.1"], &proxies),
            "198.51.100.1"
        );
        assert_eq!(
            client_of("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"], &proxies),
            "198.51.100.1"
        );
        assert_eq!(
            client_of("10.0.0.1", &["1.2.3.4", "198.51.100.1:443"], &proxies),
            "198.51.100.1"
        );
        assert_eq!(
            client_of("10.0.0.1", &["1.2.3.4, unknown"], &proxies),
            "10.0.0.1"
        );
        assert_eq!(client_of("10.0.0.1", &[], &proxies), "10.0.0.1");
    }

    #[test]
    fn a_limit_is_for_each_caller_and_says_how_long_to_wait() {
        let limit = Limit::a_minute(NonZeroU32::new(2).unwrap());
        assert_eq!(limit.count("ana"), Ok(()));
        assert_eq!(limit.count("ana"), Ok(()));
        let too_many = limit.count("ana").expect_err("the third is one too many");
        assert!((1..=31).contains(&too_many.retry_after), "{too_many:?}");
        assert_eq!(limit.count("ben"), Ok(()));
    }

    #[test]
    fn a_place_is_free_again_when_it_is_given_back_and_each_caller_has_their_own() {
        let places = Places::for_each(NonZeroU32::new(2).unwrap());
        let first = places.take("ana").unwrap();
        let _second = places.take("ana").unwrap();
        assert!(places.take("ana").is_err());
        assert!(places.take("ben").is_ok());
        drop(first);
        assert!(places.take("ana").is_ok());
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:203.0.113.9"), of("203.0.113.9"));
    }
}
