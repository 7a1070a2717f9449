//! What our cookies are called, and how they are read.

use axum::http::{HeaderMap, HeaderValue, header};
use tower_sessions::cookie::{Cookie, SameSite};

/// The names. With https they begin with `__Host-`, which no other host, sibling or unencrypted page can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieNames {
    https: bool,
}

impl CookieNames {
    /// The names for a site that is reached by https, or not.
    #[must_use]
    pub fn new(https: bool) -> Self {
        Self { https }
    }

    /// Whether browsers send them only over https.
    #[must_use]
    pub fn secure(self) -> bool {
        self.https
    }

    /// The one of the session.
    #[must_use]
    pub fn session(self) -> &'static str {
        if self.https {
            "__Host-countersign"
        } else {
            "countersign"
        }
    }

    /// The one of the attempt to sign in with this state.
    #[must_use]
    pub fn attempt(self, state: &str) -> String {
        let short: String = state
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .take(12)
            .collect();
        format!("{}{short}", self.attempts())
    }

    /// Whether that is the name of an attempt.
    #[must_use]
    pub fn is_attempt(self, name: &str) -> bool {
        name.starts_with(self.attempts())
    }

    /// The cookie that makes a browser forget one.
    #[must_use]
    pub fn forget(self, name: String) -> Cookie<'static> {
        let mut cookie = Cookie::build((name, ""))
            .path("/")
            .http_only(true)
            .secure(self.https)
            .same_site(SameSite::Lax)
            .build();
        cookie.make_removal();
        cookie
    }

    fn attempts(self) -> &'static str {
        if self.https {
            "__Host-countersign-to-"
        } else {
            "countersign-to-"
        }
    }
}

/// All cookies of a request.
pub fn all(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
}

/// The value of one. None also if it is there twice: one of them may be somebody else's.
#[must_use]
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found = all(headers).filter(|cookie| cookie.name() == name);
    let value = found.next()?.value().to_owned();
    found.next().is_none().then_some(value)
}

/// Adds one to an answer.
pub fn add(headers: &mut HeaderMap, cookie: &Cookie<'_>) {
    // Names and values are ours and ASCII, so this always fits; if it did not, no cookie is the safe answer.
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        headers.append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_no_sibling_can_set_them() {
        let names = CookieNames::new(true);
        assert!(names.session().starts_with("__Host-"));
        assert!(names.attempt("abc").starts_with("__Host-"));
        let forget = names.forget(names.attempt("abc")).to_string();
        for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=0"] {
            assert!(forget.contains(part), "{forget}");
        }
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_not_there() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; b=2; a=3"));
        assert_eq!(read(&headers, "a"), None);
        assert_eq!(read(&headers, "b").as_deref(), Some("2"));
    }

    #[test]
    fn a_state_from_outside_cannot_bend_a_name() {
        let names = CookieNames::new(false);
        assert_eq!(names.attempt("a b;=\r\nc"), "countersign-to-abc");
    }
}
