//! Marks of whole commits: what they add up to, and what traps there are.

mod corpus;
mod limits;
mod table;
mod traps;

use super::*;
use proptest::prelude::*;

fn who(text: &str) -> Signature {
    let (name, email) = text.split_once(" <").unwrap();
    Signature {
        name: name.to_owned(),
        email: email.trim_end_matches('>').to_owned(),
    }
}

fn commit(author: &str, committer: &str, message: &str) -> Commit {
    let sha = CommitSha::parse("a".repeat(40)).unwrap();
    Commit {
        tree: None,
        sha,
        parents: Vec::new(),
        author: who(author),
        authored_at: None,
        committer: who(committer),
        message: message.as_bytes().to_vec(),
    }
}

const ANA: &str = "Ana <ana@halden.example>";

fn by_ana(message: &str) -> Provenance {
    provenance(&marks(&[commit(ANA, ANA, message)], None))
}

#[test]
fn a_trailer_in_the_middle_of_a_squash_makes_it_assisted() {
    let message = "Pay refunds twice (#12)\n\n* Pay once\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>\n\n* Fix typo\n\n---------\n\nCo-authored-by: Ben <ben@halden.example>\n";
    assert_eq!(by_ana(message), Provenance::Assisted);
    let marks = marks(&[commit(ANA, ANA, message)], None);
    assert_eq!(marks.len(), 1);
    insta::assert_json_snapshot!(marks[0], @r#"
    {
      "tool": "claude-code",
      "model": "Claude Opus 4.6",
      "place": {
        "at": "trailer",
        "commit": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "line": 5
      },
      "strength": "marked",
      "text": "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>"
    }
    "#);
}

#[test]
fn no_mark_is_unknown_and_never_human() {
    assert_eq!(by_ana("Pay refunds once\n"), Provenance::Unknown);
    assert_eq!(provenance(&[]), Provenance::Unknown);
}

#[test]
fn hints_alone_change_nothing() {
    let spoofed = "claude[bot] <41898282+claude[bot]@users.noreply.github.com>";
    let marks = marks(&[commit(spoofed, ANA, "Fix\n")], None);
    assert_eq!(marks.len(), 1);
    assert_eq!(provenance(&marks), Provenance::Unknown);
}

#[test]
fn whoever_submits_can_say_that_a_machine_took_part() {
    let plain = [commit(ANA, ANA, "Fix\n")];
    let said = Said {
        tool: Some(Tool::Cursor),
    };
    let marks_ = marks(&plain, Some(&said));
    assert_eq!(provenance(&marks_), Provenance::Assisted);
    assert_eq!(
        (&marks_[0].tool, &marks_[0].place),
        (&Tool::Cursor, &Place::Submission)
    );
    let untold = marks(&plain, Some(&Said::default()));
    assert_eq!(untold[0].tool, Tool::unspecified());
}

#[test]
fn an_invisible_character_does_not_hide_a_mark() {
    let message = "Fix\n\nCo-authored-by: Cl\u{200b}aude <noreply@an\u{2060}thropic.com>\n";
    assert_eq!(by_ana(message), Provenance::Assisted);
    let author = "Claude <noreply@anthropic\u{ad}.com>";
    let marks = marks(
        &[commit(
            author,
            ANA,
            "Fix\0\n\nAssisted-by: Codex\0 GPT 5\0.1\n",
        )],
        None,
    );
    assert_eq!(marks.len(), 2);
    assert!(marks.iter().all(|mark| !mark.text.contains('\0')));
    assert!(marks.iter().all(|mark| {
        mark.model
            .as_deref()
            .is_none_or(|model| !model.contains('\0'))
    }));
}

#[test]
fn a_flood_of_marks_is_cut_and_drowns_nothing() {
    let mut message = "Fix\n\n".to_owned();
    for n in 0..5_000 {
        message += &format!("Co-authored-by: Codex <{n}@x.example>\n");
    }
    message += "Assisted-by: Claude Code\n";
    let marks = marks(&[commit(ANA, ANA, &message)], None);
    assert_eq!(marks.len(), MOST_MARKS + 1);
    assert_eq!(provenance(&marks), Provenance::Assisted);
}

#[test]
fn long_lines_are_read_in_time_and_cut() {
    let long = "Generated with ".repeat(200_000) + ":<@" + &"<a@b>".repeat(100_000);
    let message = format!("{long}\n\n{long}\nAssisted-by: Claude {long}\n");
    let marks = marks(&[commit(ANA, ANA, &message)], None);
    assert!(
        marks
            .iter()
            .all(|mark| mark.text.chars().count() <= MOST_TEXT)
    );
}

proptest! {
    #[test]
    fn any_message_is_read(message in any::<String>(), name in any::<String>(), email in any::<String>()) {
        let mut commit = commit(ANA, ANA, &message);
        commit.author = Signature { name, email };
        let _ = marks(&[commit], None);
    }

    #[test]
    fn pieces_of_marks_in_any_order_are_read(
        parts in proptest::collection::vec(prop::sample::select(vec![
            "Co-authored-by", ":", " ", "\n", "<", ">", "@", "Claude", "noreply@anthropic.com", "I", "used", "was",
            "assisted", "with", "help", "from", "AI", "disclosure", "🤖", "Generated", "(", ")", ".", "1+", "this", "change",
        ]), 0..60),
    ) {
        let text = parts.concat();
        let mut commit = commit(ANA, ANA, &text);
        commit.author = Signature { name: text.clone(), email: text };
        let _ = marks(&[commit], None);
    }
}
