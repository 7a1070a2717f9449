//! Marks in the lines of a message that are made by tools or for machines: trailers and links.

use super::{
    Found, Strength, Tool, identities,
    lines::{Line, Trailer},
    table::{KEYS, RULES, Reading, Rule, Sign},
    words,
};
use crate::commit::Signature;

/// What this trailer says, if it says that a tool took part.
pub(super) fn read(trailer: &Trailer<'_>) -> Option<Found> {
    let lower = trailer.value.to_lowercase();
    let by_rule = RULES.iter().find(|rule| {
        matches!(rule.sign, Sign::Trailer { key, value } if key == trailer.key && lower.starts_with(value))
    });
    if let Some(rule) = by_rule {
        return Some(Found::by(rule, trailer.value));
    }
    let (_, reading) = KEYS.iter().find(|(key, _)| *key == trailer.key)?;
    // A subject that begins like a disclosure is about disclosures.
    let subject = trailer.line.number == 1;
    match reading {
        Reading::Identity => identity(trailer.value),
        Reading::Disclosure if subject => None,
        Reading::Helper => helper(trailer.value, true),
        Reading::HelperIfKnown => helper(trailer.value, false),
        Reading::Disclosure => disclosure(trailer.value),
    }
}

/// The link of a session or a task that stands in this line.
pub(super) fn link(line: Line<'_>) -> Option<Found> {
    let lower = line.text.to_ascii_lowercase();
    let rule = RULES.iter().find(|rule| link_of(rule, &lower))?;
    Some(Found::by(rule, ""))
}

fn link_of(rule: &Rule, line: &str) -> bool {
    let Sign::Link(prefix) = rule.sign else {
        return false;
    };
    line.split(prefix)
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The names and addresses of a trailer such as `Co-authored-by`. Some write several into one.
pub(crate) fn people(value: &str) -> Vec<Signature> {
    let mut people = Vec::new();
    let mut rest = value;
    while let Some((name, tail)) = rest.split_once('<') {
        let (email, after) = tail.split_once('>').unwrap_or((tail, ""));
        people.push(Signature {
            name: name.trim_matches([' ', '\t', ',', ';', '"']).to_owned(),
            email: email.trim().to_owned(),
        });
        rest = after;
    }
    if people.is_empty() {
        let (name, email) = if value.contains('@') {
            ("", value)
        } else {
            (value, "")
        };
        people.push(Signature {
            name: name.trim().to_owned(),
            email: email.trim().to_owned(),
        });
    }
    people
}

fn identity(value: &str) -> Option<Found> {
    let all = people(value).into_iter().filter_map(|who| {
        let (tool, strength) = identities::tool(&who)?;
        let model = words::model_in(&who.name);
        Some(Found {
            tool,
            model,
            strength,
        })
    });
    all.max_by_key(|found| found.strength)
}

fn helper(value: &str, tools_only: bool) -> Option<Found> {
    if is_denial(value) {
        return None;
    }
    let found = |tool, strength| {
        let model = words::model_in(value);
        Some(Found {
            tool,
            model,
            strength,
        })
    };
    if let Some((tool, Strength::Marked)) = people(value).iter().find_map(identities::tool) {
        return found(tool, Strength::Declared);
    }
    if let Some(named) = words::tool_in(value) {
        // `Assisted-by: Claude Dupont <claude@dupont.example>` names a person.
        let person = value.contains('@') && !named.sure;
        let strength = if person {
            Strength::Hinted
        } else {
            Strength::Declared
        };
        return found(named.tool, strength);
    }
    // Someone with an address is a person who helped, and a generator need not be an AI.
    if !tools_only || value.contains('@') {
        return None;
    }
    let name = value
        .split([':', '(', '[', ',', ';'])
        .next()
        .unwrap_or(value);
    found(Tool::parse(name)?, Strength::Declared)
}

fn disclosure(value: &str) -> Option<Found> {
    if is_denial(value) {
        return None;
    }
    let tool = words::tool_in(value).map_or_else(Tool::unspecified, |named| named.tool);
    let model = words::model_in(value);
    Some(Found {
        tool,
        model,
        strength: Strength::Declared,
    })
}

/// `none`, `no`, `false`, `I did not use one`: somebody filled a form in and says that nothing helped. That proves
/// nothing, so it is no mark either way.
pub(super) fn is_denial(value: &str) -> bool {
    let words = words::words(value);
    let nothing = [
        "", "no", "none", "not", "false", "n", "na", "nil", "never", "nothing", "0", "without",
    ];
    nothing.contains(&words::lower(&words, 0)) || words::denies(&words)
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;

    fn found(line: &str) -> Option<(String, Strength)> {
        let line = Line {
            number: 3,
            text: line,
        };
        let found = lines::trailer(line)
            .and_then(|trailer| read(&trailer))
            .or_else(|| link(line))?;
        Some((found.tool.id().into_owned(), found.strength))
    }

    #[test]
    fn trailers_that_tools_leave_are_marks() {
        for (line, tool) in [
            (
                "Co-Authored-By: Claude Opus 4.6 (1M context) <noreply@anthropic.com>",
                "claude-code",
            ),
            (
                "co-authored-by: claude <NOREPLY@anthropic.com>",
                "claude-code",
            ),
            (
                "    Co-authored-by: Cursor <cursoragent@cursor.com>",
                "cursor",
            ),
            ("* Co-authored-by: Codex <noreply@openai.com>", "codex"),
            ("Signed-off-by: Codex <codex@openai.com>", "codex"),
            (
                "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
                "copilot",
            ),
            (
                "Co-authored-by: Ana <ana@halden.example>, Claude <noreply@anthropic.com>",
                "claude-code",
            ),
            ("Co-authored-by: Claude Sonnet 4.5", "claude-code"),
            (
                "Claude-Session: https://claude.ai/code/session_01U9z",
                "claude-code",
            ),
            ("https://claude.ai/code/session_019x4u", "claude-code"),
            ("Copilot-Session: 0ce53efa-a7e9", "copilot"),
            (
                "Agent-Logs-Url: https://github.com/o/r/sessions/f17f",
                "copilot",
            ),
            (
                "open the [Copilot Workspace session](https://copilot-workspace.githubnext.com/o/r?shareId=X).",
                "copilot",
            ),
            (
                "[Codex Task](https://chatgpt.com/codex/cloud/tasks/task_e_68)",
                "codex",
            ),
            ("https://chatgpt.com/codex/tasks/task_e_68", "codex"),
            ("Made-with: Cursor", "cursor"),
        ] {
            assert_eq!(
                found(line),
                Some((tool.to_owned(), Strength::Marked)),
                "{line}"
            );
        }
    }

    #[test]
    fn words_that_say_so_are_declarations() {
        for (line, tool) in [
            (
                "Assisted-by: Claude Opus 4.8 <noreply@anthropic.com>",
                "claude-code",
            ),
            (
                "assisted-by: Claude:claude-opus-4-7 [coccinelle]",
                "claude-code",
            ),
            ("Assisted-by: Codex 5.3", "codex"),
            ("Assisted-by: ChatGPTv5", "other:chatgpt"),
            ("Assisted-by: Warp", "other:warp"),
            ("Generated-by: Claude Opus 4.5", "claude-code"),
            ("Generated-By: PostHog Code", "-"),
            (
                "Claude-Generated-By: Claude Code (cli/claude-opus-4-5=100%)",
                "claude-code",
            ),
            ("AI-assisted: OpenAI Codex was used to apply this.", "codex"),
            ("AI-assisted-by: OpenAI Codex", "codex"),
            ("Ai-assisted: true", "other:unspecified"),
            (
                "AI disclosure: First draft was written with Claude Opus 4.",
                "claude-code",
            ),
            ("**AI usage:** GitHub Copilot CLI assisted", "copilot"),
        ] {
            let expected = (tool != "-").then(|| (tool.to_owned(), Strength::Declared));
            assert_eq!(found(line), expected, "{line}");
        }
    }

    #[test]
    fn people_generators_and_denials_are_no_marks() {
        for line in [
            "Co-authored-by: Leila Garrow <leila.garrow@anthropic.com>",
            "Co-authored-by: Claude Dupont <claude@dupont.example>",
            "Co-authored-by: Claude <claude@dupont.example>",
            "Co-authored-by: Devin <devin@halden.example>",
            "Co-authored-by: Claude",
            "Co-authored-by: dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
            "Co-authored-by: GitHub <noreply@github.com>",
            "Assisted-by: Ana Echeverría <ana@halden.example>",
            "Generated-by: protoc-gen-go v1.36",
            "AI-assisted: no",
            "AI disclosure: None.",
            "AI disclosure: I did not use Claude or any other.",
            "AI disclosure: written without AI",
            "Assisted-by: none",
            "Reviewed-by: Copilot <175728472+Copilot@users.noreply.github.com>",
            "feat: use Claude Code",
            "- Removed `Co-authored-by: Claude <noreply@anthropic.com>`",
            "see https://claude.ai/code/session_<id> for the format",
        ] {
            let found = found(line).filter(|(_, strength)| *strength > Strength::Hinted);
            assert_eq!(found, None, "{line}");
        }
    }

    #[test]
    fn a_subject_about_disclosures_is_none() {
        let subject = Line {
            number: 1,
            text: "AI usage: document the policy",
        };
        assert_eq!(lines::trailer(subject).and_then(|t| read(&t)), None);
    }
}
