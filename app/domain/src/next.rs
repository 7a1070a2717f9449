//! Where somebody wanted to go before they had to sign in: a path of ours, or nothing.

/// A path with its query on this server. Never another host, however it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

/// Longer ones are nobody's bookmark, and have to fit in a cookie.
const LONGEST: usize = 1_000;

impl LocalPath {
    /// Reads what a link or a form said. None for everything that a browser might take as another host's address: an
    /// absolute address, `//host`, `/\host` (browsers read `\` as `/`), control characters (browsers drop some of them).
    /// None also for the pages of signing in itself, which would go round in a circle.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let second_is_safe = !rest.starts_with(['/', '\\']);
        let plain = text
            .chars()
            .all(|c| !c.is_control() && !c.is_whitespace() && c != '\\');
        let is_round = ["/sign-in", "/sign-out", "/auth/", "/fn/"]
            .iter()
            .any(|path| text.starts_with(path));
        (second_is_safe && plain && !is_round && text.len() <= LONGEST)
            .then(|| Self(text.to_owned()))
    }

    /// Where people go who wanted nothing in particular.
    #[must_use]
    pub fn home() -> Self {
        Self("/".to_owned())
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_ours_is_kept_with_its_query() {
        for good in [
            "/",
            "/changes/1?file=2",
            "/?repository=acme%2Fpayments&sort=age",
            "/décisions",
            "/a//b",
        ] {
            assert_eq!(
                LocalPath::parse(good).as_ref().map(LocalPath::as_str),
                Some(good)
            );
        }
    }

    #[test]
    fn whatever_could_be_another_host_is_nothing() {
        for bad in [
            "",
            "changes",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a\\..\\b",
            "/a\r\nSet-Cookie: x=1",
            "/\u{0}",
            " /",
            "/\u{2028}",
            "/sign-in?next=/",
            "/auth/start",
            "/fn/decide",
        ] {
            assert_eq!(LocalPath::parse(bad), None, "{bad:?}");
        }
        assert_eq!(LocalPath::parse(&format!("/{}", "a".repeat(LONGEST))), None);
    }
}
