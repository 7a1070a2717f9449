//! What git-ai writes beside a commit (`refs/notes/ai`, its standard 3.0.0): which lines of which file came out of which session.
//!
//! Attested lines, a line `---`, and JSON that says whose session it was.

use super::{
    Found, Strength, Tool, ranges,
    written::{Claim, Ranges},
};
use crate::names::CommitSha;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The largest note that is read, in bytes; those of real commits are a few thousand.
pub const MOST_NOTE: usize = 1_000_000;

/// A note that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whose commit it says that it is about.
    base: Option<String>,
    sessions: Vec<Session>,
    claims: Vec<Claim>,
    /// Names of people whom it says had a hand in the commit: who prompted, and who typed.
    pub(crate) people: Vec<(Hand, String)>,
}

/// How somebody had a hand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hand {
    Prompted,
    Typed,
}

/// One session with a tool, and what came out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Session {
    tool: Tool,
    model: Option<String>,
    human: Option<String>,
    /// The first line of the note that attests something to it.
    line: Option<u32>,
    /// `src/fee.rs 1-4,9`
    attested: Vec<String>,
}

/// Why something cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {what}")]
pub struct Fault {
    /// From 1.
    pub line: u32,
    pub what: &'static str,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`Fault`] where it is none, or says what cannot be.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MOST_NOTE {
            return Err(fault(1, "is the first of more than a million bytes"));
        }
        let mut attested = Attested::default();
        let mut json = String::new();
        let mut lines = text.lines().zip(1..);
        let mut begin = 1;
        for (line, number) in lines.by_ref() {
            begin = number;
            if line == "---" {
                break;
            }
            // Nothing is attested, and the line between was left out.
            if line.starts_with('{') {
                json.push_str(line);
                break;
            }
            attested.read(line, number)?;
        }
        for (line, _) in lines {
            json.push_str(line);
            json.push('\n');
        }
        let said: Said = serde_json::from_str(&json)
            .map_err(|_| fault(begin, "is not followed by JSON of a git-ai note"))?;
        if !said.schema_version.starts_with("authorship/3.") {
            return Err(fault(
                begin,
                "is followed by JSON of another version than authorship/3",
            ));
        }
        Ok(attested.with(said))
    }

    /// What it says of single lines of the commit; nothing if it was written for another one.
    pub(super) fn claims(&self, commit: &CommitSha) -> &[Claim] {
        if self.is_about_another(commit) {
            &[]
        } else {
            &self.claims
        }
    }

    fn is_about_another(&self, commit: &CommitSha) -> bool {
        let base = self.base.as_deref();
        base.is_some_and(|base| base != commit.as_str())
    }

    /// What it says of tools. A note that was written for another commit says little about this one.
    pub(super) fn found(&self, commit: &CommitSha) -> Vec<(Option<u32>, String, Found)> {
        let elsewhere = self.is_about_another(commit);
        let of_session = |session: &Session| {
            let strength = if elsewhere || session.attested.is_empty() {
                Strength::Hinted
            } else {
                Strength::Declared
            };
            let found = Found {
                tool: session.tool.clone(),
                model: session.model.clone(),
                strength,
            };
            (session.line, session.text(), found)
        };
        self.sessions.iter().map(of_session).collect()
    }
}

impl Session {
    fn text(&self) -> String {
        let lines = self.attested.join("; ");
        let lines = if lines.is_empty() {
            "no line is left"
        } else {
            &lines
        };
        match &self.human {
            Some(human) => format!("{lines} (prompted by {human})"),
            None => lines.to_owned(),
        }
    }
}

fn fault(line: u32, what: &'static str) -> Fault {
    Fault { line, what }
}

/// The lines above `---`, by the key of the session.
#[derive(Debug, Default)]
struct Attested {
    file: Option<String>,
    by_key: BTreeMap<String, Attestation>,
}

/// What is attested to one session.
#[derive(Debug)]
struct Attestation {
    /// The first line of the note that does.
    line: u32,
    /// `src/fee.rs 1-4,9`
    shown: Vec<String>,
    lines: Vec<(String, Ranges)>,
}

/// More of one session are not kept; they would not be shown.
const MOST_FILES: usize = 20;

impl Attested {
    fn read(&mut self, line: &str, number: u32) -> Result<(), Fault> {
        let Some(entry) = line.strip_prefix("  ") else {
            let file = line.trim_end();
            let unquoted = file
                .strip_prefix('"')
                .and_then(|file| file.strip_suffix('"'));
            if !file.is_empty() {
                self.file = Some(unquoted.unwrap_or(file).to_owned());
            }
            return Ok(());
        };
        let Some(file) = &self.file else {
            return Err(fault(number, "attests lines of no file"));
        };
        let Some((key, lines)) = entry.trim().split_once(' ') else {
            return Err(fault(number, "names no lines"));
        };
        let Some(ranges) = ranges::lines(lines) else {
            return Err(fault(number, "names lines that no file has"));
        };
        let session = key.split("::").next().unwrap_or(key);
        if !session.starts_with("h_") {
            let attestation = self
                .by_key
                .entry(session.to_owned())
                .or_insert(Attestation {
                    line: number,
                    shown: Vec::new(),
                    lines: Vec::new(),
                });
            if attestation.shown.len() < MOST_FILES {
                attestation.shown.push(format!("{file} {lines}"));
            }
            attestation.lines.push((file.clone(), ranges));
        }
        Ok(())
    }

    fn with(mut self, said: Said) -> Note {
        let mut people: Vec<(Hand, String)> = Vec::new();
        let (mut sessions, mut claims) = (Vec::new(), Vec::new());
        for (key, prompt) in said.prompts.into_iter().chain(said.sessions) {
            people.extend(
                prompt
                    .human_author
                    .clone()
                    .map(|human| (Hand::Prompted, human)),
            );
            let attested = self.by_key.remove(&key);
            sessions.push(prompt.session(&key, attested, &mut claims));
        }
        // Lines of a session that nothing is said of: some tool's, all the same.
        for (key, attested) in self.by_key {
            sessions.push(Prompt::default().session(&key, Some(attested), &mut claims));
        }
        people.extend(
            said.humans
                .into_values()
                .filter_map(|human| Some((Hand::Typed, human.author?))),
        );
        people.retain(|(_, name)| !name.trim().is_empty());
        people.dedup();
        Note {
            base: said.base_commit_sha,
            sessions,
            claims,
            people,
        }
    }
}

/// The JSON of a note; missing maps are empty.
#[derive(Debug, Deserialize)]
struct Said {
    schema_version: String,
    base_commit_sha: Option<String>,
    #[serde(default)]
    prompts: BTreeMap<String, Prompt>,
    #[serde(default)]
    sessions: BTreeMap<String, Prompt>,
    #[serde(default)]
    humans: BTreeMap<String, Human>,
}

#[derive(Debug, Default, Deserialize)]
struct Prompt {
    agent_id: Option<Agent>,
    human_author: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Agent {
    tool: Option<String>,
    model: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Human {
    author: Option<String>,
}

impl Prompt {
    /// The session, and beside it what is claimed of its lines.
    fn session(self, key: &str, attested: Option<Attestation>, claims: &mut Vec<Claim>) -> Session {
        let agent = self.agent_id;
        let tool = agent
            .as_ref()
            .and_then(|agent| Tool::parse(agent.tool.as_deref()?));
        let mut session = Session {
            tool: tool.unwrap_or_else(Tool::unspecified),
            model: agent
                .and_then(|agent| agent.model)
                .filter(|model| !model.is_empty() && model.len() <= 80),
            human: self.human_author,
            line: None,
            attested: Vec::new(),
        };
        if let Some(attested) = attested {
            session.line = Some(attested.line);
            session.attested = attested.shown;
            let claim = |(path, ranges)| Claim {
                path,
                session: key.to_owned(),
                tool: session.tool.clone(),
                model: session.model.clone(),
                prompter: session.human.clone(),
                ranges,
            };
            claims.extend(attested.lines.into_iter().map(claim));
        }
        session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "ae20f6f29e22293875cbfa6e6252db59360d960a";

    fn note(above: &str, json: &str) -> String {
        format!(
            "{above}---\n{{\"schema_version\":\"authorship/3.0.0\",\"base_commit_sha\":\"{COMMIT}\",{json}}}"
        )
    }

    fn said(text: &str) -> Vec<String> {
        let commit = CommitSha::parse(COMMIT).unwrap();
        let found = Note::parse(text).unwrap().found(&commit).into_iter();
        found
            .map(|(line, text, found)| {
                let model = found.model.unwrap_or_default();
                format!(
                    "{} {} {model} {line:?}: {text}",
                    found.strength.as_str(),
                    found.tool
                )
            })
            .collect()
    }

    /// As git-ai 1.3.4 wrote it, with other names.
    #[test]
    fn prompts_and_sessions_are_declared_by_the_tool_and_lines_of_humans_are_not() {
        let above = "test.json\n  h_dca485b1adf836 3-4,7-14\n  d4a7828bfdafe456 5-6\n\"two words.mjs\"\n  s_a76964380084ef::t_a3a130d3e145e3 28\n  d4a7828bfdafe456 1\n";
        let json = r#""git_ai_version":"1.3.4","prompts":{"d4a7828bfdafe456":{"agent_id":{"tool":"claude","id":"x","model":"claude-opus-4-7"},"human_author":"Ana <ana@halden.example>","messages":[],"total_additions":3,"overriden_lines":1}},
            "sessions":{"s_a76964380084ef":{"agent_id":{"tool":"cursor","id":"y","model":""}}},"humans":{"h_dca485b1adf836":{"author":"Li"}}"#;
        assert_eq!(
            said(&note(above, json)),
            [
                "declared claude-code claude-opus-4-7 Some(3): test.json 5-6; two words.mjs 1 (prompted by Ana <ana@halden.example>)",
                "declared cursor  Some(5): two words.mjs 28",
            ]
        );
        let people = Note::parse(&note(above, json)).unwrap().people;
        assert_eq!(
            people,
            [
                (Hand::Prompted, "Ana <ana@halden.example>".to_owned()),
                (Hand::Typed, "Li".to_owned())
            ]
        );
    }

    #[test]
    fn missing_maps_are_empty_and_an_untold_session_is_some_tools() {
        assert!(said(&note("", "\"prompts\":{}")).is_empty());
        assert!(
            said("{\"schema_version\":\"authorship/3.0.0\",\"base_commit_sha\":\"x\"}").is_empty()
        );
        assert_eq!(
            said(&note("a.rs\n  0123456789abcdef 1-4,9\n", "\"humans\":{}")),
            ["declared other:unspecified  Some(2): a.rs 1-4,9"]
        );
        assert!(said(&note("a.rs\n  h_0123456789abcd 1\n", "\"prompts\":{}")).is_empty());
    }

    #[test]
    fn a_note_for_another_commit_or_without_a_line_is_a_hint() {
        let agent = r#""prompts":{"0123456":{"agent_id":{"tool":"codex"}}}"#;
        assert_eq!(
            said(&note("", agent)),
            ["hinted codex  None: no line is left"]
        );
        let copied = note("a.rs\n  0123456 1\n", agent).replace(COMMIT, &"b".repeat(40));
        assert_eq!(said(&copied), ["hinted codex  Some(2): a.rs 1"]);
    }

    #[test]
    fn what_is_no_note_is_refused_with_its_line() {
        for (text, line) in [
            (String::new(), 1),
            ("free text of somebody".to_owned(), 1),
            ("---\n{".to_owned(), 1),
            (
                "---\n{\"schema_version\":\"authorship/2.0.0\"}".to_owned(),
                1,
            ),
            (note("  d4a7 1\n", ""), 1),
            (note("a.rs\n  d4a7\n", ""), 2),
            (note("a.rs\n  d4a7 4-1\n", ""), 2),
            (note("a.rs\n  d4a7 0\n", ""), 2),
            (note("a.rs\n  d4a7 1-99999999999999999999\n", ""), 2),
            (format!("---\n{}", "[".repeat(100_000)), 1),
            (format!("---\n{}", "{\"prompts\":".repeat(50_000)), 1),
            ("x".repeat(MOST_NOTE + 1), 1),
        ] {
            let refused = Note::parse(&text).map_err(|fault| fault.line);
            assert_eq!(refused, Err(line), "{:.80}", text);
        }
    }
}
