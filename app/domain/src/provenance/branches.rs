//! Hints in the names of branches: agents give theirs a shape, and people name theirs after what they work on.

use super::{
    Found,
    lines::Line,
    table::{RULES, Rule, Sign},
};

/// Whose branches are called so. `owner/` may stand before it, as in the message of a merge.
pub(super) fn hint(name: &str) -> Option<Found> {
    let name = name.trim().to_lowercase();
    let behind_owner = name.split_once('/').map_or("", |(_, rest)| rest);
    let rule = RULES
        .iter()
        .find(|rule| fits(rule, &name) || fits(rule, behind_owner))?;
    Some(Found::by(rule, ""))
}

fn fits(rule: &Rule, name: &str) -> bool {
    let Sign::Branch(begin) = rule.sign else {
        return false;
    };
    let Some(rest) = name.strip_prefix(begin) else {
        return false;
    };
    // Behind a word alone the number of a task has to follow somewhere: `jules-verne` is a topic.
    let last = rest.rsplit('-').next().unwrap_or_default();
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    !rest.is_empty() && (begin.ends_with('/') || is_number)
}

/// The branch that a merge's subject says it merged: `Merge pull request #7 from ana/codex/fix`, `Merge branch 'codex/fix' into …`.
pub(super) fn merged<'a>(subject: Line<'a>) -> Option<&'a str> {
    let rest = subject.text.trim().strip_prefix("Merge ")?;
    if let Some((_, from)) = rest
        .strip_prefix("pull request #")
        .and_then(|rest| rest.split_once(" from "))
    {
        return from.split_whitespace().next();
    }
    let (_, quoted) = rest.split_once("branch '")?;
    let (branch, _) = quoted.split_once('\'')?;
    Some(branch.strip_prefix("origin/").unwrap_or(branch))
}

#[cfg(test)]
mod tests {
    use super::super::Strength;
    use super::*;

    fn hinted(name: &str) -> Option<String> {
        let found = hint(name)?;
        assert_eq!(found.strength, Strength::Hinted);
        Some(found.tool.id().into_owned())
    }

    #[test]
    fn branches_of_agents_are_hints() {
        for (name, tool) in [
            ("codex/fix-the-fee", "codex"),
            ("Copilot/fix-the-fee", "copilot"),
            ("claude/fix-the-fee", "claude-code"),
            ("cursor/bc-06fe0d51", "cursor"),
            ("devin/1775068693-sentry", "devin"),
            ("ana/jules-add-logging-5378616947314479551", "jules"),
            ("Q-DEV-issue-12-1740000000", "other:amazon-q"),
            ("openhands-fix-issue-7", "other:openhands"),
        ] {
            assert_eq!(hinted(name).as_deref(), Some(tool), "{name}");
        }
    }

    #[test]
    fn branches_about_a_tool_are_not() {
        for name in [
            "devin-dismiss-reviews",
            "jules-verne",
            "fix/copilot-detection-patch-dec-18-2025",
            "feat/cursor-to-jsonl",
            "revert-1-codex/fix",
            "setup-claude-md",
            "codex/",
            "main",
            "",
        ] {
            assert_eq!(hinted(name), None, "{name}");
        }
    }

    #[test]
    fn a_merge_says_which_branch_it_merged() {
        for (subject, branch) in [
            (
                "Merge pull request #7 from ana/codex/fix",
                Some("ana/codex/fix"),
            ),
            ("Merge branch 'codex/fix' into main", Some("codex/fix")),
            (
                "Merge remote-tracking branch 'origin/codex/fix'",
                Some("codex/fix"),
            ),
            ("Merge what is left", None),
            ("Pay from ana/codex/fix", None),
        ] {
            let line = Line {
                number: 1,
                text: subject,
            };
            assert_eq!(merged(line), branch, "{subject}");
        }
    }
}
