//! What Countersign says at a code host of the head of a change: what a gate would answer, in few words, and where to read more.

use domain::{
    gate::Answer,
    text,
    verdict::{Reason, Word},
};
use serde::Serialize;

/// What it is called there.
pub const NAME: &str = "countersign";
/// More than this is read on the page.
const MOST_REASONS: usize = 20;
const LONGEST_REASON: usize = 400;
/// What every host shows of a line.
const LONGEST_TITLE: usize = 140;

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub state: State,
    pub title: String,
    /// The reasons, one on each line.
    pub reasons: Vec<String>,
    pub url: String,
}

/// Whether it may be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Success,
    Failure,
    /// The repository is only observed: it says what it would say, and holds up nothing.
    Neutral,
}

impl Status {
    /// What is said where a gate answers this.
    #[must_use]
    pub fn of(answer: &Answer, url: String) -> Self {
        let state = State::of(answer);
        let reasons: Vec<String> = answer
            .reasons
            .iter()
            .take(MOST_REASONS)
            .map(|reason| line(reason, LONGEST_REASON))
            .collect();
        let first = reasons.first().map_or("", String::as_str);
        let title = match state {
            State::Neutral => format!("Only observed, else {}: {first}", word(answer.verdict)),
            State::Pending | State::Success | State::Failure => first.to_owned(),
        };
        Self {
            state,
            title: text::one_line(&title, LONGEST_TITLE).into_owned(),
            reasons,
            url,
        }
    }
}

impl State {
    fn of(answer: &Answer) -> Self {
        match answer.verdict {
            _ if !answer.enforced => Self::Neutral,
            _ if answer.allow => Self::Success,
            Word::Waiting if !is_closed(answer) => Self::Pending,
            Word::Unheard
            | Word::Undecidable
            | Word::Rejected
            | Word::Waiting
            | Word::Overridden
            | Word::Approved
            | Word::NotRequired => Self::Failure,
        }
    }
}

/// Nobody waits for what was closed.
fn is_closed(answer: &Answer) -> bool {
    answer
        .reasons
        .iter()
        .any(|reason| reason.code == "change_closed")
}

fn word(verdict: Word) -> String {
    verdict.as_str().replace('_', " ")
}

/// Names and keys in it are others' words: on one line, and nothing hidden in them.
fn line(reason: &Reason, most: usize) -> String {
    let line = text::one_line(&reason.sentence, most);
    text::visible(&line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn answer(verdict: Word, enforced: bool, code: &'static str) -> Answer {
        Answer {
            allow: !enforced || verdict.allows(),
            enforced,
            verdict,
            reasons: vec![Reason {
                code,
                sentence: "One\napproval \u{202e}is missing.".to_owned(),
            }],
            needs: vec![],
            changes: vec![],
            via: None,
            as_of: datetime!(2026-11-22 12:00 UTC),
        }
    }

    #[test]
    fn it_succeeds_only_where_a_gate_lets_pass_and_is_neutral_where_none_holds_up() {
        for verdict in Word::ALL {
            let enforced = Status::of(&answer(verdict, true, "x"), String::new());
            assert_eq!(
                enforced.state == State::Success,
                verdict.allows(),
                "{verdict:?}"
            );
            assert_eq!(enforced.state == State::Pending, verdict == Word::Waiting);
            let observed = Status::of(&answer(verdict, false, "x"), String::new());
            assert_eq!(observed.state, State::Neutral);
        }
        let closed = Status::of(&answer(Word::Waiting, true, "change_closed"), String::new());
        assert_eq!(closed.state, State::Failure);
    }

    #[test]
    fn what_is_said_is_short_and_on_one_line() {
        let mut said = answer(Word::NotRequired, false, "x");
        said.reasons = vec![said.reasons[0].clone(); 30];
        let status = Status::of(&said, String::new());
        assert_eq!(
            status.title,
            "Only observed, else not required: One approval is missing."
        );
        assert_eq!(status.reasons.len(), 20);
        said.reasons[0].sentence = "é".repeat(1_000);
        let status = Status::of(&said, String::new());
        assert_eq!(status.title.chars().count(), 140);
        assert_eq!(status.reasons[0].chars().count(), 400);
    }
}
