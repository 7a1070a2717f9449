//! Marks in the lines of a message that are made by tools or for machines: trailers and links.

use super::{
    Found, MOST_MARKS, Strength, Tool, identities,
    lines::{Line, Trailer},
    table::{KEYS, RULES, Reading, Rule, Sign},
    words,
};
use crate::commit::Signature;

/// What this trailer says of tools that took part; nothing where it says of none.
pub(super) fn read(trailer: &Trailer<'_>) -> Vec<Found> {
    let lower = trailer.value.to_lowercase();
    let by_rule = RULES.iter().find(|rule| {
        matches!(rule.sign, Sign::Trailer { key, value } if key == trailer.key && lower.starts_with(value))
    });
    if let Some(rule) = by_rule {
        return vec![Found::by(rule, &trailer.value)];
    }
    let Some((_, reading)) = KEYS.iter().find(|(key, _)| *key == trailer.key) else {
        return Vec::new();
    };
    match reading {
        Reading::Identity => identity(&trailer.value),
        // A subject that begins like a disclosure is about disclosures.
        Reading::Disclosure if trailer.is_subject => Vec::new(),
        Reading::Helper => helper(&trailer.value, true),
        Reading::HelperIfKnown => helper(&trailer.value, false),
        Reading::Disclosure => disclosure(&trailer.value),
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

/// Somebody whom a line of text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) who: Signature,
    /// Their login at the code host, where the text says `@ana`.
    pub(crate) login: Option<String>,
}

/// Everybody whom the value of a trailer such as `Co-authored-by` names: `Ana <ana@halden.example>`, some several of
/// them, `ana@halden.example`, `@ana`, `[Ana](mailto:ana@halden.example)`, or only `Ana`.
pub(crate) fn people(value: &str) -> Vec<Named> {
    let mut people = Vec::new();
    let mut rest = value;
    while let Some((name, tail)) = rest.split_once('<') {
        let (address, after) = tail.split_once('>').unwrap_or((tail, ""));
        people.push(Named::new(name, address));
        rest = after;
    }
    people.extend(addresses(rest));
    let name = name_in(rest);
    let of_login = |login: &str| Named::new(name, &format!("@{login}"));
    people.extend(logins(rest).into_iter().map(of_login));
    if people.is_empty() {
        people.push(Named::new(value, ""));
    }
    people
}

/// Addresses without brackets, each with the words before it.
fn addresses(text: &str) -> Vec<Named> {
    let mut name = String::new();
    let mut found = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'')) {
        if let Some(address) = address(word) {
            let linked = word.split("](").next().filter(|_| word.contains("]("));
            name.push_str(linked.unwrap_or_default());
            found.push(Named::new(name_in(&name), address));
            name.clear();
        } else {
            name.push_str(word);
            name.push(' ');
        }
    }
    found
}

/// `Ana`, as in `[Ana](https://…)`, `Ana (@ana)` and `**Ana** @ana`.
fn name_in(text: &str) -> &str {
    let around = |c: char| c.is_whitespace() || matches!(c, '[' | '*' | '_' | '`');
    let name = text
        .trim_start_matches(around)
        .split(['(', '[', ']', '@', ',', ';'])
        .next();
    name.unwrap_or_default().trim_matches(around)
}

/// The address that a word is, whatever stands around it.
fn address(word: &str) -> Option<&str> {
    let around = |c: char| matches!(c, '(' | ')' | '*' | '_' | '`' | '.' | '[' | ']');
    let word = word.rfind("mailto:").map_or(word, |at| &word[at..]);
    let word = word.trim_matches(around);
    let (local, domain) = mailbox(word).split_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then_some(word)
}

/// What is behind `mailto:`.
fn mailbox(address: &str) -> &str {
    let (scheme, rest) = address.split_at_checked(7).unwrap_or(("", ""));
    if scheme.eq_ignore_ascii_case("mailto:") {
        rest
    } else {
        address
    }
}

/// What follows each `@` that begins a word and may be a login, but for bots.
pub(crate) fn logins(text: &str) -> Vec<&str> {
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

impl Named {
    fn new(name: &str, address: &str) -> Self {
        let address = mailbox(address.trim());
        let is_login = !address.is_empty() && !address.get(1..).is_some_and(|a| a.contains('@'));
        let login = if is_login {
            Some(address.trim_start_matches('@'))
        } else {
            logins(name).into_iter().next()
        };
        let name = name.trim_matches([' ', '\t', ',', ';', '"']);
        let shown = if name.is_empty() { login } else { Some(name) };
        Self {
            who: Signature {
                name: shown
                    .filter(|_| is_login || !name.is_empty())
                    .unwrap_or_default()
                    .to_owned(),
                email: if is_login { "" } else { address }.to_owned(),
            },
            login: login.map(str::to_owned),
        }
    }

    /// Whether this is surely a tool and no human.
    pub(crate) fn is_tool(&self) -> bool {
        identities::is_tool(&self.identity())
    }

    /// As an author of a commit: a login alone is written as its no-reply address.
    fn identity(&self) -> Signature {
        let mut who = self.who.clone();
        if let (true, Some(login)) = (who.email.is_empty(), &self.login) {
            who.email = format!("{login}@users.noreply.github.com");
        }
        who
    }
}

fn identity(value: &str) -> Vec<Found> {
    let found = people(value).into_iter().filter_map(|named| {
        let who = named.identity();
        let (tool, strength) = identities::tool(&who)?;
        let model = words::model_in(&who.name);
        Some(Found {
            tool,
            model,
            strength,
        })
    });
    found.take(MOST_MARKS).collect()
}

fn helper(value: &str, tools_only: bool) -> Vec<Found> {
    if is_denial(value) {
        return Vec::new();
    }
    let found = |tool, strength| {
        let model = words::model_in(value);
        vec![Found {
            tool,
            model,
            strength,
        }]
    };
    let identity = people(value)
        .into_iter()
        .find_map(|named| identities::tool(&named.identity()));
    if let Some((tool, Strength::Marked)) = identity {
        return found(tool, Strength::Declared);
    }
    if let Some(named) = words::tool_in(value).filter(|_| value.contains('@')) {
        // `Assisted-by: Claude Dupont <claude@dupont.example>` names a person.
        let strength = if named.sure {
            Strength::Declared
        } else {
            Strength::Hinted
        };
        return found(named.tool, strength);
    }
    let named = declared(value);
    // Someone with an address is a person who helped, and a generator need not be an AI.
    if !named.is_empty() || !tools_only || value.contains('@') {
        return named;
    }
    let name = value
        .split([':', '(', '[', ',', ';'])
        .next()
        .unwrap_or(value);
    Tool::parse(name).map_or_else(Vec::new, |tool| found(tool, Strength::Declared))
}

/// All tools that are named in what somebody declares.
pub(super) fn declared(text: &str) -> Vec<Found> {
    let tools = words::tools_in(text).into_iter();
    tools
        .map(|tool| Found {
            tool,
            model: words::model_in(text),
            strength: Strength::Declared,
        })
        .collect()
}

fn disclosure(value: &str) -> Vec<Found> {
    if is_denial(value) {
        return Vec::new();
    }
    let named = declared(value);
    if !named.is_empty() {
        return named;
    }
    vec![Found {
        tool: Tool::unspecified(),
        model: None,
        strength: Strength::Declared,
    }]
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
        let by_trailer = lines::trailers(&[line]).iter().flat_map(read).next();
        let found = by_trailer.or_else(|| link(line))?;
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
            ("Co-authored-by: @Copilot", "copilot"),
            (
                "Co-authored-by: [Claude](mailto:noreply@anthropic.com)",
                "claude-code",
            ),
            (
                "Co-authored-by：Claude <noreply@anthropic.com>",
                "claude-code",
            ),
            (
                "Co-authored-by: Claude noreply@anthropic.com",
                "claude-code",
            ),
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
            ("Generated-By: PostHog Code", "other:posthog-code"),
            ("Generated-By: protoc", "-"),
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
        assert_eq!(
            lines::trailers(&[subject]).iter().flat_map(read).next(),
            None
        );
    }
}
