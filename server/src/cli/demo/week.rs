//! What happens in the demo week, as read from `week/*.toml`.

use anyhow::Context;
use serde::Deserialize;
use std::collections::BTreeMap;

const PEOPLE: &str = include_str!("week/people.toml");
const REPOSITORIES: &[&str] = &[
    include_str!("week/ledger-core.toml"),
    include_str!("week/sepa-gateway.toml"),
    include_str!("week/fraud-rules.toml"),
    include_str!("week/web-checkout.toml"),
    include_str!("week/terraform-live.toml"),
    include_str!("week/runbooks.toml"),
];

/// All of it.
pub struct Week {
    /// `Name <address>` by login.
    pub people: BTreeMap<String, String>,
    pub repositories: Vec<Script>,
}

/// One repository: what is in it at first, and the changes of the week.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    pub name: String,
    #[serde(rename = "file")]
    pub files: Vec<File>,
    #[serde(rename = "change")]
    pub changes: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub file: String,
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub key: String,
    pub title: String,
    pub author: String,
    /// How long before the end of the week, such as `6d5h`.
    ago: String,
    branch: Option<String>,
    /// The change that this one is stacked upon.
    pub onto: Option<String>,
    #[serde(default)]
    pub draft: bool,
    /// The tool that the submission names.
    pub declare: Option<String>,
    /// Somebody submits another patch for the same commits afterwards.
    #[serde(default)]
    pub other_patch: bool,
    /// What people decide in the end.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    #[serde(rename = "commit")]
    pub commits: Vec<Commit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Who made it, if not the change's author.
    pub by: Option<String>,
    pub tool: Option<Tool>,
    pub message: String,
    /// What people decide about this state of the change, before the next commit.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    #[serde(rename = "edit")]
    pub edits: Vec<Edit>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    Claude,
    Copilot,
    Cursor,
}

/// What happens to one file.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Edit {
    Replace {
        file: String,
        old: String,
        new: String,
    },
    Write {
        file: String,
        text: String,
    },
    Append {
        file: String,
        append: String,
    },
    Rename {
        file: String,
        rename: String,
    },
    Delete {
        delete: String,
    },
    Executable {
        executable: String,
    },
    Link {
        file: String,
        link: String,
    },
    Submodule {
        file: String,
        submodule: String,
        at: String,
    },
    /// So many bytes that are no text.
    Binary {
        file: String,
        bytes: u32,
    },
    /// A generated table with so many lines.
    Table {
        file: String,
        lines: u32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    pub by: String,
    /// The reason, under the name of what is decided.
    approve: Option<String>,
    reject: Option<String>,
    #[serde(rename = "override")]
    overrides: Option<String>,
    pub incident: Option<String>,
}

impl Week {
    /// Reads what is built in.
    pub fn read() -> anyhow::Result<Self> {
        let read = |text| toml::from_str::<Script>(text).context("a repository of the demo");
        Ok(Self {
            people: toml::from_str(PEOPLE).context("the people of the demo")?,
            repositories: REPOSITORIES
                .iter()
                .map(|text| read(text))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Every change with its repository, the oldest first.
    pub fn in_order(&self) -> Vec<(&str, &Change)> {
        let mut all: Vec<(&str, &Change)> = self
            .repositories
            .iter()
            .flat_map(|script| {
                script
                    .changes
                    .iter()
                    .map(|change| (script.name.as_str(), change))
            })
            .collect();
        all.sort_by_key(|(_, change)| std::cmp::Reverse(change.seconds_ago()));
        all
    }

    /// The change of that repository with that key.
    pub fn change(&self, repository: &str, key: &str) -> anyhow::Result<&Change> {
        self.repositories
            .iter()
            .filter(|script| script.name == repository)
            .flat_map(|script| &script.changes)
            .find(|change| change.key == key)
            .with_context(|| format!("{repository} has no change {key}"))
    }

    /// Name and address of somebody.
    pub fn person(&self, login: &str) -> anyhow::Result<(&str, &str)> {
        self.people
            .get(login)
            .and_then(|text| text.strip_suffix('>')?.split_once(" <"))
            .with_context(|| format!("nobody at Halden is called {login}"))
    }
}

impl Change {
    /// The branch that it is made on.
    pub fn branch(&self) -> String {
        self.branch
            .clone()
            .unwrap_or_else(|| format!("{}/{}", self.author, self.key))
    }

    /// How long before the end of the week its first commit was made.
    pub fn seconds_ago(&self) -> i64 {
        let mut rest = self.ago.as_str();
        let mut seconds = 0;
        for (unit, length) in [('d', 86_400), ('h', 3_600)] {
            if let Some((number, after)) = rest.split_once(unit) {
                seconds += number.parse().unwrap_or(0) * length;
                rest = after;
            }
        }
        seconds
    }
}

impl Tool {
    /// What the tool leaves at the end of a message.
    pub fn trailer(self) -> &'static str {
        match self {
            Tool::Claude => {
                "🤖 Generated with [Claude Code](https://claude.com/claude-code)\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
            }
            Tool::Copilot => "Co-authored-by: Copilot <175728472+Copilot@users.noreply.github.com>",
            Tool::Cursor => "Co-authored-by: Cursor <cursoragent@cursor.com>",
        }
    }
}

impl Decision {
    /// What is decided, as the form names it, and why.
    pub fn kind_and_reason(&self) -> Option<(&'static str, &str)> {
        let acts = [
            ("approve", &self.approve),
            ("reject", &self.reject),
            ("override", &self.overrides),
        ];
        acts.into_iter()
            .find_map(|(kind, reason)| Some((kind, reason.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_is_as_rich_as_it_is_meant_to_be() {
        let week = Week::read().unwrap();
        let changes = week.in_order();
        assert!(changes.len() >= 40, "{}", changes.len());
        for (repository, change) in &changes {
            assert!(change.seconds_ago() >= 3_600, "{repository} {}", change.key);
            assert!(!change.commits.is_empty());
            week.person(&change.author).unwrap();
            if let Some(onto) = &change.onto {
                assert!(
                    week.change(repository, onto).unwrap().seconds_ago() > change.seconds_ago()
                );
            }
            for decision in change
                .commits
                .iter()
                .flat_map(|c| &c.decisions)
                .chain(&change.decisions)
            {
                assert!(decision.kind_and_reason().is_some());
                assert_ne!(decision.by, change.author);
            }
        }
        assert!(changes.iter().any(|(_, change)| change.other_patch));
        assert!(changes.iter().any(|(_, change)| change.onto.is_some()));
    }

    #[test]
    fn ages_are_days_and_hours() {
        let week = Week::read().unwrap();
        assert_eq!(
            week.change("payments/ledger-core", "1184")
                .unwrap()
                .seconds_ago(),
            (6 * 24 + 5) * 3600
        );
        assert_eq!(
            week.change("payments/ledger-core", "1195")
                .unwrap()
                .seconds_ago(),
            4 * 3600
        );
    }
}
