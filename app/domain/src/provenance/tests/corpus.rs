//! The corpus of real commits, where `COUNTERSIGN_CORPUS` names it: judged as its readers did, but for what is listed here.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// Commits that we judge otherwise than the corpus does, by the id that it gives them, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("g0044", SPOOFED),
    ("g0100", SELF_CHOSEN),
    (
        "g0142",
        "a person's address and a tool's name in brackets: a hint",
    ),
    ("g0212", SELF_CHOSEN),
    (
        "g0214",
        "a model that Copilot ran by Codex's name; the tool is Copilot",
    ),
    ("g0252", SELF_CHOSEN),
    ("g0319", SELF_CHOSEN),
    ("g0349", SELF_CHOSEN),
    ("g0354", INFORMAL),
    ("g0387", SELF_CHOSEN),
    ("g0390", INFORMAL),
    (
        "g0400",
        "an app that writes settings for agents is none itself",
    ),
    ("g0410", INFORMAL),
];

const SPOOFED: &str =
    "an agent's name on another bot's number is a hint: whoever forges it should not bar others";
const SELF_CHOSEN: &str =
    "a name that anybody may have chosen, at no vendor's address, names no tool";
const INFORMAL: &str = "a subject that only mentions a tool may be about it";

/// A labelled commit, as the corpus' own README describes it.
struct Labelled {
    id: String,
    commit: Commit,
    assisted: bool,
    disputed: bool,
    tools: BTreeSet<String>,
    note: String,
}

fn labelled(line: &str) -> Labelled {
    let row: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let signature = |value: &serde_json::Value| Signature {
        name: text(&value["name"]),
        email: text(&value["email"]),
    };
    let mut commit = commit(ANA, ANA, &text(&row["message"]));
    commit.author = signature(&row["author"]);
    commit.committer = signature(&row["committer"]);
    let labels = &row["labels"];
    let tools = labels["tools"].as_array().unwrap();
    Labelled {
        id: text(&row["id"]),
        commit,
        assisted: labels["assisted"].as_bool().unwrap(),
        disputed: labels["disputed"].as_bool().unwrap(),
        tools: tools.iter().map(text).collect(),
        note: text(&labels["note"]),
    }
}

/// How we differ from a label, if we do. Of what is not assisted no tool counts.
fn difference(row: &Labelled) -> Option<String> {
    let marks = marks(std::slice::from_ref(&row.commit), None);
    let assisted = provenance(&marks) == Provenance::Assisted;
    let tools: BTreeSet<String> = tools(&marks).into_iter().map(String::from).collect();
    if assisted != row.assisted {
        let what = if assisted { "taken" } else { "missed" };
        return Some(format!("{what}: {:?} ({})", row.tools, row.note));
    }
    (assisted && tools != row.tools).then(|| format!("tools {tools:?}, not {:?}", row.tools))
}

#[test]
fn the_corpus_of_real_commits_is_judged_as_its_readers_did() {
    let Ok(path) = std::env::var("COUNTERSIGN_CORPUS") else {
        eprintln!(
            "COUNTERSIGN_CORPUS names no file, so the corpus of real commits was not judged."
        );
        return;
    };
    let rows = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Labelled> = rows.lines().map(labelled).collect();
    let known: BTreeMap<&str, &str> = OTHERWISE.iter().copied().collect();
    let mut differing = BTreeMap::new();
    for row in &rows {
        if let Some(difference) = difference(row) {
            let reason = known.get(row.id.as_str()).unwrap_or(&"NOT LISTED");
            let disputed = if row.disputed { ", disputed" } else { "" };
            eprintln!("{}{disputed}: {difference}: {reason}", row.id);
            differing.insert(row.id.as_str(), (row.disputed, difference));
        }
    }
    let wrong = |what: &str| {
        let plain = differing.values().filter(|(disputed, _)| !disputed);
        plain.filter(|(_, said)| said.starts_with(what)).count()
    };
    eprintln!(
        "{} commits, {} disputed. Of the others: missed {}, traps taken {}, other tools {}.",
        rows.len(),
        rows.iter().filter(|row| row.disputed).count(),
        wrong("missed"),
        wrong("taken"),
        wrong("tools"),
    );
    assert_eq!((wrong("missed"), wrong("taken")), (0, 0));
    let listed: Vec<&str> = known.into_keys().collect();
    let found: Vec<&str> = differing.into_keys().collect();
    assert_eq!(
        found, listed,
        "each has a reason, and no reason is left over"
    );
}
