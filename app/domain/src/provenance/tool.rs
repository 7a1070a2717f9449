//! The tools that leave marks, by one canonical id each.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A tool that writes or changes code. Written `claude-code`, or `other:<name>` for one that has no id of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Tool {
    ClaudeCode,
    Copilot,
    Cursor,
    Codex,
    Gemini,
    Aider,
    Jules,
    Devin,
    Droid,
    Amp,
    OpenCode,
    Windsurf,
    Roo,
    /// In lower case, at most [`Tool::MOST`] characters; `unspecified` where a mark names no tool.
    Other(String),
}

/// Tool, id, name to show, and other spellings of it (as [`slug`] writes them).
const KNOWN: &[(Tool, &str, &str, &[&str])] = &[
    (
        Tool::ClaudeCode,
        "claude-code",
        "Claude Code",
        &["claude", "anthropic-claude", "anthropic-claude-code"],
    ),
    (
        Tool::Copilot,
        "copilot",
        "Copilot",
        &[
            "github-copilot",
            "copilot-swe-agent",
            "github-copilot-cli",
            "copilot-cli",
        ],
    ),
    (
        Tool::Cursor,
        "cursor",
        "Cursor",
        &["cursor-agent", "cursor-cli", "cursor-ai"],
    ),
    (
        Tool::Codex,
        "codex",
        "Codex",
        &["openai-codex", "codex-cli", "openai-codex-cli"],
    ),
    (
        Tool::Gemini,
        "gemini",
        "Gemini",
        &[
            "gemini-cli",
            "google-gemini",
            "gemini-code-assist",
            "google-gemini-cli",
        ],
    ),
    (Tool::Aider, "aider", "Aider", &[]),
    (
        Tool::Jules,
        "jules",
        "Jules",
        &["google-jules", "google-labs-jules"],
    ),
    (
        Tool::Devin,
        "devin",
        "Devin",
        &["devin-ai", "devin-ai-integration"],
    ),
    (Tool::Droid, "droid", "Factory Droid", &["factory-droid"]),
    (Tool::Amp, "amp", "Amp", &["ampcode", "sourcegraph-amp"]),
    (Tool::OpenCode, "opencode", "OpenCode", &["open-code"]),
    (
        Tool::Windsurf,
        "windsurf",
        "Windsurf",
        &["codeium-windsurf"],
    ),
    (Tool::Roo, "roo", "Roo Code", &["roo-code", "roomote"]),
];

/// Tools without an id of their own that go by several names (as [`slug`] writes them): the name that counts, and the others.
const OTHERS: &[(&str, &[&str])] = &[
    (
        "amazon-q",
        &[
            "amazonq",
            "amazon-q-developer",
            "q-developer",
            "codewhisperer",
            "amazon-codewhisperer",
            "aws-codewhisperer",
        ],
    ),
    ("kiro", &["kiro-agent", "kiro-cli", "aws-kiro", "kiro-ide"]),
    ("qwen-code", &["qwen-coder"]),
    ("coderabbit", &["coderabbitai", "code-rabbit"]),
    ("openclaw", &["clawdbot", "openclaw-agent"]),
    ("posthog-code", &["posthog"]),
];

impl Tool {
    /// The longest name of a tool that we have no id for.
    pub const MOST: usize = 40;

    /// The tool of a mark that names none.
    #[must_use]
    pub fn unspecified() -> Self {
        Self::Other("unspecified".to_owned())
    }

    /// The tool that people call this; none for a name without a letter or digit.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let slug = slug(name);
        let slug = slug.strip_prefix("other-").unwrap_or(&slug);
        let usual = OTHERS
            .iter()
            .find(|(_, others)| others.contains(&slug))
            .map_or(slug, |(usual, _)| usual);
        Self::known(usual).or_else(|| (!usual.is_empty()).then(|| Self::Other(usual.to_owned())))
    }

    /// The ids of all tools that have one of their own.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(_, id, ..)| *id)
    }

    /// The tool with this id or a usual spelling of it, as [`slug`] writes it.
    pub(super) fn known(slug: &str) -> Option<Self> {
        KNOWN
            .iter()
            .find(|(_, id, _, others)| *id == slug || others.contains(&slug))
            .map(|(tool, ..)| tool.clone())
    }

    /// `claude-code`, `other:warp`
    #[must_use]
    pub fn id(&self) -> Cow<'static, str> {
        match self.row() {
            Some((_, id, ..)) => Cow::Borrowed(id),
            None => Cow::Owned(format!("other:{}", self.name())),
        }
    }

    /// `Claude Code`, `warp`
    #[must_use]
    pub fn name(&self) -> &str {
        match (self, self.row()) {
            (Self::Other(name), _) => name,
            (_, Some((_, _, name, _))) => name,
            (_, None) => "",
        }
    }

    fn row(&self) -> Option<&'static (Self, &'static str, &'static str, &'static [&'static str])> {
        KNOWN.iter().find(|(tool, ..)| tool == self)
    }
}

/// Letters and digits in lower case, one hyphen for whatever stands between, at most [`Tool::MOST`] characters.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().take(Tool::MOST * 4) {
        if c.is_alphanumeric() || c == '.' {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let cut: String = slug.chars().take(Tool::MOST).collect();
    cut.trim_matches(['-', '.']).to_owned()
}

impl std::fmt::Display for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id())
    }
}

impl From<Tool> for String {
    fn from(tool: Tool) -> Self {
        tool.id().into_owned()
    }
}

impl From<String> for Tool {
    fn from(id: String) -> Self {
        Self::parse(&id).unwrap_or_else(Self::unspecified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tool_has_one_id_whatever_people_call_it() {
        for name in ["claude-code", "Claude", "Claude Code", "CLAUDE_CODE"] {
            assert_eq!(Tool::parse(name), Some(Tool::ClaudeCode), "{name}");
        }
        assert_eq!(Tool::parse("GitHub Copilot"), Some(Tool::Copilot));
        for name in [
            "Amazon Q",
            "CodeWhisperer",
            "amazon-q-developer",
            "other:amazon-q",
        ] {
            assert_eq!(Tool::parse(name).unwrap().id(), "other:amazon-q", "{name}");
        }
        assert_eq!(Tool::parse("Warp"), Some(Tool::Other("warp".to_owned())));
        assert_eq!(Tool::parse(" — "), None);
    }

    #[test]
    fn an_id_is_written_and_read_back() {
        let all = KNOWN.iter().map(|(tool, ..)| tool.clone());
        for tool in all.chain([Tool::unspecified(), Tool::Other("qwen-code".to_owned())]) {
            let written = serde_json::to_string(&tool).unwrap();
            assert_eq!(
                serde_json::from_str::<Tool>(&written).unwrap(),
                tool,
                "{written}"
            );
        }
    }

    #[test]
    fn a_name_without_end_is_cut() {
        let id = Tool::parse(&"ß".repeat(100_000)).unwrap();
        assert_eq!(id.name().chars().count(), Tool::MOST);
    }
}
