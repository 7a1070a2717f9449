//! Reads the text of a policy, and says of everything that is wrong with it where it is and what was expected.

mod depth;
mod fault;
mod reader;
mod words;

pub use fault::Fault;

use super::{
    Approvals, Ask, Back, Belief, Document, Glass, Glob, Landing, Rule, Source, VetoTerms, When,
    Who,
};
use reader::{Reader, Table, Value};
use std::{collections::BTreeSet, ops::RangeInclusive};
use time::Duration;

/// The longest text of a policy, in bytes.
pub const MAX_BYTES: usize = 65_536;

const MOST_RULES: usize = 100;
const MOST_GLOBS: usize = 50;
/// In all rules together, each alternative between braces counted: what bounds the time that matching takes.
const MOST_PATTERNS: usize = 1_000;
const MOST_IN_A_LIST: usize = 50;
const MOST_APPROVALS: u32 = 20;
const MOST_CHARACTERS: usize = 100;

const EXPIRY: RangeInclusive<Duration> = Duration::hours(1)..=Duration::days(1000);
const OVERRIDE: RangeInclusive<Duration> = Duration::hours(1)..=Duration::days(7);
const REVIEW: RangeInclusive<Duration> = Duration::hours(1)..=Duration::days(30);
const REDEPLOY: RangeInclusive<Duration> = Duration::days(1)..=Duration::days(1000);
const SOURCE: RangeInclusive<Duration> = Source::LEAST..=Duration::days(30);
const WORKING_DAYS: RangeInclusive<u8> = 1..=30;

impl Document {
    /// Reads the text of a policy. It never panics, and its time is bounded by [`MAX_BYTES`].
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the text, up to [`Fault::MOST`].
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::new(text);
        let document = reader.toml(text, document);
        reader.finish(document)
    }
}

fn document(reader: &mut Reader, table: &Table<'_, '_>) -> Option<Document> {
    reader.needed(table, "version", "`version = 1`", |reader, value| {
        reader.number(value, 1..=1)
    });
    Some(Document {
        name: reader.maybe(table, "name", Reader::name),
        rules: rules(reader, table),
        approvals: reader
            .maybe(table, "approvals", approvals)
            .unwrap_or_default(),
        veto: reader.maybe(table, "veto", veto).unwrap_or_default(),
        glass: reader.maybe(table, "override", glass).unwrap_or_default(),
        back: reader.maybe(table, "going_back", back).unwrap_or_default(),
        landing: reader.maybe(table, "landing", landing).unwrap_or_default(),
        source: reader.maybe(table, "source", source).unwrap_or_default(),
        human: reader.maybe(table, "human", human).unwrap_or_default(),
    })
}

fn rules(reader: &mut Reader, table: &Table<'_, '_>) -> Vec<Rule> {
    let expected = "at least one [[rule]]: a policy without any would let everything pass";
    let mut names = BTreeSet::new();
    let mut rules = reader
        .needed(table, "rule", expected, |reader, value| {
            reader.tables(value, "[[rule]]", |reader, value| {
                rule(reader, value, &mut names)
            })
        })
        .unwrap_or_default();
    let automations = reader.maybe(table, "automation", |reader, value| {
        reader.tables(value, "[[automation]]", |reader, value| {
            automation(reader, value, &mut names)
        })
    });
    rules.extend(automations.unwrap_or_default());
    if rules.len() > MOST_RULES {
        reader.fault(table.at.clone(), format!("at most {MOST_RULES} rules"));
    }
    let patterns = rules.iter().flat_map(|rule| rule.when.globs());
    if patterns.map(Glob::weight).sum::<usize>() > MOST_PATTERNS {
        let expected =
            format!("at most {MOST_PATTERNS} patterns in all, counting each alternative");
        reader.fault(table.at.clone(), expected);
    }
    rules
}

fn rule(reader: &mut Reader, value: &Value<'_>, names: &mut BTreeSet<String>) -> Option<Rule> {
    let table = reader.table(value, words::RULE)?;
    let name = own_name(reader, &table, names);
    let when = reader.maybe(&table, "when", when);
    asking(reader, &table, name, when.unwrap_or_default())
}

fn automation(
    reader: &mut Reader,
    value: &Value<'_>,
    names: &mut BTreeSet<String>,
) -> Option<Rule> {
    let table = reader.table(value, words::AUTOMATION)?;
    let name = own_name(reader, &table, names);
    let expected =
        "`ids`, a list of accounts as their code host numbers them, such as [\"github:49699333\"]";
    let ids = reader.needed(&table, "ids", expected, |reader, value| {
        reader.list(value, 1..=MOST_IN_A_LIST, Reader::account)
    });
    let when = When {
        automation: ids.unwrap_or_default(),
        ..When::default()
    };
    asking(reader, &table, name, when)
}

fn own_name(
    reader: &mut Reader,
    table: &Table<'_, '_>,
    names: &mut BTreeSet<String>,
) -> Option<String> {
    let expected = "`name`, which the answers of a gate and the pages will say";
    reader.needed(table, "name", expected, |reader, value| {
        let name = reader.name(value)?;
        if !names.insert(name.to_lowercase()) {
            reader.fault(value.span(), "a name that no other rule has");
        }
        Some(name)
    })
}

/// The rule that asks what the table says, of whatever is such.
fn asking(
    reader: &mut Reader,
    table: &Table<'_, '_>,
    name: Option<String>,
    when: When,
) -> Option<Rule> {
    let expected = "`require`, a list such as [{ approvals = 1, level = \"senior\" }]";
    let needs = reader.needed(table, "require", expected, |reader, value| {
        reader.list(value, 1..=20, ask)
    });
    let same_person = reader.maybe(table, "same_person", Reader::flag);
    let rule = Rule {
        name: name?,
        when,
        needs: needs?,
        same_person: same_person.unwrap_or(false),
    };
    if !can_be_met(&rule) {
        let at = table.get("require").map_or(table.at.clone(), Value::span);
        reader.fault(at, "no more approvals than there are people named for them");
    }
    Some(rule)
}

/// Whether as many people are named as are asked for, where people are named.
fn can_be_met(rule: &Rule) -> bool {
    let named = || rule.needs.iter().filter(|ask| !ask.who.people.is_empty());
    let each = named().all(|ask| ask.approvals <= distinct([ask]));
    let together: usize = named().map(|ask| ask.approvals).sum();
    each && (rule.same_person || together <= distinct(named()))
}

fn distinct<'a>(asks: impl IntoIterator<Item = &'a Ask>) -> usize {
    let people = asks.into_iter().flat_map(|ask| &ask.who.people);
    people.collect::<BTreeSet<_>>().len()
}

fn when(reader: &mut Reader, value: &Value<'_>) -> Option<When> {
    let table = reader.table(value, words::WHEN)?;
    let paths = Glob::of_paths;
    let folded = |text: &str| Glob::of_names(&text.to_ascii_lowercase());
    let when = When {
        provenance: some_of(reader, &table, "provenance", words::PROVENANCES),
        tool: list(reader, &table, "tool", Reader::tool),
        level: some_of(reader, &table, "level", words::LEVELS_OR_NOBODY),
        automation: vec![],
        repository: globs(reader, &table, "repository", folded),
        target: globs(reader, &table, "target", Glob::of_names),
        any_path: globs(reader, &table, "any_path", paths),
        all_paths: globs(reader, &table, "all_paths", paths),
        except_paths: globs(reader, &table, "except_paths", paths),
        more_lines: reader.maybe(&table, "more_lines", Reader::size),
        more_files: reader.maybe(&table, "more_files", Reader::size),
        label: list(reader, &table, "label", Reader::name),
    };
    if when.globs().count() > MOST_GLOBS {
        reader.fault(
            value.span(),
            format!("at most {MOST_GLOBS} patterns a rule"),
        );
    }
    Some(when)
}

fn some_of<T: Clone>(
    reader: &mut Reader,
    table: &Table<'_, '_>,
    key: &str,
    known: &[(&str, T)],
) -> Vec<T> {
    let read = |reader: &mut Reader, value: &Value<'_>| reader.word(value, known);
    list(reader, table, key, read)
}

/// What a list with something in it says; nothing where it is left out.
fn list<T>(
    reader: &mut Reader,
    table: &Table<'_, '_>,
    key: &str,
    read: impl FnMut(&mut Reader, &Value<'_>) -> Option<T>,
) -> Vec<T> {
    reader
        .maybe(table, key, |reader, value| {
            reader.list(value, 1..=MOST_IN_A_LIST, read)
        })
        .unwrap_or_default()
}

fn globs(
    reader: &mut Reader,
    table: &Table<'_, '_>,
    key: &str,
    parse: impl Fn(&str) -> Result<Glob, &'static str>,
) -> Vec<Glob> {
    list(reader, table, key, |reader, value| {
        let text = reader.text(value, super::glob::LONGEST)?;
        let glob = parse(&text);
        glob.map_err(|expected| reader.fault(value.span(), expected))
            .ok()
    })
}

fn ask(reader: &mut Reader, value: &Value<'_>) -> Option<Ask> {
    let table = reader.table(value, words::ASK)?;
    let expected = "`approvals`, how many";
    let approvals = reader.needed(&table, "approvals", expected, |reader, value| {
        reader.number(value, 1..=MOST_APPROVALS)
    });
    let who = said_of(reader, &table);
    Some(Ask {
        approvals: usize::try_from(approvals?).ok()?,
        who: who?,
    })
}

fn who(reader: &mut Reader, value: &Value<'_>) -> Option<Who> {
    let table = reader.table(value, words::WHO)?;
    said_of(reader, &table)
}

/// Whom a table is about, which must be somebody.
fn said_of(reader: &mut Reader, table: &Table<'_, '_>) -> Option<Who> {
    if words::WHO.iter().all(|key| table.get(key).is_none()) {
        reader.missing(
            table,
            "whom: `level`, `team`, `role` or `people`, or several of them",
        );
        return None;
    }
    let who = Who {
        level: reader.maybe(table, "level", |reader, value| {
            reader.word(value, words::LEVELS)
        }),
        team: reader.maybe(table, "team", Reader::name),
        role: reader.maybe(table, "role", |reader, value| {
            reader.word(value, words::ROLES)
        }),
        people: list(reader, table, "people", Reader::person),
    };
    // Empty is what is left where all that was said is wrong.
    (!who.is_empty()).then_some(who)
}

fn approvals(reader: &mut Reader, value: &Value<'_>) -> Option<Approvals> {
    let table = reader.table(value, &["expire_after", "expire_on", "carry_over"])?;
    let expire_on = reader.maybe(&table, "expire_on", |reader, value| {
        reader.list(value, 0..=MOST_IN_A_LIST, |reader, value| {
            reader.word(value, words::ENDINGS)
        })
    });
    let carry = reader.maybe(&table, "carry_over", |reader, value| {
        reader.list(value, 0..=MOST_IN_A_LIST, |reader, value| {
            reader.word(value, words::PROOFS)
        })
    });
    let expire_on = expire_on.unwrap_or_default();
    Some(Approvals {
        expire_after: reader.maybe(&table, "expire_after", |reader, value| {
            reader.duration(value, EXPIRY)
        }),
        expire_on_draft: expire_on.contains(&words::Ending::Draft),
        expire_on_new_base: expire_on.contains(&words::Ending::NewBase),
        carry: carry.unwrap_or(Approvals::default().carry),
    })
}

fn veto(reader: &mut Reader, value: &Value<'_>) -> Option<VetoTerms> {
    let table = reader.table(value, &["set_aside_by", "set_aside_after"])?;
    let plain = VetoTerms::default();
    let by = reader.maybe(&table, "set_aside_by", who);
    let after = reader.maybe(&table, "set_aside_after", |reader, value| {
        reader.working_days(value, WORKING_DAYS)
    });
    Some(VetoTerms {
        set_aside_by: by.unwrap_or(plain.set_aside_by),
        after_working_days: after.unwrap_or(plain.after_working_days),
    })
}

fn glass(reader: &mut Reader, value: &Value<'_>) -> Option<Glass> {
    let table = reader.table(value, words::OVERRIDE)?;
    let plain = Glass::default();
    let by = reader.maybe(&table, "by", |reader, value| {
        reader.one_or_more(value, MOST_IN_A_LIST, who)
    });
    let lasts = reader.maybe(&table, "lasts", |reader, value| {
        reader.duration(value, OVERRIDE)
    });
    let review_within = reader.maybe(&table, "review_within", |reader, value| {
        reader.duration(value, REVIEW)
    });
    let refused = reader.maybe(&table, "refused_while_overdue", Reader::flag);
    Some(Glass {
        by: by.unwrap_or(plain.by),
        lasts: lasts.unwrap_or(plain.lasts),
        review_within: review_within.unwrap_or(plain.review_within),
        refused_while_overdue: refused.unwrap_or(plain.refused_while_overdue),
    })
}

fn back(reader: &mut Reader, value: &Value<'_>) -> Option<Back> {
    let table = reader.table(value, &["redeploy_for", "revert"])?;
    let plain = Back::default();
    let redeploy_for = reader.maybe(&table, "redeploy_for", |reader, value| {
        reader.duration(value, REDEPLOY)
    });
    let revert = reader.maybe(&table, "revert", Reader::flag);
    Some(Back {
        redeploy_for: redeploy_for.unwrap_or(plain.redeploy_for),
        revert: revert.unwrap_or(plain.revert),
    })
}

fn landing(reader: &mut Reader, value: &Value<'_>) -> Option<Landing> {
    let table = reader.table(value, &["evidence"])?;
    let evidence = reader.maybe(&table, "evidence", |reader, value| {
        reader.word(value, words::EVIDENCE)
    });
    Some(Landing {
        evidence: evidence.unwrap_or(Landing::default().evidence),
    })
}

fn source(reader: &mut Reader, value: &Value<'_>) -> Option<Source> {
    let table = reader.table(value, &["max_age"])?;
    let max_age = reader.maybe(&table, "max_age", |reader, value| {
        reader.duration(value, SOURCE)
    });
    Some(Source { max_age })
}

fn human(reader: &mut Reader, value: &Value<'_>) -> Option<Belief> {
    let table = reader.table(value, &["believed"])?;
    let expected = "`believed`, such as [\"author\", { level = \"senior\" }]";
    let believed = reader.needed(&table, "believed", expected, |reader, value| {
        reader.one_or_more(value, MOST_IN_A_LIST, believed)
    })?;
    Some(Belief {
        author: believed.iter().any(Option::is_none),
        by: believed.into_iter().flatten().collect(),
    })
}

/// Somebody whose word is believed; none is the author.
fn believed(reader: &mut Reader, value: &Value<'_>) -> Option<Option<Who>> {
    match value.get_ref().is_str() {
        true => reader.word(value, &[("author", None)]),
        false => who(reader, value).map(Some),
    }
}

#[cfg(test)]
mod tests;
