//! What looks like a tool's mark and is none, and what hides one: a test for each kind.

use super::*;

fn unknown(author: &str, message: &str) {
    let marks = marks(
        &[commit(author, "GitHub <noreply@github.com>", message)],
        None,
    );
    assert_eq!(
        provenance(&marks),
        Provenance::Unknown,
        "{author} {message}\n{marks:?}"
    );
}

#[test]
fn people_who_work_at_a_vendor_are_people() {
    for who in [
        "Leila Garrow <leila.garrow@anthropic.com>",
        "Ashwin <ashwin@anthropic.com>",
        "Tim Bray <timbray@amazon.com>",
        "Greta <greta.navarro@google.com>",
        "Devin <devin@openai.com>",
        "Kiro <kiro@amazon.com>",
    ] {
        unknown(
            who,
            &format!("Fix\n\nCo-authored-by: {who}\nSigned-off-by: {who}\nReviewed-by: {who}\n"),
        );
    }
}

#[test]
fn people_who_are_called_like_a_tool_are_people() {
    for who in [
        "Claude Dupont <claude@dupont.example>",
        "Claude <claude@dupont.example>",
        "Claudio Kestrel <noreply@dupont.example>",
        "Devin Rendall <devin@stonemail57.example>",
        "Devin <devin@halden.example>",
        "Jules <jules@halden.example>",
        "Gemini Ibarra <gemini.ibarra@halden.example>",
        "Caspar Ai <caspar.ai@halden.example>",
        "Cody Mabry <cody@halden.example>",
        "Goose <goose@halden.example>",
        "Kiro Petrov <kiro@halden.example>",
        "Amp <amp@halden.example>",
        "dinaai-ai <dinaai-ai@users.noreply.github.com>",
    ] {
        unknown(
            who,
            &format!("Fix\n\nCo-authored-by: {who}\nSigned-off-by: {who}\nAssisted-by: {who}\n"),
        );
    }
}

#[test]
fn a_bot_that_releases_a_tool_is_not_the_tool() {
    for who in [
        "gemini-cli-robot <gemini-cli-robot@google.com>",
        "Gemini CLI <gemini-cli-robot@google.com>",
        "opencode <opencode@sst.dev>",
    ] {
        let marks = marks(&[commit(who, who, "chore(release): v0.55.0\n")], None);
        assert!(marks.is_empty(), "{who}: {marks:?}");
    }
}

#[test]
fn bots_that_are_no_ai_mark_nothing() {
    for who in [
        "renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>",
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "bors[bot] <26634292+bors[bot]@users.noreply.github.com>",
        "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>",
        "GitHub Actions <actions@github.com>",
        "Git AI Bot <bot@usegitai.com>",
        "Excavator Bot <33266368+svc-excavator-bot@users.noreply.github.com>",
        "github-advanced-security[bot] <62310815+github-advanced-security[bot]@users.noreply.github.com>",
    ] {
        unknown(
            who,
            &format!("Bump anthropics/claude-code-action to 1.0.117\n\nCo-authored-by: {who}\n"),
        );
    }
}

#[test]
fn an_agents_name_on_another_bots_number_is_a_hint() {
    let who = "claude[bot] <41898282+claude[bot]@users.noreply.github.com>";
    let marks = marks(&[commit(who, ANA, "Fix\n")], None);
    assert_eq!(marks[0].strength, Strength::Hinted);
    unknown(who, &format!("Fix\n\nCo-authored-by: {who}\n"));
}

#[test]
fn case_and_blanks_hide_nothing() {
    for line in [
        "CO-AUTHORED-BY: CLAUDE <NOREPLY@ANTHROPIC.COM>",
        "co-authored-by:claude<noreply@anthropic.com>",
        "  Co-Authored-By :  Claude  < noreply@anthropic.com > ",
        "assisted-BY: codex 5.3",
        "GENERATED WITH [CLAUDE CODE](https://claude.ai/code)",
        "CLAUDE-SESSION: HTTPS://CLAUDE.AI/CODE/session_01",
    ] {
        assert_eq!(
            by_ana(&format!("Fix\n\n{line}\n")),
            Provenance::Assisted,
            "{line}"
        );
    }
}

#[test]
fn a_squash_keeps_marks_in_the_middle_where_git_reads_no_trailers() {
    let blocks = [
        "* Pay once\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n\n* Fix typo\n\nBecause.",
        "* Pay once\n\n  Co-Authored-By: Claude\n   <noreply@anthropic.com>\n\n* Fix typo",
        "commit 1234567\n\n    Pay once\n\n    Assisted-by: Claude Code\n\ncommit 7654321\n\n    Fix typo",
        "- Pay once\r\n- Fix typo\r\n\r\n🤖 Generated with [Claude Code](https://claude.ai/code)\r\n\r\n---------\r\n\r\nCo-authored-by: Ben <b@x.example>",
    ];
    for block in blocks {
        let message = format!("Pay refunds (#7)\n\n{block}\n\nReviewed.\n");
        assert_eq!(by_ana(&message), Provenance::Assisted, "{block}");
    }
}

#[test]
fn a_mark_that_another_agent_copied_names_whom_it_names() {
    let author = "Codex <codex@openai.com>";
    let copied = commit(
        author,
        author,
        "Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n",
    );
    let tools: Vec<_> = tools(&marks(&[copied], None)).into_iter().collect();
    assert_eq!(tools, [Tool::ClaudeCode, Tool::Codex]);
}

#[test]
fn talk_about_tools_and_their_marks_is_no_mark() {
    for message in [
        "Revert \"chore: bump Claude Code to 2.1.21\"\n\nThis reverts commit 1.\n",
        "Detect marks\n\n- Claude regex anchors to noreply@anthropic.com\n- Added aider '(aider)' author suffix\n",
        "Require `Co-authored-by: Claude <noreply@anthropic.com>`\n\n> Co-authored-by: Claude <noreply@anthropic.com>\n",
        "AI usage: document the policy\n",
        "Prevent false positives\n\nThe pattern matched any Co-authored-by trailer whose\nvalue started with claude or cursor.\n",
        "Add CLAUDE.md and .cursor/rules\n\nMove the cursor; open the gemini constellation.\n",
        "Fix the amp\n\nThe droid jumps, the aider helps, kiro waits.\n",
    ] {
        unknown(ANA, message);
    }
}

#[test]
fn branches_alone_are_hints() {
    for branch in [
        "codex/investigate-and-fix",
        "copilot/sub-pr-369",
        "devin/1775068693-sentry",
        "ana/jules-add-5378616947314479551",
    ] {
        unknown(
            ANA,
            &format!("Merge pull request #1 from o/{branch}\n\nFix\n"),
        );
        unknown(ANA, &format!("Merge branch '{branch}' into main\n"));
    }
    unknown(ANA, "Merge branch 'develop' into devin-dismiss-reviews\n");
}
