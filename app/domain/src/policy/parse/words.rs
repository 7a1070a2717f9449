//! The words that the text of a policy may use.

use crate::{
    carry::Proof,
    landing::Evidence,
    people::{Level, Role},
    provenance::Provenance,
};

pub(super) const DOCUMENT: &[&str] = &[
    "version",
    "name",
    "rule",
    "automation",
    "approvals",
    "veto",
    "override",
    "going_back",
    "landing",
    "source",
    "human",
];

pub(super) const RULE: &[&str] = &["name", "when", "require", "same_person"];

pub(super) const AUTOMATION: &[&str] = &["name", "ids", "require", "same_person"];

pub(super) const WHEN: &[&str] = &[
    "provenance",
    "tool",
    "level",
    "repository",
    "target",
    "any_path",
    "all_paths",
    "except_paths",
    "more_lines",
    "more_files",
    "label",
];

pub(super) const WHO: &[&str] = &["level", "team", "role", "people"];

pub(super) const ASK: &[&str] = &["approvals", "level", "team", "role", "people"];

pub(super) const OVERRIDE: &[&str] = &["by", "lasts", "review_within", "refused_while_overdue"];

pub(super) const PROVENANCES: &[(&str, Provenance)] = &[
    ("assisted", Provenance::Assisted),
    ("unknown", Provenance::Unknown),
    ("human", Provenance::Human),
];

pub(super) const LEVELS: &[(&str, Level)] = &[
    ("junior", Level::Junior),
    ("mid", Level::Mid),
    ("senior", Level::Senior),
];

pub(super) const LEVELS_OR_NOBODY: &[(&str, Option<Level>)] = &[
    ("nobody", None),
    ("junior", Some(Level::Junior)),
    ("mid", Some(Level::Mid)),
    ("senior", Some(Level::Senior)),
];

pub(super) const ROLES: &[(&str, Role)] = &[("manager", Role::Manager), ("admin", Role::Admin)];

pub(super) const PROOFS: &[(&str, Proof)] = &[
    ("blobs", Proof::Blobs),
    ("tree", Proof::Tree),
    ("patch", Proof::Patch),
];

pub(super) const EVIDENCE: &[(&str, Evidence)] =
    &[("host", Evidence::Host), ("tree", Evidence::Tree)];

/// What ends approvals besides time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Draft,
    NewBase,
}

pub(super) const ENDINGS: &[(&str, Ending)] =
    &[("draft", Ending::Draft), ("new_base", Ending::NewBase)];

/// Why a key that people may look for does not exist, and never will.
pub(super) fn refused(key: &str) -> Option<&'static str> {
    let key = key.to_lowercase();
    let is_about = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let lessens = is_about(&[
        "except", "not", "no_", "without", "unless", "ignore", "skip",
    ]);
    let is_small = is_about(&["max", "less", "few", "most", "under", "below", "small"]);
    if is_about(&["label"]) && lessens {
        return Some(
            "nothing here: a label can make a rule apply (`label`) and never stop it, as whoever wants a change to pass can put one on it",
        );
    }
    if is_about(&["line", "file", "size"]) && (lessens || is_small) {
        return Some(
            "nothing here: size can make a rule apply (`more_lines`, `more_files`) and never stop it, as a large change can be cut into small ones",
        );
    }
    None
}

/// The one of these that somebody who wrote `word` most likely meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let word: String = word.to_lowercase().chars().take(40).collect();
    let far = word.chars().count().div_ceil(3);
    known
        .map(|known| (strsim::osa_distance(&word, known), known))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.to_owned())
}
