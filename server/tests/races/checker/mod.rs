//! The history checker: whether everything that clients were told can be true by the rules of the design.
//!
//! It shares no code with `domain` or `store`. It reads what clients saw and what the tables hold, and looks for an order in
//! which all of it could have happened: each write at one moment between the begin of its request and its answer, writes under
//! one lock in the order of their commits, and each answer at a moment at which the rules give just that answer.

mod order;
mod rows;
mod rules;

use crate::history::{Answer, Asked, History, Moment, Request};
use order::{Set, Step, Steps, What};
use rows::{Held, Rows};
use rules::{Refusal, Wish};
use sqlx::PgConnection;
use std::{cmp::Ordering, collections::HashMap, fmt::Write as _};
use uuid::Uuid;

/// How long an override allows, in microseconds.
const OVERRIDE: i64 = 24 * 3600 * 1_000_000;
/// How far the two clocks of a try may be apart: the one that clients measure with, and the one that servers read.
const CLOCKS: Moment = 200;

/// What was found in a try.
#[derive(Debug, Default)]
pub struct Report {
    /// Gates that allowed though at no moment of the question the rules did.
    pub wrong_allows: Vec<String>,
    /// Decisions that were recorded though at no moment of the request the rules let them be, or told otherwise than recorded.
    pub wrong_decisions: Vec<String>,
    /// Every other answer that no order explains, and what was not answered.
    pub unexplained: Vec<String>,
    /// Whether operations that raced really overlapped: transactions from their begin to their commit as the rows have them,
    /// a question or a refused request from its begin to its answer. Questions count only where one thing raced against them.
    pub overlapped: bool,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.wrong_allows.is_empty()
            && self.wrong_decisions.is_empty()
            && self.unexplained.is_empty()
    }

    /// All that was found.
    pub fn findings(&self) -> impl Iterator<Item = &String> {
        let all = [&self.wrong_allows, &self.wrong_decisions, &self.unexplained];
        all.into_iter().flatten()
    }
}

/// Checks one try.
pub async fn check(conn: &mut PgConnection, history: &History) -> Report {
    let rows = Rows::read(conn, history).await;
    let mut requests: Vec<&Request> = history.requests.iter().collect();
    requests.sort_by_key(|request| request.began);
    let mut reading = Reading {
        rows: &rows,
        epoch: history.epoch,
        steps: vec![],
        writes: vec![],
        raced: vec![],
        report: Report::default(),
    };
    reading.takes_in(&requests);
    reading.expiries(&requests);
    reading.numbers();
    reading.stamps();
    reading.locks();
    let Reading {
        steps,
        raced,
        mut report,
        ..
    } = reading;
    report.overlapped = overlapped(&raced);
    let steps = Steps {
        rows: &rows,
        people_version: history.people_version,
        all: steps,
        void: 0,
    };
    judge(steps, &mut report);
    report
}

/// Looks for orders: first for each decision, then for each yes, then for all together.
fn judge(mut steps: Steps<'_>, report: &mut Report) {
    let writes = steps.set(|what| !matches!(what, What::Answered { .. } | What::Refused { .. }));
    let decisions = steps.set(|what| matches!(what, What::Decides(_)));
    let allows = steps.set(|what| matches!(what, What::Answered { allow: true, .. }));
    let everything = steps.set(|_| true);
    let void: Set = singles(decisions)
        .filter(|one| !steps.fit(writes, *one))
        .sum();
    steps.void = void;
    let say = |set: Set| -> Vec<String> {
        let told = singles(set).map(|one| &steps.all[one.trailing_zeros() as usize]);
        told.map(|step| format!("{step:?}")).collect()
    };
    report.wrong_decisions.extend(say(void));
    let rightly = decisions & !void;
    let wrong: Set = singles(allows)
        .filter(|one| !steps.fit(writes | one, rightly))
        .sum();
    report.wrong_allows.extend(say(wrong));
    let rest = everything & !wrong;
    if steps.fit(rest, rightly) {
        return;
    }
    if wrong == 0 && void == 0 && !steps.fit(writes | allows, rightly) {
        let told = "each of these could be, but not all of them together".to_owned();
        report
            .wrong_allows
            .extend([told].into_iter().chain(say(allows)));
        return;
    }
    let alone: Set = singles(rest & !writes)
        .filter(|one| !steps.fit(writes | one, rightly))
        .sum();
    let odd = if alone == 0 { rest } else { alone };
    let told = "no order explains these".to_owned();
    report
        .unexplained
        .extend([told].into_iter().chain(say(odd)));
}

/// Each step of a set by itself.
fn singles(set: Set) -> impl Iterator<Item = Set> {
    (0..Set::BITS)
        .map(|at| 1 << at)
        .filter(move |one| set & one != 0)
}

/// From when until when something went on.
struct Span {
    from: Moment,
    until: Moment,
    by: By,
}

/// What went on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Write,
    Question,
    /// Nothing but time.
    Time,
}

fn overlapped(raced: &[Span]) -> bool {
    let writes = raced.iter().filter(|span| span.by == By::Write).count();
    let counts = |span: &&Span| span.by != By::Question || writes < 2;
    let counting: Vec<&Span> = raced.iter().filter(counts).collect();
    counting.iter().enumerate().any(|(at, one)| {
        counting[at + 1..].iter().any(|other| {
            let questions = one.by == By::Question && other.by == By::Question;
            !questions && one.from <= other.until && other.from <= one.until
        })
    })
}

/// A write, as its rows tell of it.
struct Written {
    step: usize,
    /// In microseconds since 1970.
    committed: i64,
    /// Under the lock of the change.
    of_change: bool,
    /// Under the lock of this person.
    of_person: Option<Uuid>,
    /// The version of the facts about people that it made.
    version: Option<i64>,
}

/// Requests and rows, put together to steps.
struct Reading<'a> {
    rows: &'a Rows,
    epoch: i64,
    steps: Vec<Step<'a>>,
    writes: Vec<Written>,
    raced: Vec<Span>,
    report: Report,
}

impl<'a> Reading<'a> {
    fn takes_in(&mut self, requests: &[&'a Request]) {
        let mut forms: HashMap<(Uuid, Uuid), Vec<&'a Request>> = HashMap::new();
        for request in requests {
            if request.answer == Answer::Unknown {
                self.odd(request, "nothing came back");
            }
            match &request.asked {
                Asked::Gate { commit } => self.question(request, commit),
                Asked::Submit {
                    head,
                    target,
                    state,
                } => self.submission(request, head, target, state),
                Asked::Decide {
                    person, form_key, ..
                } => forms.entry((*person, *form_key)).or_default().push(request),
                Asked::Demand { .. } => self.demand(request),
                Asked::Deactivate { person } => self.fact(request, *person, "inactive"),
                Asked::Demote { person } => self.fact(request, *person, "level"),
                Asked::Link { person, key } => self.link(request, *person, key),
            }
        }
        for ((person, form_key), sent) in &forms {
            self.form(*person, *form_key, sent);
        }
        let unasked = self.rows.decisions.iter();
        let unasked = unasked.filter(|d| !forms.contains_key(&(d.person, d.form_key)));
        let told = unasked.map(|d| format!("nobody took this decision: {d:?}"));
        self.report.wrong_decisions.extend(told);
    }

    fn question(&mut self, request: &'a Request, commit: &'a str) {
        match &request.answer {
            Answer::Gate { allow, verdict } => {
                let what = What::Answered {
                    commit,
                    allow: *allow,
                    verdict,
                };
                self.step(request.began, request.ended, what);
                self.went_on(request, None);
            }
            _ => self.odd(request, "a gate that does not answer"),
        }
    }

    fn submission(&mut self, request: &Request, head: &str, target: &str, state: &str) {
        if let Answer::Refused(_) = request.answer {
            return self.odd(request, "a submission that is refused");
        }
        let rows = self.rows;
        let is_it = |r: &rows::Revision| r.head == head && r.target == target;
        let Some(revision) = rows.revisions.iter().position(is_it) else {
            return self.odd(request, "a submission that left nothing");
        };
        let id = rows.revisions[revision].id;
        let state = rows
            .states
            .iter()
            .position(|s| s.head == id && s.state == state);
        let known = self.steps.iter().any(
            |step| matches!(step.what, What::Arrives { revision: Some(at), .. } if at == revision),
        );
        let (at, committed) = match (known, state) {
            (false, _) => (
                rows.revisions[revision].at,
                rows.revisions[revision].committed,
            ),
            (true, Some(state)) => (rows.states[state].at, rows.states[state].committed),
            (true, None) => return self.odd(request, "a submission that said nothing new"),
        };
        let what = What::Arrives {
            revision: (!known).then_some(revision),
            state,
        };
        let step = self.step(request.began, ended(request), what);
        self.writes.push(Written {
            step,
            committed,
            of_change: true,
            of_person: None,
            version: None,
        });
        self.went_on(request, Some((at, committed)));
    }

    fn demand(&mut self, request: &Request) {
        let [policy] = self.rows.policies.as_slice() else {
            return self.odd(request, "a policy that is not there");
        };
        let step = self.step(request.began, ended(request), What::Demands);
        self.writes.push(Written {
            step,
            committed: policy.committed,
            of_change: false,
            of_person: None,
            version: None,
        });
        self.went_on(request, Some((policy.at, policy.committed)));
    }

    fn fact(&mut self, request: &Request, person: Uuid, kind: &str) {
        let begun = |fact: &rows::Fact| {
            fact.person == person
                && fact.kind == kind
                && fact.source == "operator"
                && fact.held.committed - self.epoch > request.began - CLOCKS
        };
        match self.rows.facts.iter().position(begun) {
            Some(row) => {
                let what = What::Learns {
                    accounts: vec![],
                    facts: vec![row],
                };
                self.learned(request, person, &self.rows.facts[row].held, what);
            }
            None => self.odd(request, "a fact that is not there"),
        }
    }

    fn link(&mut self, request: &Request, person: Uuid, key: &str) {
        let is_it = |a: &rows::Account| a.person == person && a.key == key;
        match self.rows.accounts.iter().position(is_it) {
            Some(row) => {
                let what = What::Learns {
                    accounts: vec![row],
                    facts: vec![],
                };
                self.learned(request, person, &self.rows.accounts[row].held, what);
            }
            None => self.odd(request, "a link that is not there"),
        }
    }

    fn learned(&mut self, request: &Request, person: Uuid, held: &Held, what: What<'a>) {
        let step = self.step(request.began, ended(request), what);
        self.writes.push(Written {
            step,
            committed: held.committed,
            of_change: false,
            of_person: Some(person),
            version: Some(held.from_version),
        });
        self.went_on(request, Some((held.at, held.committed)));
    }

    /// One form of one person, however often it was sent.
    fn form(&mut self, person: Uuid, form_key: Uuid, sent: &[&'a Request]) {
        let rows = self.rows;
        let is_it = |d: &rows::Decision| d.person == person && d.form_key == form_key;
        let found: Vec<usize> = (0..rows.decisions.len())
            .filter(|at| is_it(&rows.decisions[*at]))
            .collect();
        if found.len() > 1 {
            self.wrong(sent[0], "one form, several decisions");
        }
        let row = found.first().copied();
        let mut writer = None;
        for request in sent {
            match (&request.answer, row) {
                (Answer::Done, Some(row)) => {
                    let recorded = &rows.decisions[row];
                    if !says(request, &recorded.kind, &recorded.digest) {
                        self.wrong(request, "acknowledged, and another decision recorded");
                    }
                    let is_anybodys = ["withdraw", "human"].contains(&recorded.kind.as_str());
                    if !is_anybodys && recorded.level.as_deref() != Some("senior") {
                        self.wrong(request, "recorded of somebody who was no senior then");
                    }
                    if writer.is_none() {
                        writer = Some((recorded.at, recorded.committed));
                        self.went_on(request, writer);
                    } else {
                        self.went_on(request, None);
                    }
                }
                (Answer::Done, None) => self.wrong(request, "acknowledged and not recorded"),
                (Answer::Refused(status), _) => self.refused(request, *status, row),
                (Answer::Unknown, _) => {}
                (Answer::Gate { .. }, _) => self.odd(request, "an answer of a gate"),
            }
        }
        let Some(row) = row else { return };
        if sent.iter().all(|r| matches!(r.answer, Answer::Refused(_))) {
            self.wrong(sent[0], "refused and recorded");
        }
        let began = sent.iter().map(|request| request.began).min();
        let done = sent.iter().filter(|r| r.answer == Answer::Done);
        let ended = done.map(|request| request.ended).min();
        let what = What::Decides(row);
        let step = self.step(began.unwrap_or(0), ended.unwrap_or(Moment::MAX), what);
        self.writes.push(Written {
            step,
            committed: rows.decisions[row].committed,
            of_change: true,
            of_person: Some(person),
            version: None,
        });
    }

    fn refused(&mut self, request: &'a Request, status: u16, row: Option<usize>) {
        let Asked::Decide {
            person,
            kind,
            digest,
            ..
        } = &request.asked
        else {
            return;
        };
        self.went_on(request, None);
        let how = match status {
            401 | 403 => Refusal::NotYou,
            409 => Refusal::NotNow,
            // A form that somebody used for something else.
            422 if row.is_some_and(|row| {
                !says(
                    request,
                    &self.rows.decisions[row].kind,
                    &self.rows.decisions[row].digest,
                )
            }) =>
            {
                return;
            }
            _ => return self.odd(request, "a refusal that nothing explains"),
        };
        let wish = Wish {
            person: *person,
            kind,
            digest,
        };
        let what = What::Refused { wish, how };
        self.step(request.began, request.ended, what);
    }

    fn expiries(&mut self, requests: &[&Request]) {
        let Some(last) = requests.iter().map(|request| request.ended).max() else {
            return;
        };
        for d in self.rows.decisions.iter().filter(|d| d.kind == "override") {
            let over = d.at + OVERRIDE - self.epoch;
            if over - CLOCKS <= last {
                self.step(over - CLOCKS, over + CLOCKS, What::Expires(d.seq));
                self.raced.push(Span {
                    from: over,
                    until: over,
                    by: By::Time,
                });
            }
        }
    }

    /// Decisions are numbered 1, 2, 3 … in the order of their commits, as the lock of the change has it.
    fn numbers(&mut self) {
        let seqs: Vec<i32> = self.rows.decisions.iter().map(|d| d.seq).collect();
        if seqs != (1..=self.rows.decided).collect::<Vec<_>>() {
            let told = format!(
                "numbers {seqs:?}, and the change counts {}",
                self.rows.decided
            );
            self.report.wrong_decisions.push(told);
        }
        if !self.rows.decisions.is_sorted_by_key(|d| d.committed) {
            let told = "numbers in another order than the commits".to_owned();
            self.report.wrong_decisions.push(told);
        }
    }

    /// A revision names the version of the facts about people as it arrived: one that was there between begin and answer.
    fn stamps(&mut self) {
        for step in &self.steps {
            let What::Arrives {
                revision: Some(row),
                ..
            } = step.what
            else {
                continue;
            };
            let stamp = self.rows.revisions[row].people_version;
            for written in &self.writes {
                let learned = &self.steps[written.step];
                let is_wrong = match written.version.map(|version| version.cmp(&stamp)) {
                    Some(Ordering::Less | Ordering::Equal) => learned.began > step.ended,
                    Some(Ordering::Greater) => learned.ended < step.began,
                    None => false,
                };
                if is_wrong {
                    let told = format!("the revision has a stamp of another time: {step:?}");
                    self.report.unexplained.push(told);
                }
            }
        }
    }

    /// What held one lock came one after another, in the order of the commits.
    fn locks(&mut self) {
        for one in &self.writes {
            for other in &self.writes {
                let same_person = one.of_person.is_some() && one.of_person == other.of_person;
                let same_version = one.version.is_some() && other.version.is_some();
                let shared = one.of_change && other.of_change || same_person || same_version;
                if shared && one.committed < other.committed {
                    self.steps[other.step].after |= 1 << one.step;
                }
            }
        }
    }

    fn step(&mut self, began: Moment, ended: Moment, what: What<'a>) -> usize {
        self.steps.push(Step {
            began,
            ended,
            what,
            after: 0,
        });
        self.steps.len() - 1
    }

    /// `written` is when its transaction began and was committed, if it wrote anything.
    fn went_on(&mut self, request: &Request, written: Option<(i64, i64)>) {
        let client = (request.began, request.ended);
        let (from, until) = written.map_or(client, |(at, committed)| {
            (at - self.epoch, committed - self.epoch)
        });
        if request.raced {
            self.raced.push(Span {
                from,
                until,
                by: if request.asked.writes() {
                    By::Write
                } else {
                    By::Question
                },
            });
        }
    }

    fn odd(&mut self, request: &Request, what: &str) {
        let told = format!("{what}: {request:?}");
        self.report.unexplained.push(told);
    }

    fn wrong(&mut self, request: &Request, what: &str) {
        let told = format!("{what}: {request:?}");
        self.report.wrong_decisions.push(told);
    }
}

/// Whether a request wants just what is recorded.
fn says(request: &Request, recorded_kind: &str, recorded_digest: &str) -> bool {
    matches!(&request.asked, Asked::Decide { kind, digest, .. } if *kind == recorded_kind && digest == recorded_digest)
}

/// When it had happened: not known where no answer came.
fn ended(request: &Request) -> Moment {
    if request.answer == Answer::Unknown {
        Moment::MAX
    } else {
        request.ended
    }
}

/// A history to read, in the order in which the requests began.
pub fn told(history: &History) -> String {
    let mut requests: Vec<&Request> = history.requests.iter().collect();
    requests.sort_by_key(|request| request.began);
    let mut text = format!("change {}\n", history.change);
    for r in requests {
        let raced = if r.raced { "raced" } else { "" };
        let _ = writeln!(
            text,
            "{:>9} {:>9} {raced:5} {:?} -> {:?}",
            r.began, r.ended, r.asked, r.answer
        );
    }
    text
}
