//! Reads values out of TOML, and keeps what is wrong with each instead of stopping there.

use super::{Fault, MAX_BYTES, MOST_CHARACTERS, MOST_RULES, depth, words};
use crate::{
    ids::PersonId,
    policy::Document,
    provenance::Tool,
    text::{Segment, one_line, segments},
};
use std::ops::{Range, RangeInclusive};
use time::Duration;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A table all of whose keys are known, and where it stands.
pub(super) struct Table<'a, 't> {
    entries: &'a DeTable<'t>,
    pub(super) at: Range<usize>,
}

/// The text, and what is wrong with it so far.
pub(super) struct Reader {
    text: String,
    faults: Vec<Found>,
    /// Whether it is no TOML: then what is missing may just not have been understood.
    broken: bool,
}

/// A fault, by its place in bytes.
struct Found {
    at: usize,
    said: String,
    expected: String,
    nearest: Option<String>,
}

/// More are not kept: a bound on the work, far above [`Fault::MOST`].
const MOST_KEPT: usize = 2_000;

/// The longest piece of the text that a fault repeats, in characters.
const MOST_SAID: usize = 60;

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            faults: Vec::new(),
            broken: false,
        }
    }

    /// Reads the whole text, if it is one that can be read.
    pub(super) fn toml<T>(
        &mut self,
        text: &str,
        read: impl FnOnce(&mut Self, &Table<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        if text.len() > MAX_BYTES {
            self.fault(0..0, format!("a text of at most {MAX_BYTES} bytes"));
            return None;
        }
        self.hidden_characters(text);
        if let Some(at) = depth::too_deep(text) {
            self.fault(
                at,
                format!("at most {} brackets inside one another", depth::MOST),
            );
            return None;
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            self.broken = true;
            self.no_toml(error);
        }
        let table = Table {
            entries: root.get_ref(),
            at: 0..0,
        };
        self.known_keys(&table, words::DOCUMENT);
        read(self, &table)
    }

    /// What was read, if nothing is wrong with it.
    pub(super) fn finish(mut self, document: Option<Document>) -> Result<Document, Vec<Fault>> {
        match document {
            Some(document) if self.faults.is_empty() => return Ok(document),
            // Nothing is let through that nobody could read, even if nobody can say why.
            None if self.faults.is_empty() => self.fault(0..0, "a policy"),
            _ => {}
        }
        self.faults.sort_by_key(|fault| fault.at);
        let first = self.faults.into_iter().take(Fault::MOST);
        Err(first.map(|found| found.placed(&self.text)).collect())
    }

    /// Something that is not as it should be.
    pub(super) fn fault(&mut self, at: Range<usize>, expected: impl Into<String>) {
        self.wrong(at, expected.into(), None);
    }

    /// Something that ought to be in this table.
    pub(super) fn missing(&mut self, table: &Table<'_, '_>, expected: &str) {
        if !self.broken {
            self.fault(table.at.start..table.at.start, expected);
        }
    }

    /// A table with these keys and no others.
    pub(super) fn table<'a, 'v>(
        &mut self,
        value: &'a Value<'v>,
        keys: &[&str],
    ) -> Option<Table<'a, 'v>> {
        let Some(entries) = value.get_ref().as_table() else {
            let expected = format!("a table with {}", listed(keys));
            self.fault(value.span(), expected);
            return None;
        };
        let table = Table {
            entries,
            at: value.span(),
        };
        self.known_keys(&table, keys);
        Some(table)
    }

    /// Reads what stands under a key, if something does.
    pub(super) fn maybe<'v, T>(
        &mut self,
        table: &Table<'_, 'v>,
        key: &str,
        read: impl FnOnce(&mut Self, &Value<'v>) -> Option<T>,
    ) -> Option<T> {
        let value = table.get(key)?;
        read(self, value)
    }

    /// Reads what has to stand under a key.
    pub(super) fn needed<'v, T>(
        &mut self,
        table: &Table<'_, 'v>,
        key: &str,
        expected: &str,
        read: impl FnOnce(&mut Self, &Value<'v>) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = table.get(key) else {
            self.missing(table, expected);
            return None;
        };
        read(self, value)
    }

    /// All tables of one kind, such as `[[rule]]`; those that cannot be read are left out.
    pub(super) fn tables<'v, T>(
        &mut self,
        value: &Value<'v>,
        kind: &str,
        mut read: impl FnMut(&mut Self, &Value<'v>) -> Option<T>,
    ) -> Option<Vec<T>> {
        match value.get_ref().as_array() {
            Some(all) if !all.is_empty() => Some(
                all.iter()
                    .take(MOST_RULES + 1)
                    .filter_map(|value| read(self, value))
                    .collect(),
            ),
            _ => {
                self.fault(
                    value.span(),
                    format!("{kind}, with two brackets: there may be several"),
                );
                None
            }
        }
    }

    /// A list of so many things; those that cannot be read are left out.
    pub(super) fn list<'v, T>(
        &mut self,
        value: &Value<'v>,
        length: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Self, &Value<'v>) -> Option<T>,
    ) -> Option<Vec<T>> {
        match value.get_ref().as_array() {
            Some(all) if length.contains(&all.len()) => {
                Some(all.iter().filter_map(|value| read(self, value)).collect())
            }
            _ => {
                let (least, most) = (length.start(), length.end());
                self.fault(
                    value.span(),
                    format!("a list, in [ ], of {least} to {most}"),
                );
                None
            }
        }
    }

    /// One thing, or a list of several.
    pub(super) fn one_or_more<'v, T>(
        &mut self,
        value: &Value<'v>,
        most: usize,
        mut read: impl FnMut(&mut Self, &Value<'v>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if value.get_ref().is_array() {
            return self.list(value, 1..=most, read);
        }
        read(self, value).map(|one| vec![one])
    }

    pub(super) fn flag(&mut self, value: &Value<'_>) -> Option<bool> {
        let flag = value.get_ref().as_bool();
        self.or_fault(flag, value, "true or false")
    }

    pub(super) fn number(&mut self, value: &Value<'_>, within: RangeInclusive<u32>) -> Option<u32> {
        let number = value.get_ref().as_integer();
        let number = number
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| within.contains(number));
        let expected = match (within.start(), within.end()) {
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("a whole number from {least} to {most}"),
        };
        self.or_fault(number, value, expected)
    }

    /// A number of lines or files that is more than all are allowed without.
    pub(super) fn size(&mut self, value: &Value<'_>) -> Option<u32> {
        self.number(value, 0..=1_000_000)
    }

    /// A text of so many bytes in which nothing is hidden.
    pub(super) fn text(&mut self, value: &Value<'_>, most: usize) -> Option<String> {
        let text = value.get_ref().as_str().filter(|text| {
            let is_line = !crate::text::has_hidden(text) && text.trim() == *text;
            (1..=most).contains(&text.len()) && is_line
        });
        let expected = format!(
            "a text in quotes of 1 to {most} bytes, without invisible characters or spaces around it"
        );
        self.or_fault(text.map(str::to_owned), value, expected)
    }

    /// What somebody calls something.
    pub(super) fn name(&mut self, value: &Value<'_>) -> Option<String> {
        self.text(value, MOST_CHARACTERS)
    }

    /// One of the known words.
    pub(super) fn word<T: Clone>(&mut self, value: &Value<'_>, known: &[(&str, T)]) -> Option<T> {
        let said = value.get_ref().as_str();
        let found = known.iter().find(|(word, _)| Some(*word) == said);
        if found.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let nearest = said.and_then(|said| words::nearest(said, words.iter().copied()));
            self.wrong(value.span(), listed_or(&words), nearest);
        }
        found.map(|(_, meant)| meant.clone())
    }

    /// A tool by its id. A name that is nobody's id is refused: a rule about it would never apply.
    pub(super) fn tool(&mut self, value: &Value<'_>) -> Option<Tool> {
        let said = value.get_ref().as_str().unwrap_or_default();
        let tool = Tool::parse(said);
        match tool {
            Some(tool) if tool.id() == said => Some(tool),
            other => {
                let id = other.filter(|tool| !matches!(tool, Tool::Other(_)));
                let meant = id.map(|tool| tool.id().into_owned());
                let nearest = meant.or_else(|| words::nearest(said, Tool::ids()));
                let expected =
                    "the id of a tool, such as claude-code, or other:NAME for one that has none";
                self.wrong(value.span(), expected.to_owned(), nearest);
                None
            }
        }
    }

    /// A person by the id that no other ever has.
    pub(super) fn person(&mut self, value: &Value<'_>) -> Option<PersonId> {
        let id = value.get_ref().as_str().and_then(|id| id.parse().ok());
        let expected =
            "the id of a person, as `countersign person show` tells it: names change hands";
        self.or_fault(id, value, expected)
    }

    /// An account of a code host, by the host's name and the account's number.
    pub(super) fn account(&mut self, value: &Value<'_>) -> Option<String> {
        let is_account = |id: &&str| {
            let Some((host, number)) = id.split_once(':') else {
                return false;
            };
            let is_host =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            let is_number =
                (1..=20).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            (1..=MOST_CHARACTERS).contains(&host.len()) && host.chars().all(is_host) && is_number
        };
        let id = value.get_ref().as_str().filter(is_account);
        let expected = "an account as its code host numbers it, such as \"github:49699333\": logins change hands";
        self.or_fault(id.map(str::to_owned), value, expected)
    }

    /// Such as `30 days`.
    pub(super) fn duration(
        &mut self,
        value: &Value<'_>,
        within: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        const UNITS: &[(&str, Duration)] = &[
            ("hour", Duration::HOUR),
            ("hours", Duration::HOUR),
            ("day", Duration::DAY),
            ("days", Duration::DAY),
            ("week", Duration::WEEK),
            ("weeks", Duration::WEEK),
        ];
        let (least, most) = (in_words(*within.start()), in_words(*within.end()));
        let expected = format!("a time from \"{least}\" to \"{most}\", in hours, days or weeks");
        let (count, unit) = self.measured(value, UNITS, &expected)?;
        let duration = unit.checked_mul(i32::from(count));
        self.or_fault(duration.filter(|d| within.contains(d)), value, expected)
    }

    /// Such as `1 working day`.
    pub(super) fn working_days(
        &mut self,
        value: &Value<'_>,
        within: RangeInclusive<u8>,
    ) -> Option<u8> {
        const UNITS: &[(&str, ())] = &[("working day", ()), ("working days", ())];
        let (least, most) = (within.start(), within.end());
        let expected = format!("a time from \"{least} working day\" to \"{most} working days\"");
        let (count, ()) = self.measured(value, UNITS, &expected)?;
        let days = u8::try_from(count).ok();
        self.or_fault(days.filter(|days| within.contains(days)), value, expected)
    }

    /// A number and a unit.
    fn measured<T: Copy>(
        &mut self,
        value: &Value<'_>,
        units: &[(&str, T)],
        expected: &str,
    ) -> Option<(u16, T)> {
        let said = value
            .get_ref()
            .as_str()
            .and_then(|said| said.split_once(' '));
        let (count, unit) = said.unwrap_or_default();
        let known = units.iter().find(|(word, _)| *word == unit);
        if let (Ok(count), Some((_, meant))) = (count.parse(), known) {
            return Some((count, *meant));
        }
        let nearest = words::nearest(unit, units.iter().map(|(word, _)| *word))
            .filter(|_| known.is_none() && count.parse::<u16>().is_ok())
            .map(|unit| format!("{count} {unit}"));
        self.wrong(value.span(), expected.to_owned(), nearest);
        None
    }

    fn or_fault<T>(
        &mut self,
        read: Option<T>,
        value: &Value<'_>,
        expected: impl Into<String>,
    ) -> Option<T> {
        if read.is_none() {
            self.fault(value.span(), expected);
        }
        read
    }

    fn known_keys(&mut self, table: &Table<'_, '_>, keys: &[&str]) {
        for (key, _) in table.entries.iter() {
            if !keys.contains(&key.get_ref().as_ref()) {
                self.unknown_key(key, keys);
            }
        }
    }

    fn unknown_key(&mut self, key: &Spanned<DeString<'_>>, keys: &[&str]) {
        match words::refused(key.get_ref()) {
            Some(why) => self.fault(key.span(), why),
            None => {
                let nearest = words::nearest(key.get_ref(), keys.iter().copied());
                self.wrong(key.span(), listed_or(keys), nearest);
            }
        }
    }

    fn no_toml(&mut self, error: &toml::de::Error) {
        let message = error.message();
        let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
        let expected = match expected {
            "" => format!("TOML ({what})"),
            expected => format!("{expected} ({what})"),
        };
        let end = self.text.len();
        self.fault(error.span().unwrap_or(end..end), expected);
    }

    /// A text that looks like another policy than it is misleads whoever reads it before it is set.
    fn hidden_characters(&mut self, text: &str) {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let shown = line.trim_end_matches(['\n', '\r']);
            self.hidden_in(shown, at);
            at += line.len();
        }
    }

    fn hidden_in(&mut self, line: &str, begin: usize) {
        let mut at = begin;
        for segment in segments(line) {
            match segment {
                Segment::Plain(text) => at += text.len(),
                Segment::Hidden { code, name } => {
                    let expected = format!("no invisible character (here {code}, {name})");
                    self.fault(at..at, expected);
                    at += line
                        .get(at - begin..)
                        .and_then(|rest| rest.chars().next())
                        .map_or(0, char::len_utf8);
                }
            }
        }
    }

    fn wrong(&mut self, at: Range<usize>, expected: String, nearest: Option<String>) {
        if self.faults.len() >= MOST_KEPT {
            return;
        }
        let said = self.text.get(at.clone()).unwrap_or_default();
        let said = crate::text::visible(&one_line(said, MOST_SAID));
        self.faults.push(Found {
            at: at.start,
            said,
            expected,
            nearest,
        });
    }
}

impl<'a, 't> Table<'a, 't> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'t>> {
        self.entries.get(key)
    }
}

impl Found {
    fn placed(self, text: &str) -> Fault {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Fault {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            said: self.said,
            expected: self.expected,
            nearest: self.nearest,
        }
    }
}

/// ```a`, `b` and `c```
fn listed(words: &[&str]) -> String {
    joined(words, "and")
}

fn listed_or(words: &[&str]) -> String {
    joined(words, "or")
}

fn joined(words: &[&str], last: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

/// `1 hour`, `30 days`
fn in_words(duration: Duration) -> String {
    let (count, unit) = match duration.whole_hours() {
        hours if hours % 24 == 0 => (hours / 24, "day"),
        hours => (hours, "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}
