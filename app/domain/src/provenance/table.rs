//! Which marks the tools leave: one row a rule, with where it was seen and when it was last looked at.
//!
//! To teach Countersign another tool, add rows. Any mark can be forged or stripped: a mark proves that a tool took
//! part, no mark proves nothing.

use super::{Strength, Tool};

/// One kind of mark of one tool.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) tool: Tool,
    pub(super) sign: Sign,
    pub(super) strength: Strength,
    /// A commit, an issue or a document that shows it.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "read by people and by the test of the table")
    )]
    pub(super) source: &'static str,
    /// When somebody last looked, as a month.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "read by people and by the test of the table")
    )]
    pub(super) checked: &'static str,
}

/// What is looked for. All text is in lower case and compared without regard to case.
#[derive(Debug)]
pub(super) enum Sign {
    /// An author, committer or co-author with this address.
    Address(&'static str),
    /// The same, by an account of the code host GitHub: its number, and the logins it is shown under. The right login
    /// with another number is somebody else.
    Account {
        id: u64,
        logins: &'static [&'static str],
    },
    /// The same, by an account that does other things too, where the name begins so.
    Named { id: u64, name: &'static str },
    /// The vendor's own domain; it counts for names that are the tool's. People work there, too.
    Vendor(&'static str),
    /// A trailer (letters and digits of its key) whose value begins so.
    Trailer {
        key: &'static str,
        value: &'static str,
    },
    /// A link to a session or a task, with something after it, anywhere in a line.
    Link(&'static str),
}

macro_rules! rules {
    ($($tool:ident $strength:ident $sign:expr, $source:literal, $checked:literal;)*) => {
        &[$(Rule { tool: Tool::$tool, sign: $sign, strength: Strength::$strength, source: $source, checked: $checked }),*]
    };
}

use Sign::{Account, Address, Link, Named, Trailer, Vendor};

pub(super) const RULES: &[Rule] = rules! {
    ClaudeCode Marked Address("noreply@anthropic.com"), "basecamp/fizzy, default of its settings (Attribution.commit)", "2026-11";
    ClaudeCode Marked Account { id: 209_825_114, logins: &["claude[bot]"] }, "kosli-dev/cli@4313b080", "2026-11";
    ClaudeCode Marked Account { id: 242_468_646, logins: &["claude", "anthropic-code-agent[bot]"] }, "agent of GitHub's mission control", "2026-11";
    ClaudeCode Marked Account { id: 208_546_643, logins: &["claude-code-action[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    ClaudeCode Marked Account { id: 215_619_710, logins: &["anthropic-claude[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    ClaudeCode Marked Vendor("anthropic.com"), "git-ai-project/git-ai@f88ea8e49", "2026-11";
    ClaudeCode Marked Trailer { key: "claudesession", value: "https://claude.ai/code/" }, "anthropics/claude-code#77830", "2026-11";
    ClaudeCode Declared Trailer { key: "claudegeneratedby", value: "" }, "anthropics/claude-code-action", "2026-11";
    ClaudeCode Marked Link("https://claude.ai/code/session_"), "rust-lang/rust-analyzer@db3eef0dd4", "2026-11";

    Copilot Marked Account { id: 198_982_749, logins: &["copilot", "copilot-swe-agent[bot]"] }, "matrix-authentication-service@e6a92bdd3", "2026-11";
    Copilot Marked Account { id: 175_728_472, logins: &["copilot"] }, "apache/incubator-devlake@1a66e7961", "2026-11";
    Copilot Marked Account { id: 223_556_219, logins: &["copilot"] }, "vld@d39bca1", "2026-11";
    Copilot Marked Account { id: 167_198_135, logins: &["copilot[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    Copilot Marked Named { id: 62_310_815, name: "copilot autofix" }, "Copilot Autofix under github-advanced-security[bot]", "2026-11";
    Copilot Marked Address("copilot@github.com"), "written by hand in several repositories", "2026-11";
    Copilot Marked Vendor("github.com"), "as above", "2026-11";
    Copilot Marked Trailer { key: "agentlogsurl", value: "https://github.com/" }, "commit-check@3cb11ae", "2026-11";
    Copilot Marked Trailer { key: "copilotsession", value: "" }, "Copilot CLI", "2026-11";
    Copilot Marked Link("https://copilot-workspace.githubnext.com/"), "Aider-AI/aider#2136", "2026-11";

    Cursor Marked Address("cursoragent@cursor.com"), "anthropics/claude-code-action@492d2d78", "2026-11";
    Cursor Marked Account { id: 206_951_365, logins: &["cursor[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    Cursor Marked Vendor("cursor.com"), "cursor/agent-trace@34de95b", "2026-11";
    Cursor Marked Trailer { key: "madewith", value: "cursor" }, "apache/incubator-devlake@e92596f61", "2026-11";

    Codex Marked Address("noreply@openai.com"), "openai/codex#11617", "2026-11";
    Codex Marked Address("codex@openai.com"), "jackin#138", "2026-11";
    Codex Marked Account { id: 199_175_422, logins: &["chatgpt-codex-connector[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    Codex Marked Account { id: 215_057_067, logins: &["openai-codex[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    Codex Marked Account { id: 267_193_182, logins: &["codex"] }, "the account @codex, which repositories' rules for agents name", "2026-11";
    Codex Marked Vendor("openai.com"), "git-ai-project/git-ai@90553fa7d", "2026-11";
    Codex Marked Link("https://chatgpt.com/codex/tasks/task_"), "summoncircle#141", "2026-11";
    Codex Marked Link("https://chatgpt.com/codex/cloud/tasks/task_"), "oli-torus#6461", "2026-11";

    Devin Marked Account { id: 158_243_242, logins: &["devin-ai-integration[bot]"] }, "git-ai-project/git-ai@9259bd4b0", "2026-11";
    Devin Marked Link("https://app.devin.ai/sessions/"), "fastrepl/anarlog#2041", "2026-11";

    Jules Marked Account { id: 161_369_871, logins: &["google-labs-jules[bot]"] }, "google-gemini/gemini-cli@b38e0984b9", "2026-11";
    Jules Marked Link("https://jules.google.com/task/"), "google/virtual-broadcast-production-assistant#309", "2026-11";
};

/// How the value of a trailer that any tool may leave is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A name and an address, judged as authors are.
    Identity,
    /// What helped, by name: `Assisted-by: Claude:claude-opus-4-7`.
    Helper,
    /// The same, but other things than tools are named there too: `Generated-by: protoc`.
    HelperIfKnown,
    /// A sentence about help, or `none`.
    Disclosure,
}

/// Keys (their letters and digits) that are no tool's own, and how their values are read.
pub(super) const KEYS: &[(&str, Reading)] = &[
    ("coauthoredby", Reading::Identity),
    ("codevelopedby", Reading::Identity),
    ("signedoffby", Reading::Identity),
    ("authoredby", Reading::Identity),
    // The kernel's, LLVM's and Fedora's rule.
    ("assistedby", Reading::Helper),
    ("aiassistedby", Reading::Helper),
    ("aigeneratedby", Reading::Helper),
    ("aicoauthoredby", Reading::Helper),
    // Apache projects' rule.
    ("generatedby", Reading::HelperIfKnown),
    ("generatedwith", Reading::HelperIfKnown),
    ("createdwith", Reading::HelperIfKnown),
    ("createdby", Reading::HelperIfKnown),
    ("writtenwith", Reading::HelperIfKnown),
    ("writtenby", Reading::HelperIfKnown),
    ("madewith", Reading::HelperIfKnown),
    ("builtwith", Reading::HelperIfKnown),
    ("aiassisted", Reading::Disclosure),
    ("aigenerated", Reading::Disclosure),
    ("aiassistance", Reading::Disclosure),
    ("aiassistancedisclosure", Reading::Disclosure),
    ("aidisclosure", Reading::Disclosure),
    ("aiusage", Reading::Disclosure),
    ("aiuse", Reading::Disclosure),
    ("aiusagedisclosure", Reading::Disclosure),
    ("aitool", Reading::Disclosure),
    ("aitools", Reading::Disclosure),
    ("aimodel", Reading::Disclosure),
    ("aiagent", Reading::Disclosure),
    ("llmassisted", Reading::Disclosure),
    ("llmdisclosure", Reading::Disclosure),
    ("llmusage", Reading::Disclosure),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_says_where_it_was_seen_and_when() {
        for rule in RULES {
            assert!(!rule.source.is_empty(), "{rule:?}");
            let (year, month) = rule.checked.split_once('-').unwrap();
            assert!(year.len() == 4 && month.len() == 2, "{rule:?}");
        }
    }

    #[test]
    fn the_table_is_written_as_it_is_compared() {
        for rule in RULES {
            let texts: Vec<&str> = match rule.sign {
                Address(text) | Vendor(text) | Link(text) => vec![text],
                Named { name, .. } => vec![name],
                Account { logins, .. } => logins.to_vec(),
                Trailer { key, value } => vec![key, value],
            };
            assert!(
                texts.iter().all(|text| text.to_lowercase() == **text),
                "{rule:?}"
            );
        }
        for (key, _) in KEYS {
            assert!(key.bytes().all(|b| b.is_ascii_lowercase()), "{key}");
        }
    }
}
