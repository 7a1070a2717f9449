//! The human who set an agent to work, as agents write it into the commits that they make: `Requested by: Ana (@ana)`
//! (Devin), `started by @ana` (Jules), `on behalf of @ana`.
//!
//! Read only where a tool took part. In the commit of a human, `Requested-by` names who wished for it.

use super::{Contributor, Role};
use crate::{
    commit::{Commit, Signature},
    provenance::{
        self,
        lines::{self, Line},
        trailers,
    },
    text,
};

/// Everybody whom the message names as having set an agent to work.
pub(super) fn requesters(commit: &Commit, message: &str) -> Vec<Contributor> {
    let named: Vec<Contributor> = lines::lines(message)
        .flat_map(|line| {
            let visible = text::visible(line.text);
            in_line(Line {
                number: line.number,
                text: &visible,
            })
        })
        .collect();
    // Marks are looked for only where they matter: most messages name nobody.
    if named.is_empty() || provenance::marks(std::slice::from_ref(commit), None).is_empty() {
        return Vec::new();
    }
    named
}

fn in_line(line: Line<'_>) -> Vec<Contributor> {
    match lines::trailer(line) {
        Some(found) if matches!(found.key.as_str(), "requestedby" | "onbehalfof") => {
            in_value(found.value)
        }
        _ => in_sentence(line.text),
    }
}

/// `Ana <ana@halden.example>`, `Ana (@ana)`, `@ana`, `Ana`.
fn in_value(value: &str) -> Vec<Contributor> {
    let people = trailers::people(value).into_iter();
    if value.contains('<') {
        return people.filter(is_human).map(addressed).collect();
    }
    let logins = logins(value);
    if logins.is_empty() {
        return people.filter(is_human).map(addressed).collect();
    }
    let name = value.split(['(', '[', '@']).next().unwrap_or_default();
    logins
        .into_iter()
        .map(|login| called(name.trim(), login))
        .collect()
}

/// `… for task [1](https://…) started by @ana*`: prose, so only a login tells who.
fn in_sentence(text: &str) -> Vec<Contributor> {
    // Only ASCII is lowered, so that what is found lies at the same place in both.
    let lower = text.to_ascii_lowercase();
    let after = ["started by ", "on behalf of ", "requested by "]
        .into_iter()
        .filter_map(|words| Some(lower.find(words)? + words.len()));
    after
        .filter_map(|at| {
            let rest = text
                .get(at..)?
                .trim_start_matches(['*', '_', '[', '`', ' ']);
            let login = logins(rest.starts_with('@').then_some(rest)?);
            Some(called("", login.into_iter().next()?))
        })
        .collect()
}

/// What follows each `@` that begins a word and may be a login, but for bots.
fn logins(text: &str) -> Vec<&str> {
    let belongs = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    text.match_indices('@')
        .filter(|(at, _)| !text[..*at].ends_with(belongs))
        .filter_map(|(at, _)| {
            let rest = &text[at + 1..];
            let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
            // What ends a sentence or an emphasis is no part of it.
            let login = rest[..end].trim_end_matches(['.', '_', '-']);
            let is_bot = rest[end..].starts_with("[bot]");
            (!login.is_empty() && !is_bot).then_some(login)
        })
        .collect()
}

fn is_human(who: &Signature) -> bool {
    let is_bot = [&who.name, &who.email]
        .into_iter()
        .any(|text| text.ends_with("[bot]"));
    !is_bot && !provenance::is_tool(who) && !super::is_infrastructure(who)
}

fn addressed(who: Signature) -> Contributor {
    Contributor::new(Role::Requester, who, None)
}

fn called(name: &str, login: &str) -> Contributor {
    let name = if name.is_empty() { login } else { name };
    let who = Signature {
        name: name.to_owned(),
        email: String::new(),
    };
    Contributor::new(Role::Requester, who, Some(login))
}
