//! What tools left in a checkout beside the commits: notes of git-ai and records of Agent Trace.
//!
//! Whoever makes a change writes these too, so what cannot be read is left out with a sentence: it must not keep a change from
//! being submitted.

use super::{git::Checkout, warn};
use crate::api::wire;
use domain::{
    names::CommitSha,
    provenance::{Note, Trace},
};
use std::collections::HashSet;

/// As many bytes of either are sent at most; the server takes eight million with the messages.
const MOST: usize = 2_500_000;
const MOST_TRACES: usize = 2_000;
const TRACES: &str = ".agent-trace/traces.jsonl";

/// What there is for a submission.
#[derive(Debug, Default)]
pub struct Evidence {
    pub notes: Vec<wire::Note>,
    pub traces: Vec<String>,
}

/// Reads what is about these commits.
pub fn read(
    checkout: &Checkout,
    commits: &[wire::Commit],
    head: &CommitSha,
) -> anyhow::Result<Evidence> {
    let ids: HashSet<&str> = commits.iter().map(|commit| commit.sha.as_str()).collect();
    Ok(Evidence {
        notes: notes(checkout, &ids)?,
        traces: traces(checkout, &ids, head)?,
    })
}

fn notes(checkout: &Checkout, ids: &HashSet<&str>) -> anyhow::Result<Vec<wire::Note>> {
    let mut left = MOST;
    let mut notes = Vec::new();
    for (commit, text) in checkout.notes(|commit| ids.contains(commit), MOST)? {
        let text = String::from_utf8_lossy(&text).into_owned();
        match Note::parse(&text) {
            Err(fault) => warn(format_args!(
                "the note of commit {commit} in refs/notes/ai is not sent: its {fault}"
            )),
            Ok(_) if text.len() > left => warn(format_args!(
                "the note of commit {commit} in refs/notes/ai is not sent: there is too much of them"
            )),
            Ok(_) => {
                left -= text.len();
                notes.push(wire::Note { commit, text });
            }
        }
    }
    Ok(notes)
}

fn traces(
    checkout: &Checkout,
    ids: &HashSet<&str>,
    head: &CommitSha,
) -> anyhow::Result<Vec<String>> {
    let Some(file) = checkout.file(head, TRACES, MOST * 8)? else {
        return Ok(Vec::new());
    };
    let (mut unread, mut left) = (0, MOST);
    let mut traces = Vec::new();
    for record in String::from_utf8_lossy(&file)
        .lines()
        .filter(|line| !line.trim().is_empty())
    {
        // The file holds the whole history; what is about other commits is none of this change.
        match Trace::parse(record) {
            Err(_) => unread += 1,
            Ok(trace)
                if trace
                    .revision()
                    .is_none_or(|revision| !ids.contains(revision)) => {}
            Ok(_) if record.len() > left || traces.len() >= MOST_TRACES => unread += 1,
            Ok(_) => {
                left -= record.len();
                traces.push(record.to_owned());
            }
        }
    }
    if unread > 0 {
        warn(format_args!(
            "{unread} records of {TRACES} are not sent: they are no records of Agent Trace, or too many"
        ));
    }
    Ok(traces)
}
