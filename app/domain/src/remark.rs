//! What people said of a change at its code host: shown to whoever decides here, and read by nothing else.

use crate::{Timestamp, names::CommitSha};
use serde::{Deserialize, Serialize};

/// One review or comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// A login; none of an account that is gone.
    pub by: Option<String>,
    pub kind: Kind,
    /// At most [`Remark::LONGEST`] characters of it.
    pub text: String,
    /// Whether there is more of the text at the host.
    pub cut: bool,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub at: Option<Timestamp>,
    /// Where it stands, by http or https.
    pub url: Option<String>,
    /// The head that it was said of.
    pub commit: Option<CommitSha>,
}

/// What it is, in the host's own sense: none of these is a decision here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Approved,
    ChangesRequested,
    /// A review that somebody took back or set aside there.
    Dismissed,
    Commented,
}

impl Remark {
    /// The most characters of a text that are kept.
    pub const LONGEST: usize = 2_000;
    const LONGEST_NAME: usize = 100;
    const LONGEST_URL: usize = 2_000;

    /// A remark of somebody, as far as it is kept.
    #[must_use]
    pub fn new(by: Option<&str>, kind: Kind, text: &str) -> Self {
        let (text, cut) = kept(text, Self::LONGEST);
        Self {
            by: by.map(|by| kept(by, Self::LONGEST_NAME).0),
            kind,
            text,
            cut,
            at: None,
            url: None,
            commit: None,
        }
    }

    /// The same, standing there; nowhere where that is no address that a browser should follow.
    #[must_use]
    pub fn standing_at(self, url: Option<String>) -> Self {
        let is_one = |url: &String| {
            let of_the_web = url.starts_with("https://") || url.starts_with("http://");
            of_the_web
                && url.len() <= Self::LONGEST_URL
                && url.bytes().all(|b| b.is_ascii_graphic())
        };
        let url = url.filter(is_one);
        Self { url, ..self }
    }
}

/// The beginning of a text, and whether there is more. The database knows no NUL.
fn kept(text: &str, most: usize) -> (String, bool) {
    let mut characters = text.chars().filter(|c| *c != '\0');
    let kept = characters.by_ref().take(most).collect();
    (kept, characters.next().is_some())
}

/// What was said of one change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarks {
    /// The newest first.
    pub all: Vec<Remark>,
    /// Whether there are more at the host.
    pub more: bool,
}

impl Remarks {
    /// The most that are kept of one change.
    pub const MOST: usize = 200;

    /// The newest of these; `more` if the host was not asked for all.
    #[must_use]
    pub fn newest(mut all: Vec<Remark>, more: bool) -> Self {
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        let more = more || all.len() > Self::MOST;
        all.truncate(Self::MOST);
        Self { all, more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;
    use time::Duration;

    #[test]
    fn a_text_is_kept_as_far_as_there_is_place_for_it() {
        let said = |text: &str| Remark::new(Some("ben"), Kind::Commented, text);
        let whole = "é".repeat(Remark::LONGEST);
        assert_eq!(
            (said(&whole).text, said(&whole).cut),
            (whole.clone(), false)
        );
        let longer = said(&format!("{whole}!"));
        assert_eq!((longer.text, longer.cut), (whole, true));
        assert_eq!(said("a\0b").text, "ab");
        let long_name = "x".repeat(5_000);
        let by = Remark::new(Some(&long_name), Kind::Approved, "")
            .by
            .unwrap();
        assert_eq!(by.len(), 100);
    }

    #[test]
    fn only_what_a_browser_should_follow_is_an_address() {
        let at = |url: &str| {
            let said = Remark::new(None, Kind::Commented, "Fine");
            said.standing_at(Some(url.to_owned())).url
        };
        assert!(at("https://host.example/acme/pay/pull/7#r1").is_some());
        for wrong in [
            "javascript:alert(1)",
            "//host.example",
            "https://a b",
            "https://\u{202e}",
            "",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
        assert_eq!(at(&format!("https://{}", "x".repeat(2_000))), None);
    }

    #[test]
    fn the_newest_are_kept() {
        let one = |n: i64| Remark {
            at: (n > 0).then(|| NOW + Duration::seconds(n)),
            ..Remark::new(None, Kind::Commented, &n.to_string())
        };
        let kept = Remarks::newest((0..250).map(one).collect(), false);
        assert!(kept.more);
        let texts: Vec<&str> = kept.all.iter().map(|one| &*one.text).collect();
        assert_eq!((texts.len(), texts[0], texts[199]), (200, "249", "50"));
        assert!(!Remarks::newest(vec![one(1)], false).more);
        assert!(Remarks::newest(vec![one(1)], true).more);
    }
}
