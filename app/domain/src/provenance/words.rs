//! Finds the names of tools and models in what people write.

use super::{
    Tool,
    table::{RULES, Rule, Sign},
};
use std::{cmp::Reverse, collections::HashMap, sync::LazyLock};

/// One word of a text: letters and digits, with hyphens, dots and underscores inside.
#[derive(Debug, Clone)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) lower: String,
    /// Where it begins and ends in the text.
    from: usize,
    to: usize,
}

/// The words of a text, at most 400 of them.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    let mut words = Vec::new();
    let mut rest = text;
    while words.len() < 400 {
        let Some(start) = rest.find(char::is_alphanumeric) else {
            break;
        };
        let (_, tail) = rest.split_at(start);
        let end = tail.find(|c| !part_of_word(c)).unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        let word = word.trim_end_matches(['-', '.', '_']);
        let from = text.len() - tail.len();
        words.push(Word {
            text: word,
            lower: word.to_lowercase(),
            from,
            to: from + word.len(),
        });
        rest = after;
    }
    words
}

/// The word at a place in lower case; nothing behind the last one.
pub(super) fn lower<'a>(words: &'a [Word<'_>], at: usize) -> &'a str {
    words.get(at).map_or("", |word| word.lower.as_str())
}

/// What a run of words names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) tool: Tool,
    /// How many words it takes.
    pub(super) words: usize,
    /// No person, place or thing is called that. `Claude`, `Cursor` and `Gemini` alone are such names.
    pub(super) sure: bool,
    /// It is a model's name, and whose tool ran it is guessed.
    pub(super) model: bool,
}

/// Whether these words say that something was not made with a tool: `did not use`, `without any AI`.
pub(super) fn denies(words: &[Word<'_>]) -> bool {
    const NOT: &[&str] = &["no", "not", "never", "without", "nor", "neither", "t"];
    const WHAT: &[&str] = &[
        "use",
        "used",
        "using",
        "ai",
        "llm",
        "llms",
        "any",
        "written",
        "generated",
        "made",
        "assisted",
        "created",
        "involve",
        "involved",
    ];
    (0..words.len()).any(|at| {
        let not = NOT.contains(&lower(words, at));
        not && (at + 1..at + 4).any(|at| WHAT.contains(&lower(words, at)))
    })
}

/// The first tool or model that a text names.
pub(super) fn tool_in(text: &str) -> Option<Named> {
    let words = words(text);
    (0..words.len()).find_map(|at| tool_at(&words, at))
}

/// All tools that a text names, each once. A model counts for its maker's tool only where no tool is named: `Codex with GPT 5.4`.
pub(super) fn tools_in(text: &str) -> Vec<Tool> {
    let words = words(text);
    let mut all = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let named = tool_at(&words, at);
        at += named.as_ref().map_or(1, |named| named.words);
        all.extend(named);
    }
    let has_tool = all.iter().any(|named| !named.model);
    all.retain(|named| !(has_tool && named.model));
    let mut tools: Vec<Tool> = Vec::new();
    for named in all {
        if !tools.contains(&named.tool) {
            tools.push(named.tool);
        }
    }
    tools
}

/// The tool or model that is named from this word on.
pub(super) fn tool_at(words: &[Word<'_>], at: usize) -> Option<Named> {
    if let Some(named) = named_in_table(words, at) {
        return Some(named);
    }
    let word = words.get(at)?;
    let next = lower(words, at + 1);
    let named = |tool, words, sure| {
        Some(Named {
            tool,
            words,
            sure,
            model: false,
        })
    };
    let model = |tool, words| {
        Some(Named {
            tool,
            words,
            sure: true,
            model: true,
        })
    };
    let product = matches!(next, "code" | "cli" | "agent" | "ai" | "bot" | "autofix");
    let length = 1 + usize::from(product);
    match word.lower.as_str() {
        "github" | "openai" | "google" | "anthropic" | "microsoft" => {
            // Cut after the next word, so a chain of vendors goes no deeper.
            let inner = tool_at(words.get(..at + 2)?, at + 1).filter(|named| named.words == 1)?;
            named(inner.tool, 2, true)
        }
        "claude" if is_family(next) => model(Tool::ClaudeCode, 2),
        "claude" => named(Tool::ClaudeCode, length, product),
        "copilot" => named(Tool::Copilot, length, product),
        "codex" => named(Tool::Codex, length, product),
        "gemini" if starts_with_digit(next) => model(Tool::Gemini, 1),
        // There is a company of that name.
        "gemini" => named(Tool::Gemini, length, product && next != "bot"),
        // The ordinary word is not a name.
        "cursor" if word.text != "cursor" => named(Tool::Cursor, length, product),
        "devin" if product => named(Tool::Devin, length, true),
        "jules" if product => named(Tool::Jules, length, true),
        "gpt" if starts_with_digit(next) => model(gpt(), 2),
        family if is_family(family) && starts_with_digit(next) => model(Tool::ClaudeCode, 2),
        other => model(model_of(other)?, 1),
    }
}

/// What the table says that these words name.
fn named_in_table(words: &[Word<'_>], at: usize) -> Option<Named> {
    let rules = NAMES.get(lower(words, at))?;
    rules.iter().find_map(|(name, rule)| {
        let length = name.split(' ').count();
        let same = name
            .split(' ')
            .zip(words.get(at..)?)
            .filter(|(part, word)| *part == word.lower)
            .count();
        let is_product = matches!(lower(words, at + length), "agent" | "bot" | "developer");
        (same == length).then(|| Named {
            tool: rule.tool(),
            words: length + usize::from(is_product),
            sure: matches!(rule.sign, Sign::Name(_)) || is_product,
            model: false,
        })
    })
}

/// The names of the table by their first word, the longest first.
static NAMES: LazyLock<HashMap<&str, Vec<(&str, &Rule)>>> = LazyLock::new(|| {
    let mut names: HashMap<&str, Vec<(&str, &Rule)>> = HashMap::new();
    for rule in RULES {
        if let Sign::Name(name) | Sign::AlsoName(name) = rule.sign {
            let first = name.split(' ').next().unwrap_or(name);
            names.entry(first).or_default().push((name, rule));
        }
    }
    for of_one in names.values_mut() {
        of_one.sort_by_key(|(name, _)| Reverse(name.len()));
    }
    names
});

/// Whose model goes by this name.
fn model_of(word: &str) -> Option<Tool> {
    let model = |prefix: &str| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| rest.chars().any(|c| c.is_ascii_digit()))
    };
    if model("claude-") {
        Some(Tool::ClaudeCode)
    } else if model("gemini-") {
        Some(Tool::Gemini)
    } else if model("gpt-") {
        Some(if word.contains("codex") {
            Tool::Codex
        } else {
            gpt()
        })
    } else if word.starts_with("chatgpt") {
        Some(Tool::Other("chatgpt".to_owned()))
    } else if model("gpt") {
        Some(gpt())
    } else {
        None
    }
}

fn gpt() -> Tool {
    Tool::Other("gpt".to_owned())
}

fn is_family(word: &str) -> bool {
    matches!(word, "opus" | "sonnet" | "haiku" | "fable")
}

fn starts_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// The first model that a text names, as it is written there: `Claude Opus 4.6`, `gpt-5.3-codex`.
pub(super) fn model_in(text: &str) -> Option<String> {
    let words = words(text);
    let (start, mut end) = (0..words.len()).find_map(|at| model_at(&words, at))?;
    while words.get(end).is_some_and(|word| continues(&word.lower)) {
        end += 1;
    }
    let (first, last) = (words.get(start)?, words.get(end.checked_sub(1)?)?);
    let name = text.get(first.from..last.to)?;
    (name.len() <= 80).then(|| name.to_owned())
}

/// From and up to which word a model is named, without its version.
fn model_at(words: &[Word<'_>], at: usize) -> Option<(usize, usize)> {
    let (word, next) = (lower(words, at), lower(words, at + 1));
    if matches!(word, "claude") && (is_family(next) || starts_with_digit(next)) {
        return Some((at, at + 2));
    }
    if (is_family(word) || matches!(word, "gpt" | "gemini")) && starts_with_digit(next) {
        return Some((at, at + 2));
    }
    let prefixes = [
        "claude-",
        "gemini-",
        "gpt",
        "chatgpt",
        "deepseek-",
        "qwen",
        "grok-",
    ];
    let model = prefixes.iter().any(|prefix| word.starts_with(prefix))
        && word.chars().any(|c| c.is_ascii_digit());
    model.then_some((at, at + 1))
}

fn continues(word: &str) -> bool {
    let version = starts_with_digit(word) && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    version
        || is_family(word)
        || matches!(
            word,
            "pro" | "flash" | "mini" | "nano" | "preview" | "codex" | "max"
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tools_are_found_under_their_own_and_their_models_names() {
        let tool = |text| tool_in(text).map(|named| named.tool.id().into_owned());
        for (text, id) in [
            ("Claude Code (Sonnet 4.5)", "claude-code"),
            ("Claude:claude-opus-4-7", "claude-code"),
            ("Fable 5", "claude-code"),
            ("OpenAI Codex was used", "codex"),
            ("GPT-5.3-Codex", "codex"),
            ("GitHub Copilot CLI", "copilot"),
            ("Cursor", "cursor"),
            ("gemini-cli", "gemini"),
            ("ChatGPTv5", "other:chatgpt"),
            ("GPT 5.5", "other:gpt"),
        ] {
            assert_eq!(tool(text).as_deref(), Some(id), "{text}");
        }
    }

    #[test]
    fn ordinary_words_and_people_are_no_tools() {
        for text in [
            "",
            "move the cursor",
            "Devin Rendall",
            "Claudio",
            "opus magnum",
            "GitHub Actions",
            "gpt partition",
            "Jules",
            "CLAUDE.md",
        ] {
            assert_eq!(tool_in(text), None, "{text}");
        }
    }

    #[test]
    fn models_are_cut_out_as_they_are_written() {
        for (text, model) in [
            ("Claude Opus 4.6 (1M context)", Some("Claude Opus 4.6")),
            (
                "Claude Code 2.1.63 / Claude Opus 4.6",
                Some("Claude Opus 4.6"),
            ),
            ("Claude:claude-opus-4-7 [x]", Some("claude-opus-4-7")),
            ("I used Codex with GPT 5.4 to look", Some("GPT 5.4")),
            ("aider (gemini/gemini-2.5-pro)", Some("gemini-2.5-pro")),
            ("Claude", None),
            ("Claude Code", None),
        ] {
            assert_eq!(model_in(text).as_deref(), model, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>()) {
            let _ = tool_in(&text);
            let _ = model_in(&text);
        }

        #[test]
        fn words_of_tools_in_any_order_are_read(
            parts in proptest::collection::vec(
                prop::sample::select(vec!["claude", "Claude", "opus", "4.6", "gpt", "-", " ", "github", "codex", "5", "\u{0130}", "."]), 0..20),
        ) {
            let text = parts.concat();
            let _ = tool_in(&text);
            let _ = model_in(&text);
        }
    }
}
