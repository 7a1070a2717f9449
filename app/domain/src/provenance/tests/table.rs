//! Every row of the table finds its tool where it says, and not where it does not.

use super::*;
use crate::provenance::table::{RULES, Rule, Sign};

/// Commits that carry the mark of a row.
fn carrying(rule: &Rule) -> Vec<Commit> {
    let by = |who: &str| commit(who, ANA, "Fix\n");
    let says = |line: &str| commit(ANA, ANA, &format!("Fix\n\nBecause.\n\n{line}\n"));
    match rule.sign {
        Sign::Address(address) => vec![
            by(&format!("X <{address}>")),
            says(&format!("Co-authored-by: X <{}>", address.to_uppercase())),
        ],
        Sign::NotAddress(_) => Vec::new(),
        Sign::Account { id, logins } => {
            let no_reply = |login: &&str| by(&format!("X <{id}+{login}@users.noreply.github.com>"));
            logins.iter().map(no_reply).collect()
        }
        Sign::Login(login) => vec![by(&format!("X <7+{login}@users.noreply.github.com>"))],
        Sign::Named { id, name } => vec![by(&format!("{name} <{id}+x@users.noreply.github.com>"))],
        Sign::Vendor(domain) => {
            let tool = rule.tool();
            vec![by(&format!("{} <x@{domain}>", tool.name()))]
        }
        Sign::Suffix(suffix) => vec![by(&format!("Ana {suffix} <ana@halden.example>"))],
        Sign::Name(name) => vec![
            by(&format!("{name} <x@y.example>")),
            says(&format!("Assisted-by: {name}")),
        ],
        Sign::AlsoName(name) => vec![says(&format!("Assisted-by: {name}"))],
        Sign::Trailer { key, value } => vec![says(&format!("{key}: {value}1"))],
        Sign::Link(link) => vec![says(&format!("see {link}abc"))],
        Sign::Line(line) => vec![says(&format!("A{}", line.get(1..).unwrap()))],
        Sign::Branch(branch) => vec![commit(
            ANA,
            ANA,
            &format!("Merge pull request #7 from ana/{branch}fix-12\n"),
        )],
    }
}

#[test]
fn each_row_finds_its_tool_as_strongly_as_it_says() {
    for rule in RULES {
        for commit in carrying(rule) {
            let marks = marks(std::slice::from_ref(&commit), None);
            let found = marks
                .iter()
                .filter(|mark| mark.tool == rule.tool())
                .max_by_key(|mark| mark.strength);
            let strength = found.map(|mark| mark.strength);
            // Somebody who writes a name behind `Assisted-by` declares it.
            assert!(strength >= Some(rule.strength), "{rule:?}: {marks:?}");
            let assisted = provenance(&marks) == Provenance::Assisted;
            assert_eq!(assisted, rule.strength >= Strength::Marked, "{rule:?}");
        }
    }
}

#[test]
fn an_account_is_known_by_its_number_and_not_by_its_login_alone() {
    for rule in RULES {
        let Sign::Account { id, logins } = rule.sign else {
            continue;
        };
        let login = logins[0];
        for who in [
            format!("X <1{id}+{login}@users.noreply.github.com>"),
            format!("X <{id}+{login}@users.noreply.github.example>"),
            format!("X <{id}+{login}x@halden.example>"),
        ] {
            let marks = marks(&[commit(&who, ANA, "Fix\n")], None);
            assert_eq!(provenance(&marks), Provenance::Unknown, "{who}: {marks:?}");
        }
    }
}

#[test]
fn an_address_of_the_same_domain_or_beginning_is_not_the_tools() {
    for rule in RULES {
        let Sign::Address(address) = rule.sign else {
            continue;
        };
        for who in [
            format!("Ana <ana.{address}>"),
            format!("Ana <{address}.example>"),
            format!("Ana <{address}x>"),
        ] {
            let marks = marks(&[commit(&who, ANA, "Fix\n")], None);
            assert!(marks.is_empty(), "{who}: {marks:?}");
        }
    }
}

/// What one company's rule names: CodeWhisperer, which is Amazon Q now, and Kiro; Copilot; Claude.
#[test]
fn the_tools_that_the_rule_came_from_are_found_by_name() {
    for (line, tool) in [
        ("Assisted-by: CodeWhisperer", "other:amazon-q"),
        ("Assisted-by: Amazon CodeWhisperer", "other:amazon-q"),
        ("Assisted-by: Amazon Q Developer", "other:amazon-q"),
        ("🤖 Generated with Amazon Q", "other:amazon-q"),
        (
            "Co-authored-by: Amazon Q Developer <208079219+amazon-q-developer[bot]@users.noreply.github.com>",
            "other:amazon-q",
        ),
        ("Assisted-by: Kiro", "other:kiro"),
        (
            "Co-authored-by: Kiro Agent <244629292+kiro-agent@users.noreply.github.com>",
            "other:kiro",
        ),
        ("I used Kiro to write the tests.", "other:kiro"),
        ("Assisted-by: GitHub Copilot", "copilot"),
        (
            "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
            "copilot",
        ),
        ("Assisted-by: Claude Opus 4.8", "claude-code"),
        (
            "Co-Authored-By: Claude <noreply@anthropic.com>",
            "claude-code",
        ),
    ] {
        let marks = marks(&[commit(ANA, ANA, &format!("Fix\n\n{line}\n"))], None);
        assert_eq!(provenance(&marks), Provenance::Assisted, "{line}");
        let tools: Vec<_> = tools(&marks).into_iter().map(String::from).collect();
        assert_eq!(tools, [tool], "{line}");
    }
}
