//! Marks in what people and tools write to people: footers, and sentences that say how a change was made.
//!
//! Messages also talk about tools, so each shape here is narrow: a footer stands at the beginning of a line, and a
//! sentence must speak of this very change.

use super::{
    Found, Strength, Tool,
    lines::{Line, bare},
    table::{RULES, Rule, Sign},
    trailers,
    words::{self, Word, lower},
};

/// What a footer such as `🤖 Generated with [Claude Code](…)` says.
pub(super) fn footer(line: Line<'_>) -> Option<Found> {
    let text = bare(line.text)?;
    // Wrapped prose goes on in lower case; a footer begins.
    let begins =
        text.starts_with(|c: char| c.is_uppercase()) || line.text.trim_start().starts_with('🤖');
    if line.number == 1 || !begins {
        return None;
    }
    if let Some(rule) = RULES.iter().find(|rule| begins_as(rule, text)) {
        return Some(Found::by(rule, text));
    }
    let words = words::words(text);
    let said = made(&words, 0)?;
    let named = helper_at(&words, said).or_else(|| linked(line.text, &words, said))?;
    Some(declared(named, text))
}

fn begins_as(rule: &Rule, text: &str) -> bool {
    let Sign::Line(begin) = rule.sign else {
        return false;
    };
    let text = text.as_bytes().get(..begin.len());
    text.is_some_and(|text| text.eq_ignore_ascii_case(begin.as_bytes()))
}

/// `🤖 Generated with [Firebender](https://firebender.com)`: a tool that nobody told us of.
fn linked(line: &str, words: &[Word<'_>], at: usize) -> Option<Tool> {
    let (_, link) = line.trim_start().strip_prefix('🤖')?.split_once('[')?;
    let (name, _) = link.split_once("](http")?;
    let first = words.get(at).filter(|word| name.starts_with(word.text));
    first.and_then(|_| Tool::parse(name))
}

/// A sentence that says how this change was made: its first line's number, its text, and what it says.
pub(super) fn disclosures<'a>(lines: impl Iterator<Item = Line<'a>>) -> Vec<(u32, String, Found)> {
    let mut all = Vec::new();
    for (number, text) in sentences(lines) {
        let words = words::words(&text);
        let found = match of_this_change(&words) {
            Some(tool) => vec![declared(tool, &text)],
            None => labelled(&text, &words),
        };
        all.extend(found.into_iter().map(|found| (number, text.clone(), found)));
    }
    all
}

/// A label that says how something was made, from this word on: `ai generated`, `written with claude`.
pub(super) fn made_with(words: &[Word<'_>], at: usize) -> Option<Tool> {
    said_of(words, at).or_else(|| {
        let (tool, length) = tool_at(words, at)?;
        is_made(lower(words, at + length)).then_some(tool)
    })
}

/// The tool that somebody says was used, in the words of a box that they ticked. What they read or agree to is no use.
pub(super) fn use_of_tool(words: &[Word<'_>]) -> Option<Tool> {
    const OTHER: &[&str] = &[
        "policy",
        "policies",
        "guideline",
        "guidelines",
        "read",
        "agree",
        "understand",
        "if",
        "whether",
    ];
    let all = || (0..words.len()).map(|at| lower(words, at));
    let is_use = |word: &str| {
        is_made(word)
            || glued(word).is_some()
            || matches!(
                word,
                "use" | "used" | "using" | "help" | "helped" | "assistance" | "assist"
            )
    };
    if all().any(|word| OTHER.contains(&word)) || !all().any(is_use) {
        return None;
    }
    let named = (0..words.len()).find_map(|at| words::tool_at(words, at));
    let generic = || (0..words.len()).find_map(|at| tool_at(words, at).map(|(tool, _)| tool));
    named
        .map(|named| named.tool)
        .or_else(|| all().find_map(glued))
        .or_else(generic)
}

fn declared(tool: Tool, text: &str) -> Found {
    Found {
        tool,
        model: words::model_in(text),
        strength: Strength::Declared,
    }
}

/// The longest sentence that is read, in bytes; prose is shorter.
const LONGEST: usize = 600;

/// The sentences below the subject, each joined over its lines. A blank line ends one, and so does a line that is a
/// trailer or begins a list.
fn sentences<'a>(lines: impl Iterator<Item = Line<'a>>) -> Vec<(u32, String)> {
    let mut all = Vec::new();
    let mut open: Option<(u32, String)> = None;
    for line in lines.skip_while(|line| line.number == 1) {
        let text = line.text.trim();
        let fresh = text.is_empty()
            || text.starts_with(['-', '*', '#', '>', '|', '`'])
            || label(text).is_some();
        if fresh {
            all.extend(open.take());
        }
        if text.starts_with(['>', '`']) {
            continue;
        }
        for (n, part) in text.split_inclusive([' ', '\t']).enumerate() {
            let (_, sentence) = open.get_or_insert_with(|| (line.number, String::new()));
            if n == 0 && !sentence.is_empty() {
                sentence.push(' ');
            }
            if sentence.len() + part.len() <= LONGEST {
                sentence.push_str(part);
            }
            if part.trim_end().ends_with(['.', '!', '?', ';']) {
                all.extend(open.take());
            }
        }
    }
    all.extend(open);
    all
}

/// What follows `Disclosure:` and the like.
fn label(text: &str) -> Option<&str> {
    let (key, rest) = bare(text)?.split_once(':')?;
    let key = key.trim_matches(['*', '_', ' ']).to_lowercase();
    let known = [
        "disclosure",
        "ai disclosure",
        "ai usage",
        "ai note",
        "ai use",
        "ai",
        "llm disclosure",
        "llm usage",
    ];
    known.contains(&key.as_str()).then_some(rest)
}

fn labelled(text: &str, words: &[Word<'_>]) -> Vec<Found> {
    let Some(rest) = label(text).filter(|rest| !trailers::is_denial(rest)) else {
        return Vec::new();
    };
    let said = (0..words.len()).find_map(|at| said_of(words, at));
    // Who discloses something need not mean a tool, unless the label says so.
    let is_of_ai = matches!(lower(words, 0), "ai" | "llm");
    if said.is_none() && !is_of_ai {
        return Vec::new();
    }
    let named = trailers::declared(rest);
    if named.is_empty() {
        return said.map(|tool| declared(tool, text)).into_iter().collect();
    }
    named
}

/// `This change was written with the help of …`, `I used Codex to write …`, `… was Claude assisted`.
fn of_this_change(words: &[Word<'_>]) -> Option<Tool> {
    if words::denies(words) {
        return None;
    }
    (0..words.len()).find_map(|at| match lower(words, at) {
        "was" | "were" | "been" | "is" | "are" => passive(words, at),
        "i" | "we" => active(words, at),
        _ => None,
    })
}

/// What follows `was`, at this word.
fn passive(words: &[Word<'_>], at: usize) -> Option<Tool> {
    let before = at.checked_sub(1).map_or("", |before| lower(words, before));
    // `code that was generated by …` deals with other code.
    if matches!(before, "that" | "which" | "who") {
        return None;
    }
    if is_this_change(words.get(at.saturating_sub(5)..at).unwrap_or_default()) {
        return soon(words, at + 1, 6);
    }
    // `was Claude assisted`, `were assisted by AI tooling`, `Codex was used to`: the past is about this change, the
    // present about how things are.
    if !matches!(lower(words, at), "was" | "were") {
        return None;
    }
    said_of(words, at + 1).or_else(|| tool_was_used(words, at))
}

/// `OpenAI Codex was used to identify this`.
fn tool_was_used(words: &[Word<'_>], was: usize) -> Option<Tool> {
    let used =
        lower(words, was + 1) == "used" && matches!(lower(words, was + 2), "to" | "for" | "in");
    let from = was.saturating_sub(3);
    let named = |at: usize| words::tool_at(words, at).filter(|named| at + named.words == was);
    used.then(|| (from..was).find_map(named))
        .flatten()
        .map(|named| named.tool)
}

/// What follows `I`, at this word.
fn active(words: &[Word<'_>], at: usize) -> Option<Tool> {
    let verb = lower(words, at + 1);
    if verb == "used" {
        return tool_put_to_use(words, at + 2);
    }
    let makes = matches!(
        verb,
        "wrote"
            | "made"
            | "put"
            | "built"
            | "created"
            | "implemented"
            | "drafted"
            | "generated"
            | "did"
            | "prepared"
            | "had"
    );
    makes.then(|| soon(words, at + 2, 6)).flatten()
}

/// A way of saying it within the next words, before they turn to something else.
fn soon(words: &[Word<'_>], from: usize, most: usize) -> Option<Tool> {
    (from..from + most)
        .take_while(|at| {
            !matches!(
                lower(words, *at),
                "that" | "which" | "for" | "about" | "to" | "because" | "needed"
            )
        })
        .find_map(|at| said_of(words, at))
}

/// `Codex to write …`, but not `Codex hooks`.
fn tool_put_to_use(words: &[Word<'_>], at: usize) -> Option<Tool> {
    let (tool, length) = tool_at(words, at)?;
    let next = lower(words, at + length);
    let is_use = matches!(
        next,
        "" | "to"
            | "for"
            | "with"
            | "and"
            | "on"
            | "in"
            | "while"
            | "here"
            | "throughout"
            | "extensively"
            | "heavily"
    );
    is_use.then_some(tool)
}

/// Whether the words before a `was` are about the change itself, and not about something that it deals with.
fn is_this_change(before: &[Word<'_>]) -> bool {
    const THINGS: &[&str] = &[
        "change",
        "changes",
        "commit",
        "commits",
        "pr",
        "patch",
        "code",
        "work",
        "request",
        "fix",
        "implementation",
        "series",
        "draft",
    ];
    let points = before
        .iter()
        .any(|word| matches!(word.lower.as_str(), "this" | "these" | "my" | "all" | "the"));
    let thing = before
        .last()
        .is_some_and(|word| THINGS.contains(&word.lower.as_str()));
    points && thing
}

/// A way of saying that something was made with a tool, from this word on: `written with Claude`,
/// `Claude-generated`, `with help from an LLM`, `used Codex`.
fn said_of(words: &[Word<'_>], at: usize) -> Option<Tool> {
    if let Some(end) = made(words, at).or_else(|| help(words, at)) {
        return helper_at(words, end);
    }
    if lower(words, at) == "using" {
        return tool_at(words, at + 1).map(|(tool, _)| tool);
    }
    if let Some(tool) = glued(lower(words, at)) {
        return Some(tool);
    }
    let named = words::tool_at(words, at)?;
    is_made(lower(words, at + named.words)).then_some(named.tool)
}

/// `AI-generated`, `claude-assisted`.
fn glued(word: &str) -> Option<Tool> {
    let (tool, made) = word.rsplit_once('-')?;
    match tool {
        _ if !is_made(made) => None,
        "ai" | "llm" => Some(Tool::unspecified()),
        "claude" | "copilot" | "codex" | "gemini" | "chatgpt" | "cursor" => Tool::parse(tool),
        _ => None,
    }
}

/// `generated with`, `written by`: where what comes after begins.
fn made(words: &[Word<'_>], at: usize) -> Option<usize> {
    let preposition = |word| matches!(word, "with" | "by" | "using" | "via");
    let mut next = at + 1;
    // `Co-authored`, `Co authored`, `written end-to-end with`, `written partly by`
    if !is_made(lower(words, at)) {
        return None;
    }
    while next < at + 4 && !preposition(lower(words, next)) {
        next += 1;
    }
    preposition(lower(words, next)).then_some(next + 1)
}

fn is_made(word: &str) -> bool {
    matches!(
        word,
        "generated"
            | "created"
            | "written"
            | "made"
            | "built"
            | "assisted"
            | "implemented"
            | "coded"
            | "authored"
            | "co-authored"
            | "co-written"
            | "developed"
            | "drafted"
            | "prepared"
            | "produced"
            | "vibe-coded"
            | "vibecoded"
            | "refactored"
            | "aided"
    )
}

/// `with help from`, `with the assistance of`: where what comes after begins.
fn help(words: &[Word<'_>], at: usize) -> Option<usize> {
    let noun = |word| matches!(word, "help" | "assistance" | "aid" | "support");
    if !matches!(lower(words, at), "with" | "by") {
        return None;
    }
    let place = (at + 1..at + 4).find(|at| noun(lower(words, *at)))?;
    matches!(lower(words, place + 1), "of" | "from" | "by").then_some(place + 2)
}

/// The tool that is named here, behind `the`, `help of` and the like.
fn helper_at(words: &[Word<'_>], at: usize) -> Option<Tool> {
    let mut at = at;
    let end = at + 6;
    while at < end
        && matches!(
            lower(words, at),
            "the"
                | "a"
                | "an"
                | "some"
                | "help"
                | "assistance"
                | "aid"
                | "support"
                | "of"
                | "from"
                | "by"
                | "my"
                | "yours"
                | "truly"
        )
    {
        at += 1;
    }
    tool_at(words, at).map(|(tool, _)| tool)
}

/// A tool, a model, or just `an AI`, and how many words that takes.
fn tool_at(words: &[Word<'_>], at: usize) -> Option<(Tool, usize)> {
    if let Some(named) = words::tool_at(words, at) {
        return Some((named.tool, named.words));
    }
    match (lower(words, at), lower(words, at + 1)) {
        ("ai" | "llm" | "llms" | "genai", "tool" | "tools" | "tooling" | "agent" | "assistant") => {
            Some((Tool::unspecified(), 2))
        }
        ("generative" | "agentic", "ai") => Some((Tool::unspecified(), 2)),
        ("ai" | "llm" | "llms" | "genai", _) => Some((Tool::unspecified(), 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;

    fn said(body: &str) -> Option<String> {
        let message = format!("Subject\n\n{body}\n");
        let footer = lines(&message).find_map(footer);
        let found = footer.or_else(|| {
            disclosures(lines(&message))
                .into_iter()
                .map(|(.., found)| found)
                .next()
        })?;
        assert_eq!(found.strength, Strength::Declared);
        Some(found.tool.id().into_owned())
    }

    #[test]
    fn footers_are_declarations() {
        for (body, tool) in [
            (
                "🤖 Generated with [Claude Code](https://claude.com/claude-code)",
                "claude-code",
            ),
            (
                "Generated with [Claude Code](https://claude.ai/code)",
                "claude-code",
            ),
            ("🤖 Generated with Claude Code", "claude-code"),
            ("🤖 Assisted by Claude", "claude-code"),
            ("Co-authored with GitHub Copilot", "copilot"),
            (
                "Assisted by an AI coding tool (see CONTRIBUTING.md).",
                "other:unspecified",
            ),
            ("Written with the help of Codex", "codex"),
        ] {
            assert_eq!(said(body).as_deref(), Some(tool), "{body}");
        }
    }

    #[test]
    fn sentences_about_this_change_are_declarations() {
        for (body, tool) in [
            (
                "Disclosure: I'm a Rust novice, and I put this together with help from\nClaude Code. I'm eager to learn.",
                "claude-code",
            ),
            (
                "This is my first PR and was Claude assisted.",
                "claude-code",
            ),
            (
                "AI disclosure: Repro constructed with Fable 5, implementation using GPT\n5.5.",
                "claude-code",
            ),
            (
                "This change was written end-to-end with the assistance of an AI coding agent",
                "other:unspecified",
            ),
            (
                "This change was prepared with the assistance of an LLM tool.",
                "other:unspecified",
            ),
            (
                "Investigation and drafting were assisted by AI tooling; I reviewed it.",
                "other:unspecified",
            ),
            ("I used Codex to write the tests.", "codex"),
            ("Claude Code was used to write the tests.", "claude-code"),
            (
                "Disclosure: I used Codex with GPT 5.4 to look into it.",
                "codex",
            ),
            ("Made with [Cursor](https://cursor.com)", "cursor"),
            ("Most of the code is AI-generated.", "other:unspecified"),
        ] {
            assert_eq!(said(body).as_deref(), Some(tool), "{body}");
        }
    }

    #[test]
    fn talk_about_tools_is_not() {
        for body in [
            "Detect commits generated with Claude Code.",
            "This commit adds detection of code that is generated by Claude Code.",
            "The policy covers code written by Copilot.",
            "This change is about code generated by Copilot.",
            "I made sure that files generated by Copilot are skipped.",
            "I wrote a parser for code generated by Copilot.",
            "We used Codex hooks before.",
            "This change was not written by Claude.",
            "This patch was written without AI; Claude was never used to write it.",
            "Claude Code is used to run the review action.",
            "The cursor was used to page.",
            "descriptions: \"Written by [Cursor Bugbot]\" attributions and",
            "> 🤖 Generated with [Claude Code](https://claude.ai/code)",
            "Move the cursor with help of the keyboard. I used the cursor to select.",
            "Reviewed with help from Devin and Claude Dupont.",
            "Gemini's theory: the server hangs.",
            "Disclosure: I work on Claude Code.",
            "Disclosure: none.",
            "AI disclosure: no AI was used, nor Claude.",
            "generated by the build",
            "Created by Ana",
            "Use the new Claude 'rules' folder.",
        ] {
            assert_eq!(said(body), None, "{body}");
        }
    }
}
