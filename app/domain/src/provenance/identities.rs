//! Whether an author, a committer or a co-author is a tool.

use super::{
    Strength, Tool,
    table::{RULES, Rule, Sign},
    words,
};
use crate::{commit::Signature, text};

/// The tool that goes by this name and address, and how sure that is.
pub(super) fn tool(who: &Signature) -> Option<(Tool, Strength)> {
    let who = &seen(who);
    let address = who.email.to_lowercase();
    if is_not_a_tools(&address) {
        return None;
    }
    let account = Account::of(&address);
    let by_rule = RULES
        .iter()
        .filter_map(|rule| Some((rule, judge(rule, who, &address, account.as_ref())?)))
        .max_by_key(|(_, strength)| *strength);
    by_rule
        .map(|(rule, strength)| (rule.tool(), strength))
        .or_else(|| by_name(who))
}

fn is_not_a_tools(address: &str) -> bool {
    let not = |rule: &Rule| matches!(rule.sign, Sign::NotAddress(not) if not == address);
    RULES.iter().any(not)
}

/// Whether this is surely a tool and no human.
pub(super) fn is_tool(who: &Signature) -> bool {
    let who = &seen(who);
    let address = who.email.to_lowercase();
    let account = Account::of(&address);
    RULES.iter().any(|rule| {
        // `Ana (aider)` is Ana.
        if matches!(rule.sign, Sign::Suffix(_)) {
            return false;
        }
        let strength = judge(rule, who, &address, account.as_ref());
        strength.is_some_and(|strength| strength >= Strength::Marked)
    })
}

/// What a reader sees of a name and an address: invisible characters must not hide a tool.
fn seen(who: &Signature) -> Signature {
    Signature {
        name: text::visible(&who.name).trim().to_owned(),
        email: text::visible(&who.email).trim().to_owned(),
    }
}

/// An account of GitHub, as its no-reply addresses name it.
struct Account<'a> {
    id: Option<u64>,
    login: &'a str,
}

impl<'a> Account<'a> {
    fn of(address: &'a str) -> Option<Self> {
        let local = address.strip_suffix("@users.noreply.github.com")?;
        Some(match local.split_once('+') {
            // A number too large for an account is nobody's.
            Some((id, login)) => Self {
                id: Some(id.parse().unwrap_or(0)),
                login,
            },
            None => Self {
                id: None,
                login: local,
            },
        })
    }
}

fn judge(
    rule: &Rule,
    who: &Signature,
    address: &str,
    account: Option<&Account<'_>>,
) -> Option<Strength> {
    match rule.sign {
        Sign::Address(known) => (address == known).then_some(rule.strength),
        Sign::Account { id, logins } => {
            let account = account?;
            let login = logins.contains(&account.login);
            match account.id {
                Some(number) if number == id => Some(rule.strength),
                // The tool's name on somebody else's number: a mistake, or a lie.
                Some(_) => login.then_some(Strength::Hinted),
                None => login.then_some(rule.strength),
            }
        }
        Sign::Named { id, name } => {
            let number = account?.id == Some(id);
            let named = who.name.trim().to_lowercase().starts_with(name);
            (number && named).then_some(rule.strength)
        }
        Sign::Vendor(domain) => {
            let there = address.rsplit_once('@').is_some_and(|(_, at)| at == domain);
            let named = there.then(|| whole_name(&who.name)).flatten()?;
            (named.tool == rule.tool()).then_some(rule.strength)
        }
        Sign::Login(login) => account
            .is_some_and(|account| account.login == login)
            .then_some(rule.strength),
        Sign::Suffix(suffix) => ends_so(&who.name, suffix).then_some(rule.strength),
        Sign::NotAddress(_)
        | Sign::Name(_)
        | Sign::AlsoName(_)
        | Sign::Trailer { .. }
        | Sign::Link(_)
        | Sign::Line(_)
        | Sign::Branch(_) => None,
    }
}

fn ends_so(name: &str, suffix: &str) -> bool {
    let name = name.trim_end().as_bytes();
    let start = name.len().checked_sub(suffix.len());
    start.is_some_and(|start| name[start..].eq_ignore_ascii_case(suffix.as_bytes()))
}

/// What a name alone says: nobody is called `Claude Opus 4.6` or `GitHub Copilot`; somebody may be called Claude.
fn by_name(who: &Signature) -> Option<(Tool, Strength)> {
    if let Some(named) = whole_name(&who.name) {
        return of_name(named, who);
    }
    if who.email.is_empty() {
        // `Gemini, your friendly neighborhood code agent.`
        let named = whole_name(who.name.split(',').next()?)?;
        return of_name(named, who);
    }
    // `Ana (claude)`: a person, who says something.
    let (_, behind) = who.name.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let named = whole_name(behind)?;
    // `Ana (claude-sonnet-4-20250514)`: nobody is called that in brackets, either.
    let strength = if named.model {
        Strength::Marked
    } else {
        Strength::Hinted
    };
    Some((named.tool, strength))
}

fn of_name(named: words::Named, who: &Signature) -> Option<(Tool, Strength)> {
    if named.sure {
        return Some((named.tool, Strength::Marked));
    }
    match named.tool {
        // People are called that.
        Tool::ClaudeCode => None,
        Tool::Gemini if !who.email.is_empty() => None,
        Tool::Gemini | Tool::Copilot | Tool::Codex | Tool::Cursor if who.email.is_empty() => {
            Some((named.tool, Strength::Marked))
        }
        tool => Some((tool, Strength::Hinted)),
    }
}

/// The tool, where the name is that tool's from beginning to end, but for versions.
fn whole_name(name: &str) -> Option<words::Named> {
    let name = name.split('(').next().unwrap_or(name).trim_end();
    let words = words::words(name.strip_suffix("[bot]").unwrap_or(name));
    let named = words::tool_at(&words, 0)?;
    let rest = words.get(named.words..)?;
    let is_version = |word: &words::Word<'_>| {
        word.lower.starts_with(|c: char| c.is_ascii_digit())
            || matches!(
                word.lower.as_str(),
                "max" | "pro" | "flash" | "thinking" | "preview" | "mini" | "developer"
            )
    };
    // `Claude Code 2.1.63 / Claude Opus 4.6`
    let again =
        || words::tool_at(rest.get(1..)?, 0).filter(|_| rest.first().is_some_and(is_version));
    (rest.iter().all(is_version) || again().is_some()).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, email: &str) -> Option<(Tool, Strength)> {
        tool(&Signature {
            name: name.to_owned(),
            email: email.to_owned(),
        })
    }

    #[test]
    fn tools_are_known_by_address_and_by_account_number() {
        use Strength::Marked;
        for (name, email, tool) in [
            ("Claude", "noreply@anthropic.com", Tool::ClaudeCode),
            (
                "Claude Opus 4.8 (1M context)",
                "NoReply@Anthropic.com",
                Tool::ClaudeCode,
            ),
            (
                "claude[bot]",
                "209825114+claude[bot]@users.noreply.github.com",
                Tool::ClaudeCode,
            ),
            (
                "anthropic-code-agent[bot]",
                "242468646+Claude@users.noreply.github.com",
                Tool::ClaudeCode,
            ),
            (
                "copilot-swe-agent[bot]",
                "198982749+Copilot@users.noreply.github.com",
                Tool::Copilot,
            ),
            (
                "Commit Check",
                "198982749+Copilot@users.noreply.github.com",
                Tool::Copilot,
            ),
            (
                "Copilot",
                "175728472+Copilot@users.noreply.github.com",
                Tool::Copilot,
            ),
            ("Copilot", "Copilot@users.noreply.github.com", Tool::Copilot),
            (
                "Copilot Autofix powered by AI",
                "62310815+github-advanced-security[bot]@users.noreply.github.com",
                Tool::Copilot,
            ),
            ("GitHub Copilot", "copilot@github.com", Tool::Copilot),
            ("Cursor Agent", "cursoragent@cursor.com", Tool::Cursor),
            (
                "cursor[bot]",
                "206951365+cursor[bot]@users.noreply.github.com",
                Tool::Cursor,
            ),
            (
                "Cursor",
                "cursor[bot]@users.noreply.github.com",
                Tool::Cursor,
            ),
            (
                "chatgpt-codex-connector[bot]",
                "199175422+chatgpt-codex-connector[bot]@users.noreply.github.com",
                Tool::Codex,
            ),
            ("openai-codex[bot]", "x@y.example", Tool::Codex),
            ("Codex", "noreply@openai.com", Tool::Codex),
            ("Codex", "codex@openai.com", Tool::Codex),
            ("Ana (aider)", "ana@halden.example", Tool::Aider),
            ("Claude Opus 4.6", "ana@halden.example", Tool::ClaudeCode),
            (
                "Claude Code 2.1.63 / Claude Opus 4.6",
                "x@y.example",
                Tool::ClaudeCode,
            ),
        ] {
            assert_eq!(found(name, email), Some((tool, Marked)), "{name} <{email}>");
        }
    }

    #[test]
    fn people_and_bots_that_are_no_ai_are_not_tools() {
        for (name, email) in [
            ("Leila Garrow", "leila.garrow@anthropic.com"),
            ("Claude Dupont", "claude@dupont.example"),
            ("Claude", "claude@dupont.example"),
            ("Claudio Kestrel", "noreply@dupont.example"),
            ("Devin Rendall", "devin@stonemail57.example"),
            ("Devin", "devin@openai.com"),
            ("Jules", "jules@halden.example"),
            ("Greta Navarro", "greta.navarro@github.com"),
            ("GitHub", "noreply@github.com"),
            (
                "dependabot[bot]",
                "49699333+dependabot[bot]@users.noreply.github.com",
            ),
            (
                "renovate[bot]",
                "29139614+renovate[bot]@users.noreply.github.com",
            ),
            (
                "github-actions[bot]",
                "41898282+github-actions[bot]@users.noreply.github.com",
            ),
            (
                "github-advanced-security[bot]",
                "62310815+github-advanced-security[bot]@users.noreply.github.com",
            ),
            ("gemini-cli-robot", "gemini-cli-robot@google.com"),
            ("", ""),
        ] {
            assert_eq!(found(name, email), None, "{name} <{email}>");
        }
    }

    #[test]
    fn a_tools_login_on_another_number_is_only_a_hint() {
        use Strength::Hinted;
        for (email, tool) in [
            (
                "41898282+claude[bot]@users.noreply.github.com",
                Tool::ClaudeCode,
            ),
            (
                "99999999999999999999999+claude[bot]@users.noreply.github.com",
                Tool::ClaudeCode,
            ),
            ("1+copilot@users.noreply.github.com", Tool::Copilot),
        ] {
            assert_eq!(found("x", email), Some((tool, Hinted)), "{email}");
        }
    }

    #[test]
    fn a_name_that_only_looks_like_a_tool_is_only_a_hint() {
        use Strength::Hinted;
        assert_eq!(found("Codex", "x@y.example"), Some((Tool::Codex, Hinted)));
        assert_eq!(
            found("Ana (claude-sonnet-4-20250514)", "ana@y.example"),
            Some((Tool::ClaudeCode, Strength::Marked))
        );
        assert_eq!(
            found("Ana (claude)", "ana+claude@y.example"),
            Some((Tool::ClaudeCode, Hinted))
        );
    }
}
