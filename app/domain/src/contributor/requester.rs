//! The human who set an agent to work, as agents write it into the commits that they make: `Requested by: Ana (@ana)`
//! (Devin), `started by @ana` (Jules), `on behalf of @ana`.
//!
//! Read only where a tool took part. In the commit of a human, `Requested-by` names who wished for it.

use super::{Contributor, Role};
use crate::{
    commit::Commit,
    provenance::{
        self,
        lines::{Line, Trailer},
        trailers::{self, Named},
    },
};
use std::collections::HashSet;

/// Everybody whom the message names as having set an agent to work, where one did.
pub(super) fn requesters(
    commit: &Commit,
    lines: &[Line<'_>],
    trailers: &[Trailer<'_>],
) -> Vec<Contributor> {
    let named = named(lines, trailers);
    // Marks are looked for only where they matter: most messages name nobody.
    if named.is_empty() || provenance::marks(std::slice::from_ref(commit), None).is_empty() {
        return Vec::new();
    }
    named
}

/// Everybody whom these lines name as having asked for something.
pub(super) fn named(lines: &[Line<'_>], trailers: &[Trailer<'_>]) -> Vec<Contributor> {
    let in_trailers = trailers
        .iter()
        .filter(|found| KEYS.contains(&found.key.as_str()));
    let told: HashSet<usize> = in_trailers.clone().map(|found| found.at).collect();
    let in_sentences = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| !told.contains(at))
        .flat_map(|(_, line)| in_sentence(line.text));
    in_trailers
        .flat_map(|found| trailers::people(&found.value))
        .chain(in_sentences)
        .filter(is_human)
        .map(|named| Contributor::named(Role::Requester, named))
        .collect()
}

/// Keys (their letters and digits) of trailers that name who set it to work.
const KEYS: [&str; 7] = [
    "requestedby",
    "triggeredby",
    "startedby",
    "initiatedby",
    "promptedby",
    "assignedby",
    "onbehalfof",
];

/// The same as words of a sentence.
const WORDS: [&str; 7] = [
    "requested by ",
    "triggered by ",
    "started by ",
    "initiated by ",
    "prompted by ",
    "assigned by ",
    "on behalf of ",
];

/// `… for task [1](https://…) started by @ana*`, `Triggered by Ana (@ana)`: prose, so only a login or an address in
/// brackets tells who.
fn in_sentence(text: &str) -> Vec<Named> {
    // Only ASCII is lowered, so that what is found lies at the same place in both.
    let lower = text.to_ascii_lowercase();
    WORDS
        .into_iter()
        .filter_map(|words| text.get(lower.find(words)? + words.len()..))
        .flat_map(|rest| {
            // A name, and what stands around it.
            let near = rest
                .char_indices()
                .nth(80)
                .map_or(rest, |(end, _)| &rest[..end]);
            let near = near.split(". ").next().unwrap_or(near);
            let tells = near.contains('<') || !trailers::logins(near).is_empty();
            if tells {
                trailers::people(near)
            } else {
                Vec::new()
            }
        })
        .filter(|named| named.login.is_some() || named.who.email.contains('@'))
        .collect()
}

pub(super) fn is_human(named: &Named) -> bool {
    let is_bot = [&named.who.name, &named.who.email]
        .into_iter()
        .any(|text| text.ends_with("[bot]"));
    !is_bot && !named.is_tool() && !super::is_infrastructure(&named.who)
}
