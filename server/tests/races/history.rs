//! What clients saw: every request of one try, with when it began and when its answer had come, on one clock.

use serde_json::Value;
use std::time::Instant;
use uuid::Uuid;

/// Microseconds since the try began; before it, below zero.
pub type Moment = i64;

/// One change, and all that was asked about it.
#[derive(Debug, Clone)]
pub struct History {
    pub change: Uuid,
    /// The version of the facts about people when the try began: what holds then was there before.
    pub people_version: i64,
    /// When the try began, in microseconds of the clock that the rows know.
    pub epoch: i64,
    pub requests: Vec<Request>,
    /// What gates answered, word for word.
    pub told: Vec<Value>,
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Request {
    pub began: Moment,
    pub ended: Moment,
    /// Whether it was one of those that raced, and not of those that set the scene.
    pub raced: bool,
    pub asked: Asked,
    pub answer: Answer,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Gate {
        commit: String,
    },
    Submit {
        head: String,
        target: String,
        state: &'static str,
    },
    Decide {
        person: Uuid,
        form_key: Uuid,
        kind: &'static str,
        digest: String,
    },
    /// Two approvals from now on.
    Demand {
        repository: String,
    },
    Deactivate {
        person: Uuid,
    },
    /// To a level that decides nothing.
    Demote {
        person: Uuid,
    },
    Link {
        person: Uuid,
        key: String,
    },
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Of a gate.
    Gate {
        allow: bool,
        verdict: String,
    },
    Done,
    /// With this status.
    Refused(u16),
    /// Nothing, or that the server does not know itself.
    Unknown,
}

impl Asked {
    /// Whether it changes something that a gate is answered from.
    pub fn writes(&self) -> bool {
        !matches!(self, Self::Gate { .. })
    }
}

/// The clock of one try.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    began: Instant,
    /// The same moment by the clock that the servers read, in microseconds.
    pub epoch: i64,
}

impl Watch {
    /// Starts it.
    pub fn start() -> Self {
        let now = store::Clock::System.now().unix_timestamp_nanos() / 1000;
        Self {
            began: Instant::now(),
            epoch: i64::try_from(now).unwrap(),
        }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        i64::try_from(self.began.elapsed().as_micros()).unwrap()
    }
}
