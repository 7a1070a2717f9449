//! Which marks the tools leave: one row a rule, with where it was seen and when it was last looked at.
//!
//! To teach Countersign another tool, add rows. Any mark can be forged or stripped: a mark proves that a tool took
//! part, no mark proves nothing.

use super::{Strength, Tool};

/// One kind of mark of one tool.
#[derive(Debug)]
pub(super) struct Rule {
    /// The tool's id, as [`Tool::parse`] reads it.
    pub(super) tool: &'static str,
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

impl Rule {
    /// Whose mark it is.
    pub(super) fn tool(&self) -> Tool {
        Tool::parse(self.tool).unwrap_or_else(Tool::unspecified)
    }
}

/// What is looked for. All text is in lower case and compared without regard to case.
#[derive(Debug)]
pub(super) enum Sign {
    /// An author, committer or co-author with this address.
    Address(&'static str),
    /// An address that only looks like the tool's: whoever bears it is none, whatever the name.
    NotAddress(&'static str),
    /// An author, committer or co-author by an account of the code host GitHub: its number, and the logins it is shown under. The right login
    /// with another number is somebody else.
    Account {
        id: u64,
        logins: &'static [&'static str],
    },
    /// The same, where nobody knows the number.
    Login(&'static str),
    /// The same, by an account that does other things too, where the name begins so.
    Named { id: u64, name: &'static str },
    /// The vendor's own domain; it counts for names that are the tool's. People work there, too.
    Vendor(&'static str),
    /// What the tool puts behind the name of whoever it works for.
    Suffix(&'static str),
    /// Words that name the tool and nothing and nobody else.
    Name(&'static str),
    /// Words that name the tool, or a person, or a thing.
    AlsoName(&'static str),
    /// A trailer (letters and digits of its key) whose value begins so.
    Trailer {
        key: &'static str,
        value: &'static str,
    },
    /// A link to a session or a task, with something after it, anywhere in a line.
    Link(&'static str),
    /// A line that begins so.
    Line(&'static str),
    /// A branch whose name begins so.
    Branch(&'static str),
}

macro_rules! rules {
    ($($tool:literal $strength:ident $sign:expr, $source:literal, $checked:literal;)*) => {
        &[$(Rule { tool: $tool, sign: $sign, strength: Strength::$strength, source: $source, checked: $checked }),*]
    };
}

use Sign::{
    Account, Address, AlsoName, Branch, Line, Link, Login, Name, Named, NotAddress, Suffix,
    Trailer, Vendor,
};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = rules! {
    "claude-code" Marked Address("noreply@anthropic.com"), "basecamp/fizzy, default of its settings (Attribution.commit)", "2026-11";
    "claude-code" Marked Account { id: 209_825_114, logins: &["claude[bot]"] }, "kosli-dev/cli@4313b080", "2026-11";
    "claude-code" Marked Account { id: 242_468_646, logins: &["claude", "anthropic-code-agent[bot]"] }, "agent of GitHub's mission control", "2026-11";
    "claude-code" Marked Account { id: 208_546_643, logins: &["claude-code-action[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    "claude-code" Marked Account { id: 215_619_710, logins: &["anthropic-claude[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    "claude-code" Marked Vendor("anthropic.com"), "git-ai-project/git-ai@f88ea8e49", "2026-11";
    "claude-code" Marked Trailer { key: "claudesession", value: "https://claude.ai/code/" }, "anthropics/claude-code#77830", "2026-11";
    "claude-code" Declared Trailer { key: "claudegeneratedby", value: "" }, "anthropics/claude-code-action", "2026-11";
    "claude-code" Marked Link("https://claude.ai/code/session_"), "rust-lang/rust-analyzer@db3eef0dd4", "2026-11";
    "claude-code" Hinted Branch("claude/"), "pull requests of claude-code-action", "2026-11";
    "claude-code" Marked Name("claude-code"), "its own name", "2026-11";

    "copilot" Marked Account { id: 198_982_749, logins: &["copilot", "copilot-swe-agent[bot]"] }, "matrix-authentication-service@e6a92bdd3", "2026-11";
    "copilot" Marked Account { id: 175_728_472, logins: &["copilot"] }, "apache/incubator-devlake@1a66e7961", "2026-11";
    "copilot" Marked Account { id: 223_556_219, logins: &["copilot"] }, "vld@d39bca1", "2026-11";
    "copilot" Marked Account { id: 167_198_135, logins: &["copilot[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    "copilot" Marked Named { id: 62_310_815, name: "copilot autofix" }, "Copilot Autofix under github-advanced-security[bot]", "2026-11";
    "copilot" Marked Address("copilot@github.com"), "written by hand in several repositories", "2026-11";
    "copilot" Marked Vendor("github.com"), "as above", "2026-11";
    "copilot" Marked Trailer { key: "agentlogsurl", value: "https://github.com/" }, "commit-check@3cb11ae", "2026-11";
    "copilot" Marked Trailer { key: "copilotsession", value: "" }, "Copilot CLI", "2026-11";
    "copilot" Marked Link("https://copilot-workspace.githubnext.com/"), "Aider-AI/aider#2136", "2026-11";
    "copilot" Hinted Branch("copilot/"), "branches of copilot-swe-agent, matrix-authentication-service@e6a92bdd3", "2026-11";
    "copilot" Marked Name("github-copilot"), "its own name", "2026-11";
    "copilot" Marked Name("copilot-cli"), "its own name", "2026-11";
    "copilot" Marked Name("copilot-swe-agent"), "its own name", "2026-11";

    "cursor" Marked Address("cursoragent@cursor.com"), "anthropics/claude-code-action@492d2d78", "2026-11";
    "cursor" Marked Account { id: 206_951_365, logins: &["cursor[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    "cursor" Marked Vendor("cursor.com"), "cursor/agent-trace@34de95b", "2026-11";
    "cursor" Marked Trailer { key: "madewith", value: "cursor" }, "apache/incubator-devlake@e92596f61", "2026-11";
    "cursor" Marked Address("composer@anysphere.co"), "address list of a survey of R packages", "2026-11";
    "cursor" Hinted Branch("cursor/"), "branches of cursoragent, git-ai-project/git-ai", "2026-11";
    "cursor" Marked Name("cursor-agent"), "its own name", "2026-11";

    "codex" Marked Address("noreply@openai.com"), "openai/codex#11617", "2026-11";
    "codex" Marked Address("codex@openai.com"), "jackin#138", "2026-11";
    "codex" Marked Account { id: 199_175_422, logins: &["chatgpt-codex-connector[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    "codex" Marked Account { id: 215_057_067, logins: &["openai-codex[bot]"] }, "chaoss/ai-detection-action, utils.go", "2026-11";
    "codex" Marked Account { id: 267_193_182, logins: &["codex"] }, "the account @codex, which repositories' rules for agents name", "2026-11";
    "codex" Marked Vendor("openai.com"), "git-ai-project/git-ai@90553fa7d", "2026-11";
    "codex" Marked Link("https://chatgpt.com/codex/tasks/task_"), "summoncircle#141", "2026-11";
    "codex" Marked Link("https://chatgpt.com/codex/cloud/tasks/task_"), "oli-torus#6461", "2026-11";
    "codex" Marked Account { id: 242_516_109, logins: &["codex"] }, "the account @Codex", "2026-11";
    "codex" Hinted Branch("codex/"), "branches of Codex tasks, launchbadge/sqlx", "2026-11";
    "codex" Marked Name("codex-cli"), "its own name", "2026-11";
    "codex" Marked Name("openai-codex"), "its own name", "2026-11";

    "devin" Marked Account { id: 158_243_242, logins: &["devin-ai-integration[bot]"] }, "git-ai-project/git-ai@9259bd4b0", "2026-11";
    "devin" Marked Link("https://app.devin.ai/sessions/"), "fastrepl/anarlog#2041", "2026-11";
    "devin" Marked Address("devin@cognition.ai"), "written by repositories that have Devin commit", "2026-11";
    "devin" Hinted Branch("devin/"), "branches of devin-ai-integration[bot], fastrepl/anarlog", "2026-11";

    "jules" Marked Account { id: 161_369_871, logins: &["google-labs-jules[bot]"] }, "google-gemini/gemini-cli@b38e0984b9", "2026-11";
    "jules" Marked Link("https://jules.google.com/task/"), "google/virtual-broadcast-production-assistant#309", "2026-11";
    "jules" Hinted Branch("jules-"), "branches of google-labs-jules[bot], with the task's number at the end", "2026-11";
    "jules" Marked Name("google-labs-jules"), "google-gemini/gemini-cli@b38e0984b9", "2026-11";

    "gemini" Marked Account { id: 176_961_590, logins: &["gemini-code-assist[bot]"] }, "google-gemini/gemini-cli@571851b107", "2026-11";
    "gemini" Marked Account { id: 218_312_386, logins: &["gemini-cli[bot]"] }, "google-gemini/gemini-cli, history", "2026-11";
    "gemini" Marked Account { id: 218_195_315, logins: &["gemini-cli"] }, "theammir/vibesigns.nvim, README", "2026-11";
    "gemini" Marked Vendor("google.com"), "google-gemini/gemini-cli, `Gemini CLI <noreply@google.com>`", "2026-11";
    "gemini" Hinted NotAddress("gemini-cli-robot@google.com"), "the bot that releases it, google-gemini/gemini-cli", "2026-11";
    "gemini" Marked Name("gemini-cli"), "google-gemini/gemini-cli", "2026-11";
    "gemini" Marked Name("gemini code assist"), "google-gemini/gemini-cli", "2026-11";

    "aider" Marked Suffix("(aider)"), "Aider-AI/aider, repo.py", "2026-11";
    "aider" Marked Address("aider@aider.chat"), "Aider-AI/aider@308b1546a", "2026-11";
    "aider" Marked Address("noreply@aider.chat"), "chaoss/ai-detection-action, detection/constants.go", "2026-11";
    "aider" Marked Address("noreply@aider.dev"), "Aider-AI/aider@1d4269082", "2026-11";
    "aider" Marked Name("aider"), "Aider-AI/aider", "2026-11";

    "droid" Marked Account { id: 138_933_559, logins: &["factory-droid[bot]"] }, "git-ai-project/git-ai@82e515439", "2026-11";
    "droid" Marked Name("factory droid"), "git-ai-project/git-ai@82e515439", "2026-11";
    "droid" Marked Name("factory-droid"), "git-ai-project/git-ai@82e515439", "2026-11";

    "amp" Marked Address("amp@ampcode.com"), "jackin#138", "2026-11";
    "amp" Marked Address("amp@sourcegraph.com"), "mat-1/slopcheck", "2026-11";
    "amp" Marked Trailer { key: "ampthreadid", value: "" }, "jackin#138", "2026-11";
    "amp" Marked Link("https://ampcode.com/threads/t-"), "the link of that trailer", "2026-11";

    "opencode" Marked Address("noreply@opencode.ai"), "celaldrg/aiblame v0.1.1", "2026-11";
    "opencode" Hinted NotAddress("opencode@sst.dev"), "the bot that releases it, celaldrg/aiblame v0.1.1", "2026-11";
    "opencode" Marked Name("opencode"), "celaldrg/aiblame v0.1.1", "2026-11";

    "windsurf" Marked Address("noreply@windsurf.com"), "git-ai-project/git-ai, agent_detection.rs", "2026-11";
    "windsurf" Marked Address("noreply@codeium.com"), "git-ai-project/git-ai, agent_detection.rs", "2026-11";
    "windsurf" Marked Account { id: 189_301_087, logins: &["windsurf-bot[bot]"] }, "theammir/vibesigns.nvim, README", "2026-11";
    "windsurf" Marked Name("windsurf"), "git-ai-project/git-ai, agent_detection.rs", "2026-11";

    "roo" Marked Address("roomote@roocode.com"), "git-ai-project/git-ai, agent_detection.rs", "2026-11";
    "roo" Marked Account { id: 263_205_322, logins: &["roomote[bot]"] }, "address list of a survey of R packages", "2026-11";
    "roo" Marked Name("roo code"), "git-ai-project/git-ai, agent_detection.rs", "2026-11";

    "other:amazon-q" Marked Account { id: 208_079_219, logins: &["amazon-q-developer[bot]", "amazon-q-developer"] }, "chaoss/ai-detection-action, detection/constants.go", "2026-11";
    "other:amazon-q" Marked Name("amazon q"), "feedback repository #7; no trailer of its own was found", "2026-11";
    "other:amazon-q" Marked Name("codewhisperer"), "Amazon Q Developer's name until 2024", "2026-11";
    "other:amazon-q" Hinted Branch("q-dev-issue-"), "pull requests of amazon-q-developer[bot]", "2026-11";

    "other:kiro" Marked Account { id: 244_629_292, logins: &["kiro-agent"] }, "the corpus of labelled commits", "2026-11";
    "other:kiro" Marked Account { id: 245_459_735, logins: &["kiro-agent[bot]"] }, "address list of a survey of R packages", "2026-11";
    "other:kiro" Marked Name("kiro agent"), "the corpus of labelled commits", "2026-11";
    "other:kiro" Marked AlsoName("kiro"), "people are called that, too", "2026-11";

    "other:posthog-code" Declared Trailer { key: "generatedby", value: "posthog code" }, "PostHog/code#1431", "2026-11";

    "other:coderabbit" Marked Account { id: 136_622_811, logins: &["coderabbitai[bot]"] }, "commits that accept its suggestions, and its own", "2026-11";
    "other:coderabbit" Marked Name("coderabbit"), "as above", "2026-11";

    "other:greptile" Marked Account { id: 165_735_046, logins: &["greptile-apps[bot]"] }, "commits that accept its suggestions", "2026-11";

    "other:openhands" Marked Address("openhands@all-hands.dev"), "All-Hands-AI/OpenHands", "2026-11";
    "other:openhands" Marked Name("openhands"), "All-Hands-AI/OpenHands", "2026-11";
    "other:openhands" Hinted Branch("openhands-fix-"), "pull requests of OpenHands' resolver", "2026-11";

    "other:qwen-code" Marked Address("qwen-coder@alibabacloud.com"), "QwenLM/qwen-code", "2026-11";
    "other:qwen-code" Marked Name("qwen-coder"), "QwenLM/qwen-code", "2026-11";
    "other:qwen-code" Marked Name("qwen-code"), "QwenLM/qwen-code", "2026-11";
    "other:qwen-code" Marked Name("qwen code"), "QwenLM/qwen-code", "2026-11";

    "other:replit" Marked Trailer { key: "replitcommitauthor", value: "agent" }, "chaoss/ai-detection-action, detection/constants.go", "2026-11";
    "other:replit" Marked Trailer { key: "replitcommitauthor", value: "assistant" }, "chaoss/ai-detection-action, detection/constants.go", "2026-11";
    "other:replit" Marked Address("agent@replit.com"), "theammir/vibesigns.nvim, README", "2026-11";

    "other:orbis" Declared Line("automated dependency upgrade by orbis security ai"), "the corpus of labelled commits", "2026-11";

    "other:warp" Marked Address("oz-agent@warp.dev"), "the corpus of labelled commits", "2026-11";
    "other:warp" Marked Address("agent@warp.dev"), "theammir/vibesigns.nvim, README", "2026-11";

    "other:junie" Marked Address("junie@jetbrains.com"), "theammir/vibesigns.nvim, README", "2026-11";

    "other:zed" Marked Address("assistant@zed.dev"), "theammir/vibesigns.nvim, README", "2026-11";

    "other:v0" Marked Login("v0[bot]"), "theammir/vibesigns.nvim, README", "2026-11";

    "other:cline" Marked Account { id: 205_137_888, logins: &["cline[bot]"] }, "chaoss/ai-detection-action, detection/constants.go", "2026-11";

    "other:continue" Marked Account { id: 230_936_708, logins: &["continue[bot]"] }, "chaoss/ai-detection-action, detection/constants.go", "2026-11";

    "other:cody" Marked Account { id: 201_248_094, logins: &["sourcegraph-cody[bot]"] }, "chaoss/ai-detection-action, detection/constants.go", "2026-11";

    "other:jetbrains-ai" Marked Account { id: 220_155_983, logins: &["jetbrains-ai[bot]"] }, "chaoss/ai-detection-action, detection/constants.go", "2026-11";

    "other:kilo-code" Marked Account { id: 240_665_456, logins: &["kilo-code-bot[bot]"] }, "theammir/vibesigns.nvim, README", "2026-11";

    "other:openclaw" Marked Name("openclaw"), "the corpus of labelled commits", "2026-11";
    "other:openclaw" Marked Name("clawdbot"), "OpenClaw's name before", "2026-11";

    "other:antigravity" Marked Name("antigravity"), "the corpus of labelled commits", "2026-11";
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
            assert_eq!(rule.tool().id(), rule.tool, "one id each");
            let (year, month) = rule.checked.split_once('-').unwrap();
            assert!(year.len() == 4 && month.len() == 2, "{rule:?}");
        }
    }

    #[test]
    fn the_table_is_written_as_it_is_compared() {
        for rule in RULES {
            let texts: Vec<&str> = match rule.sign {
                Address(text) | NotAddress(text) | Vendor(text) | Link(text) | Login(text)
                | Suffix(text) | Name(text) | AlsoName(text) | Line(text) | Branch(text) => {
                    vec![text]
                }
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
