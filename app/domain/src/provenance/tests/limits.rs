//! Whoever submits controls every byte: whatever stands there is read in bounded time into a bounded number of marks.

use super::*;
use crate::contributor;

/// What could make a reader go over the same bytes again and again, or keep too much.
const PIECES: &[&str] = &[
    "Co-authored-by: ",
    "Assisted-by: Codex 5.3",
    "AI disclosure: ",
    "Requested by @a ",
    "Generated with ",
    "I used Codex. ",
    "was ",
    "this change ",
    "Claude Opus 4.6 ",
    "<a@b>",
    "<",
    ">",
    "@a",
    "a@b ",
    "mailto:",
    "[x](mailto:a@b) ",
    "- [x] Yes",
    "- [x] AI was used",
    "https://claude.ai/code/session_",
    "<!--",
    "-->",
    ": ",
    "=",
    ". ",
    "(",
    "\n",
    "\n ",
    "\n\n",
    "\r",
    "\t",
    "\u{200b}",
    "\u{301}",
    "\u{fffd}",
    "e",
    "🤖 ",
    "`",
    "> ",
];

fn most(marks: &[Mark]) {
    assert!(marks.len() <= 3 * MOST_MARKS, "{}", marks.len());
    assert!(
        marks
            .iter()
            .all(|mark| mark.text.chars().count() <= MOST_TEXT)
    );
    assert!(
        marks
            .iter()
            .all(|mark| mark.model.as_ref().is_none_or(|model| model.len() <= 80))
    );
}

/// Reads a text in every place where a submission may carry one.
fn read(text: &str) {
    let mut hostile = commit("Claude <noreply@anthropic.com>", ANA, text);
    most(&marks(std::slice::from_ref(&hostile), None));
    let _ = contributor::of_commit(&hostile);
    hostile.author = Signature {
        name: text.to_owned(),
        email: text.to_owned(),
    };
    most(&marks(std::slice::from_ref(&hostile), None));
    let told = Beside {
        branch: Some(text.to_owned()),
        labels: vec![text.to_owned()],
        description: text.to_owned(),
        ..Beside::default()
    };
    most(&beside(&told));
    let _ = contributor::beside(&told, &[hostile], true);
}

#[test]
fn every_piece_is_read_in_every_place() {
    for piece in PIECES {
        read(&format!("x\n\n{}", piece.repeat(50_000 / piece.len())));
    }
}

/// As large as the server takes. Going over it once for each of its lines or names would take hours.
#[test]
fn a_megabyte_of_lines_names_or_sentences_is_read() {
    for piece in [
        "\n",
        "a@b ",
        "<a@b>",
        "Co-authored-by: @a\n ",
        "I used Codex. ",
        "Assisted-by: x\r",
    ] {
        let large = commit(
            ANA,
            ANA,
            &format!("x\n\n{}", piece.repeat(1_000_000 / piece.len())),
        );
        most(&marks(std::slice::from_ref(&large), None));
        let _ = contributor::of_commit(&large);
    }
}

#[test]
fn ten_thousand_trailers_are_read_and_the_last_is_not_lost() {
    let mut message = "x\n\n".to_owned();
    for n in 0..10_000 {
        message += &format!(
            "Co-authored-by: P{n} <p{n}@halden.example>\nAssisted-by: Claude Dupont {n} <c{n}@dupont.example>\n"
        );
    }
    message += "Co-Authored-By: Claude <noreply@anthropic.com>\n";
    assert_eq!(by_ana(&message), Provenance::Assisted);
    let crowd = contributor::of_commit(&commit(ANA, ANA, &message));
    assert_eq!(crowd.len(), 10_002);
}

#[test]
fn a_message_that_is_no_utf_8_hides_nothing() {
    let mut latin = commit(ANA, ANA, "");
    latin.message =
        b"Gr\xfc\xdfe\n\n\xff\xfeCo-authored-by: Claud\xe9 <noreply@anthropic.com>\n".to_vec();
    assert_eq!(provenance(&marks(&[latin], None)), Provenance::Assisted);
}

/// A note of many sessions, and a record of many conversations.
#[test]
fn notes_and_traces_of_a_megabyte_are_read() {
    let prompts: Vec<String> = (0..9_000)
        .map(|n| format!(r#""{n:016x}":{{"agent_id":{{"tool":"t{n}"}},"human_author":"P{n} <p{n}@x.example>"}}"#))
        .collect();
    let prompts = prompts.join(",");
    let note = format!(
        "a\n  0000000000000001 {}1\n---\n{{\"schema_version\":\"authorship/3.0.0\",\"prompts\":{{{prompts}}}}}",
        "1-2,".repeat(20_000)
    );
    let trace = |n| {
        format!(
            r#"{{"contributor":{{"type":"ai","model_id":"m{n}"}},"ranges":[{{"start_line":1,"end_line":{n}}}]}}"#
        )
    };
    let conversations: Vec<String> = (1..9_000).map(trace).collect();
    let trace = format!(
        r#"{{"version":"0","id":"1","timestamp":"1","files":[{{"path":"a","conversations":[{}]}}]}}"#,
        conversations.join(",")
    );
    let sha = commit(ANA, ANA, "").sha;
    let told = Beside {
        notes: vec![(sha, Note::parse(&note).unwrap())],
        traces: vec![Trace::parse(&trace).unwrap()],
        ..Beside::default()
    };
    most(&beside(&told));
    let crowd = contributor::beside(&told, &[], true);
    assert_eq!(crowd.len(), 9_000, "the server counts them, and refuses");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pieces_in_any_order_are_read_however_often(
        parts in proptest::collection::vec(prop::sample::select(PIECES), 1..6),
        size in 1_usize..60_000,
    ) {
        let part = parts.concat();
        read(&format!("x\n\n{}", part.repeat(size / part.len())));
    }

    #[test]
    fn any_bytes_are_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut any = commit(ANA, ANA, "");
        any.message = bytes;
        most(&marks(std::slice::from_ref(&any), None));
        let _ = contributor::of_commit(&any);
    }

    #[test]
    fn any_text_is_a_note_or_a_trace_or_neither(
        above in "([a-z\"]{0,9}\n|  [hs0-9a-f_:]{0,20} [0-9,-]{0,12}\n){0,6}",
        json in "(\\{|\\}|\\[|\\]|:|,|\"prompts\"|\"sessions\"|\"agent_id\"|\"tool\"|\"schema_version\"|\"authorship/3.0.0\"|1|null){0,40}",
    ) {
        let _ = Note::parse(&format!("{above}---\n{json}"));
        let _ = Note::parse(&format!("{above}---\n{{\"schema_version\":\"authorship/3.0.0\",\"prompts\":{{{json}}}}}"));
        let _ = Trace::parse(&json);
    }
}
