//! One attempt to sign in, between leaving for the provider and coming back: kept in the browser that began it.
//!
//! The cookie holds one secret; state, nonce and the PKCE verifier are made of it, each by its own hash. So whoever comes
//! back with a state proves to be the browser that left with it, and nothing has to be kept here. Each attempt has a cookie
//! of its own, named by its state, so that two tabs do not disturb each other.

use super::{
    cookies::CookieNames,
    secret::{self, NoRandomness},
};
use axum::http::HeaderMap;
use domain::next::LocalPath;
use sha2::{Digest, Sha256};
use time::Duration;
use tower_sessions::cookie::{Cookie, SameSite};

/// How long somebody may take at the provider.
const LIFETIME: Duration = Duration::minutes(10);

/// More open attempts than this in one browser are forgotten when another begins: headers have a limit.
const MOST: usize = 8;

/// One attempt.
#[derive(Debug, Clone)]
pub struct Attempt {
    secret: [u8; 32],
    next: LocalPath,
}

impl Attempt {
    /// Begins one that leads to `next`.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn begin(next: LocalPath) -> Result<Self, NoRandomness> {
        Ok(Self {
            secret: secret::random()?,
            next,
        })
    }

    /// The attempt that this browser began with that state. None if it was another browser, too long ago, or over already.
    #[must_use]
    pub fn find(headers: &HeaderMap, names: &CookieNames, state: &str) -> Option<Self> {
        let name = names.attempt(state);
        let value = super::cookies::read(headers, &name)?;
        let (secret, next) = value.split_once('.')?;
        let attempt = Self {
            secret: secret::bytes(secret)?.try_into().ok()?,
            next: String::from_utf8(secret::bytes(next)?)
                .ok()
                .and_then(|path| LocalPath::parse(&path))
                .unwrap_or_else(LocalPath::home),
        };
        secret::is_equal(&attempt.state(), state).then_some(attempt)
    }

    /// What comes back from the provider with the code.
    #[must_use]
    pub fn state(&self) -> String {
        self.derive("state")
    }

    /// What the provider signs into the ID token.
    #[must_use]
    pub fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// What proves that the code is ours; the provider saw only its hash.
    #[must_use]
    pub fn pkce_verifier(&self) -> String {
        self.derive("verifier")
    }

    /// Where it leads.
    #[must_use]
    pub fn next(&self) -> &LocalPath {
        &self.next
    }

    /// The cookie that keeps it. `Lax`, because the way back from the provider is a link from another site.
    #[must_use]
    pub fn cookie(&self, names: &CookieNames) -> Cookie<'static> {
        let value = format!(
            "{}.{}",
            secret::text(&self.secret),
            secret::text(self.next.as_str().as_bytes())
        );
        Cookie::build((names.attempt(&self.state()), value))
            .path("/")
            .http_only(true)
            .secure(names.secure())
            .same_site(SameSite::Lax)
            .max_age(LIFETIME)
            .build()
    }

    fn derive(&self, what: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("countersign {what} "));
        hash.update(self.secret);
        secret::text(&hash.finalize())
    }
}

/// The names of attempts that this browser should forget before it begins another.
#[must_use]
pub fn surplus(headers: &HeaderMap, names: &CookieNames) -> Vec<String> {
    let open = super::cookies::all(headers)
        .filter(|cookie| names.is_attempt(cookie.name()))
        .map(|cookie| cookie.name().to_owned());
    let open: Vec<String> = open.collect();
    if open.len() < MOST { vec![] } else { open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    fn headers(attempts: &[&Attempt], names: &CookieNames) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for attempt in attempts {
            let pair = attempt.cookie(names).stripped().to_string();
            headers.append(header::COOKIE, pair.parse().unwrap());
        }
        headers
    }

    fn to(path: &str) -> Attempt {
        Attempt::begin(LocalPath::parse(path).unwrap()).unwrap()
    }

    #[test]
    fn two_tabs_come_back_to_their_own_places() {
        let names = CookieNames::new(true);
        let (one, other) = (to("/changes/1"), to("/decisions"));
        let headers = headers(&[&one, &other], &names);
        for attempt in [&one, &other] {
            let found = Attempt::find(&headers, &names, &attempt.state()).expect("it began here");
            assert_eq!(found.next(), attempt.next());
            assert_eq!(found.nonce(), attempt.nonce());
        }
        assert_ne!(one.nonce(), other.nonce());
    }

    #[test]
    fn another_browser_knows_nothing_of_it() {
        let names = CookieNames::new(true);
        let (mine, theirs) = (to("/"), to("/"));
        let headers = headers(&[&theirs], &names);
        assert!(Attempt::find(&headers, &names, &mine.state()).is_none());
        assert!(Attempt::find(&HeaderMap::new(), &names, &mine.state()).is_none());
    }

    #[test]
    fn a_cookie_that_names_another_state_or_holds_rubbish_is_no_attempt() {
        let names = CookieNames::new(false);
        let attempt = to("/");
        for value in [
            "",
            "x",
            "x.y",
            &format!("{}.", secret::text(&[1; 31])),
            &format!("{}.", secret::text(&[1; 32])),
        ] {
            let mut headers = HeaderMap::new();
            let pair = format!("{}={value}", names.attempt(&attempt.state()));
            headers.insert(header::COOKIE, pair.parse().unwrap());
            assert!(
                Attempt::find(&headers, &names, &attempt.state()).is_none(),
                "{value}"
            );
        }
    }

    #[test]
    fn a_place_that_was_bent_in_the_cookie_leads_home() {
        let names = CookieNames::new(false);
        let attempt = to("/");
        let value = format!(
            "{}.{}",
            secret::text(&attempt.secret),
            secret::text(b"//evil.example")
        );
        let mut headers = HeaderMap::new();
        let pair = format!("{}={value}", names.attempt(&attempt.state()));
        headers.insert(header::COOKIE, pair.parse().unwrap());
        let found = Attempt::find(&headers, &names, &attempt.state()).expect("it began here");
        assert_eq!(found.next(), &LocalPath::home());
    }

    #[test]
    fn many_open_attempts_are_forgotten() {
        let names = CookieNames::new(false);
        let attempts: Vec<Attempt> = (0..MOST).map(|_| to("/")).collect();
        let all: Vec<&Attempt> = attempts.iter().collect();
        assert_eq!(surplus(&headers(&all, &names), &names).len(), MOST);
        assert!(surplus(&headers(&all[1..], &names), &names).is_empty());
    }
}
