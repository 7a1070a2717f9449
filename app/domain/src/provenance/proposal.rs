//! What a proposal says around its commits: labels, check boxes, and the lines of its description.

use super::{Found, Strength, lines::Line, sentences, trailers, words};

/// What a label says. One that says in words how the change was made is somebody's word; one that names a tool may be about that tool.
pub(super) fn label(text: &str) -> Option<Found> {
    let plain: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '.' {
                c
            } else {
                ' '
            }
        })
        .collect();
    let words = words::words(&plain);
    if trailers::is_denial(&plain) {
        return None;
    }
    let declared = (0..words.len()).find_map(|at| sentences::made_with(&words, at));
    let (tool, strength) = match declared {
        Some(tool) => (tool, Strength::Declared),
        None => (words::tool_in(&plain)?.tool, Strength::Hinted),
    };
    Some(Found {
        tool,
        model: None,
        strength,
    })
}

/// What ticked boxes say: `- [x] I used AI to write this`, and `- [x] Yes` below a question that asks it.
pub(super) fn ticked<'a>(lines: &[Line<'a>]) -> Vec<(Line<'a>, Found)> {
    let mut asked = "";
    let mut all = Vec::new();
    for line in lines {
        match check_box(line.text) {
            Some((true, text)) => all.extend(answer(asked, text).map(|found| (*line, found))),
            Some((false, _)) => {}
            None if line.text.trim().is_empty() => {}
            None => asked = line.text,
        }
    }
    all
}

/// Whether a line is a box, whether it is ticked, and what stands beside it.
fn check_box(line: &str) -> Option<(bool, &str)> {
    let item = line.trim_start();
    let item = item.strip_prefix(['-', '*', '+']).or_else(|| {
        let (number, rest) = item.split_once(['.', ')'])?;
        number
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(rest)
    })?;
    let (inside, text) = item.trim_start().strip_prefix('[')?.split_once(']')?;
    match inside.trim() {
        "" => Some((false, text)),
        "x" | "X" | "✓" | "✔" => Some((true, text)),
        _ => None,
    }
}

fn answer(asked: &str, text: &str) -> Option<Found> {
    let words = words::words(text);
    let yes = words::lower(&words, 0) == "yes";
    let said = if yes {
        format!("{asked} {text}")
    } else {
        text.to_owned()
    };
    if trailers::is_denial(text) {
        return None;
    }
    let words = words::words(&said);
    sentences::use_of_tool(&words).map(|tool| Found {
        tool,
        model: words::model_in(&said),
        strength: Strength::Declared,
    })
}

/// The description without what only its writer sees: templates explain themselves in comments.
pub(super) fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        kept.push_str(before);
        let (inside, after) = comment.split_once("-->").unwrap_or((comment, ""));
        // Lines keep their numbers.
        kept.extend(inside.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::lines::lines;

    fn labelled(text: &str) -> Option<(String, Strength)> {
        label(text).map(|found| (found.tool.id().into_owned(), found.strength))
    }

    #[test]
    fn a_label_declares_in_words_and_hints_by_a_name() {
        use Strength::{Declared, Hinted};
        for (text, tool, strength) in [
            ("ai-assisted", "other:unspecified", Declared),
            ("AI Generated", "other:unspecified", Declared),
            ("generated-by: claude", "claude-code", Declared),
            ("copilot-generated", "copilot", Declared),
            ("origin/llm_assisted", "other:unspecified", Declared),
            ("Amazon Q development agent", "other:amazon-q", Hinted),
            ("codex", "codex", Hinted),
            ("claude-code", "claude-code", Hinted),
        ] {
            assert_eq!(labelled(text), Some((tool.to_owned(), strength)), "{text}");
        }
        for text in [
            "",
            "bug",
            "ai",
            "area/ai",
            "ai-policy",
            "no-ai",
            "not ai-generated",
            "cursor",
            "generated",
        ] {
            assert_eq!(labelled(text), None, "{text}");
        }
    }

    fn boxes(text: &str) -> Vec<String> {
        let lines: Vec<_> = lines(text).collect();
        let found = ticked(&lines).into_iter();
        found
            .map(|(line, found)| {
                assert_eq!(found.strength, Strength::Declared);
                format!("{} {}", line.number, found.tool)
            })
            .collect()
    }

    #[test]
    fn a_ticked_box_declares() {
        for (text, found) in [
            ("- [x] This PR was AI-assisted", "1 other:unspecified"),
            (
                "* [X] I used AI tools to write some of this",
                "1 other:unspecified",
            ),
            ("1. [x] Generated with GitHub Copilot", "1 copilot"),
            ("- [x] AI was used: Claude Code", "1 claude-code"),
            (
                "- [x] Code was written with the help of an LLM",
                "1 other:unspecified",
            ),
            (
                "## Did you use AI to write this?\n\n- [x] Yes\n- [ ] No",
                "3 other:unspecified",
            ),
            (
                "Was any AI tool used?\n- [ ] No\n- [x] Yes, Cursor",
                "3 cursor",
            ),
        ] {
            assert_eq!(boxes(text), [found], "{text}");
        }
    }

    #[test]
    fn an_empty_box_a_denial_and_another_matter_declare_nothing() {
        for text in [
            "- [ ] This PR was AI-assisted",
            "- [x] No AI was used",
            "- [x] I did not use AI",
            "- [x] I have read the AI policy",
            "- [x] I have read the policy about AI-generated code",
            "- [x] Tests were written",
            "Did you use AI to write this?\n- [x] No",
            "Are the tests green?\n- [x] Yes",
            "- [link](x) This PR was AI-assisted",
            "> - [x] This PR was AI-assisted",
        ] {
            assert!(boxes(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn comments_of_a_template_are_left_out() {
        assert_eq!(
            without_comments("a <!-- - [x]\n AI --> b\n<!-- c"),
            "a \n b\n"
        );
    }
}
