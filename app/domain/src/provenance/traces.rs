//! Agent Trace records (0.1.0): which lines of which files came out of which conversation, as the tool recorded it.

use super::{
    Found, Strength, Tool,
    notes::Fault,
    ranges, words,
    written::{Claim, Ranges},
};
use serde::Deserialize;

/// The largest record that is read, in bytes.
pub const MOST_TRACE: usize = 1_000_000;

/// A record that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    revision: Option<String>,
    found: Vec<(String, Found)>,
    /// What it says of single lines.
    pub(super) claims: Vec<Claim>,
}

impl Trace {
    /// Reads one record.
    ///
    /// # Errors
    /// [`Fault`] where it is none, or says what cannot be.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = |what| Fault { line: 1, what };
        if text.len() > MOST_TRACE {
            return Err(fault("is a record of more than a million bytes"));
        }
        let record: Record =
            serde_json::from_str(text).map_err(|_| fault("is no record of Agent Trace"))?;
        if record.files.iter().any(File::is_absurd) {
            return Err(fault("names lines that no file has"));
        }
        Ok(Self {
            found: record.found(),
            claims: record.claims(),
            revision: record.vcs.and_then(|vcs| vcs.revision),
        })
    }

    /// The commit that it is about, where it says so.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// What it says of tools. One that names no commit may be about another change.
    pub(super) fn found(&self) -> impl Iterator<Item = (String, Found)> + '_ {
        let elsewhere = self.revision.is_none();
        self.found.iter().cloned().map(move |(text, mut found)| {
            if elsewhere {
                found.strength = Strength::Hinted;
            }
            (text, found)
        })
    }
}

#[derive(Debug, Deserialize)]
struct Record {
    #[expect(
        dead_code,
        reason = "asked for, so that other JSON is not taken for a record"
    )]
    version: String,
    id: String,
    #[expect(dead_code, reason = "as above")]
    timestamp: String,
    files: Vec<File>,
    vcs: Option<Vcs>,
    tool: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Vcs {
    revision: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    #[serde(default)]
    conversations: Vec<Conversation>,
}

#[derive(Debug, Deserialize)]
struct Conversation {
    url: Option<String>,
    contributor: Option<Contributor>,
    #[serde(default)]
    ranges: Vec<Range>,
}

#[derive(Debug, Deserialize)]
struct Range {
    start_line: u32,
    end_line: u32,
    contributor: Option<Contributor>,
}

#[derive(Debug, Clone, Deserialize)]
struct Contributor {
    #[serde(rename = "type")]
    kind: String,
    model_id: Option<String>,
}

impl Contributor {
    fn is_tool(&self) -> bool {
        matches!(self.kind.as_str(), "ai" | "mixed")
    }
}

impl File {
    fn is_absurd(&self) -> bool {
        let mut ranges = self.conversations.iter().flat_map(|one| &one.ranges);
        ranges.any(|range| !ranges::is_range(range.start_line, range.end_line))
    }
}

impl Record {
    fn claims(&self) -> Vec<Claim> {
        let named = self.tool();
        let mut all = Vec::new();
        for file in &self.files {
            for conversation in &file.conversations {
                let Some((by, ranges)) = conversation.by_tool() else {
                    continue;
                };
                let found = found(named.as_ref(), by);
                all.push(Claim {
                    path: file.path.clone(),
                    session: conversation.url.clone().unwrap_or_else(|| self.id.clone()),
                    tool: found.tool,
                    model: found.model,
                    prompter: None,
                    ranges,
                });
            }
        }
        all
    }

    fn tool(&self) -> Option<Tool> {
        let tool = self.tool.as_ref()?;
        Tool::parse(tool.name.as_deref()?)
    }

    fn found(&self) -> Vec<(String, Found)> {
        let named = self.tool();
        let mut all: Vec<(String, Found)> = Vec::new();
        for file in &self.files {
            for conversation in &file.conversations {
                let Some((by, ranges)) = conversation.by_tool() else {
                    continue;
                };
                let found = found(named.as_ref(), by);
                let lines = ranges.iter().take(MOST_SHOWN);
                let lines: Vec<String> = lines.map(|(from, to)| format!("{from}-{to}")).collect();
                let text = format!("{} {}", file.path, lines.join(","));
                let text = text.trim_end().to_owned();
                let room = all.len() < super::MOST_MARKS;
                match all.iter_mut().find(|(_, known)| *known == found) {
                    Some((known, _)) if known.len() < super::MOST_TEXT => {
                        known.push_str("; ");
                        known.push_str(&text);
                    }
                    None if room => all.push((text, found)),
                    Some(_) | None => {}
                }
            }
        }
        all
    }
}

fn found(named: Option<&Tool>, by: &Contributor) -> Found {
    let model = by.model_id.clone().filter(|model| model.len() <= 80);
    // `anthropic/claude-opus-4-5-20251101`
    let of_model = || words::tool_in(model.as_deref()?).map(|named| named.tool);
    Found {
        tool: named
            .cloned()
            .or_else(of_model)
            .unwrap_or_else(Tool::unspecified),
        model,
        strength: Strength::Declared,
    }
}

/// How many ranges of a conversation are shown in its mark.
const MOST_SHOWN: usize = 50;

impl Conversation {
    /// Whose it is if a tool's, and the lines of it that are. What a range says of its own goes before what the conversation says.
    fn by_tool(&self) -> Option<(&Contributor, Ranges)> {
        let of = |range: &'_ Range| range.contributor.is_some();
        let own = self.ranges.iter().filter(|range| of(range));
        let whole = self.contributor.as_ref().filter(|by| by.is_tool());
        let by = own
            .filter_map(|range| range.contributor.as_ref())
            .find(|by| by.is_tool())
            .or(whole)?;
        let is_tools = |range: &&Range| {
            range
                .contributor
                .as_ref()
                .map_or(whole.is_some(), Contributor::is_tool)
        };
        let lines = self.ranges.iter().filter(is_tools);
        let lines = lines.map(|range| (range.start_line, range.end_line));
        Some((by, lines.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(rest: &str) -> String {
        format!(
            r#"{{"version":"0.1.0","id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"2026-01-23T14:30:00Z",{rest}}}"#
        )
    }

    fn said(rest: &str) -> Vec<String> {
        let trace = Trace::parse(&record(rest)).unwrap();
        let found = trace.found();
        found
            .map(|(text, found)| {
                format!(
                    "{} {} {:?}: {text}",
                    found.strength.as_str(),
                    found.tool,
                    found.model.as_deref()
                )
            })
            .collect()
    }

    const AT: &str = r#""vcs":{"type":"git","revision":"a1b2"}"#;

    #[test]
    fn conversations_with_a_tool_are_declared_by_it() {
        let files = r#""files":[{"path":"src/fee.rs","conversations":[
            {"url":"https://x.example/1","contributor":{"type":"ai","model_id":"anthropic/claude-opus-4-5-20251101"},"ranges":[{"start_line":42,"end_line":67,"content_hash":"murmur3:9f2e8a1b"}],"related":[{"type":"session","url":"x"}]},
            {"contributor":{"type":"human"},"ranges":[{"start_line":1,"end_line":2}]}]},
            {"path":"src/other.rs","conversations":[{"contributor":{"type":"mixed","model_id":"anthropic/claude-opus-4-5-20251101"},"ranges":[]}]}]"#;
        assert_eq!(
            said(&format!(
                r#"{AT},"tool":{{"name":"cursor","version":"2.4.0"}},"metadata":{{"x":1}},{files}"#
            )),
            [
                r#"declared cursor Some("anthropic/claude-opus-4-5-20251101"): src/fee.rs 42-67; src/other.rs"#
            ]
        );
        assert_eq!(
            said(&format!("{AT},{files}")),
            [
                r#"declared claude-code Some("anthropic/claude-opus-4-5-20251101"): src/fee.rs 42-67; src/other.rs"#
            ]
        );
        assert!(
            said(files)[0].starts_with("hinted"),
            "of which commit it does not say"
        );
    }

    #[test]
    fn a_range_may_have_another_contributor_than_its_conversation() {
        let files = r#""files":[{"path":"a.rs","conversations":[{"contributor":{"type":"human"},"ranges":[
            {"start_line":1,"end_line":2},{"start_line":3,"end_line":4,"contributor":{"type":"ai"}}]}]}]"#;
        assert_eq!(
            said(&format!("{AT},{files}")),
            ["declared other:unspecified None: a.rs 3-4"]
        );
        let nobody = r#""files":[{"path":"a.rs","conversations":[{"contributor":{"type":"unknown"},"ranges":[]},{"ranges":[]}]},{"path":"b.rs"}]"#;
        assert!(said(&format!("{AT},{nobody}")).is_empty());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let range = |from: &str, to: &str| {
            record(&format!(
                r#""files":[{{"path":"a","conversations":[{{"ranges":[{{"start_line":{from},"end_line":{to}}}]}}]}}]"#
            ))
        };
        for text in [
            String::new(),
            "{}".to_owned(),
            record(r#""x":1"#),
            range("0", "1"),
            range("5", "4"),
            range("1", "4294967295"),
            range("-1", "1"),
            "[".repeat(100_000),
            record(&format!(r#""files":{}"#, "[".repeat(100_000))),
            record(&format!(
                r#""metadata":"{}","files":[]"#,
                "x".repeat(MOST_TRACE)
            )),
        ] {
            assert!(Trace::parse(&text).is_err(), "{:.80}", text);
        }
    }
}
