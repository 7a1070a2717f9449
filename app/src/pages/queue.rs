//! What waits for a senior: whose turn it is first, each change with the reason why it is here.

use domain::{
    Timestamp,
    change::Change,
    ids::{ChangeId, PersonId},
    people::Level,
    policy::Mode,
    problem::Problem,
    provenance::{Provenance, Tool},
    verdict::{Verdict, Word, signed},
};
use leptos::prelude::*;

use store::{
    Tx,
    deployments::{Unsanctioned, unsanctioned},
    people::stand_ins,
    queue::{touched_by, waiting},
};

use super::encoded;
use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        deployments::Owed,
        frame::{Frame, Place, Viewer},
        marks::{Origin, word},
        merged::{self, Unsigned},
        mode::Observed,
        slots::Slots,
        sprite::Icon,
        text::Theirs,
        time::Age,
        title::PageTitle,
        verdict::{Glyph, Mark, said},
    },
    islands::{Jump, Keys},
};

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct QueuePage {
    /// Who is looking.
    pub viewer: Viewer,
    /// What the field of the filter holds, as it was typed.
    pub asked: String,
    /// What was deployed without having been allowed and is owed a review, the latest first, and whether there is more of it.
    /// Only where all of the queue begins.
    pub owed: (Vec<Unsanctioned>, bool),
    /// Oldest first.
    pub rows: Vec<Row>,
    /// Whether others wait longer, on the pages before.
    pub later: bool,
    /// The address of those that wait shorter, if there are more.
    pub more: Option<String>,
    /// When all of this was so.
    pub now: Timestamp,
}

/// One change that waits.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub change: ChangeId,
    /// What it is called.
    pub title: String,
    /// `owner/name`.
    pub repository: String,
    /// What the repository calls it.
    pub key: String,
    /// Of its current revision.
    pub number: i32,
    /// Whose it is.
    pub author: String,
    /// The level that it counts as.
    pub level: Option<Level>,
    /// What its marks add up to.
    pub provenance: Provenance,
    /// What they name.
    pub tools: Vec<Tool>,
    /// Lines and files.
    pub size: (i32, i32, i32),
    /// How many approvals count now.
    pub signed: usize,
    /// Whether it went into its target without a sign-off.
    pub merged: bool,
    /// What holds now.
    pub verdict: Verdict,
    /// Whether the viewer has the level that is asked for. Only says where a change is listed; the change's page asks the rules.
    pub could_sign: bool,
    /// Whether the viewer had a hand in it.
    pub mine: bool,
    /// Whether the viewer's own approval counts already.
    pub approved: bool,
    /// The revision that the viewer's own standing rejection is about.
    pub vetoed: Option<i32>,
    /// Since when its current revision waits.
    pub since: Timestamp,
    /// Whether gates enforce any of it.
    pub mode: Mode,
}

impl Row {
    /// What the queue says of a change to this viewer, who may have had a hand in it.
    pub fn of(
        waiting: store::queue::Row,
        mine: bool,
        viewer: &Viewer,
        places: &[stand_ins::Place],
        now: Timestamp,
    ) -> Self {
        let store::queue::Row { listed, since } = waiting;
        let (verdict, mode) = (listed.verdict(now), listed.mode(now));
        let (change, revision, standing) = (listed.change, listed.revision, listed.standing);
        let could_sign = viewer.person.active
            && (reaches(viewer, &verdict) || stands_in(viewer, places, &change, &verdict, now));
        let signed = signed(&standing, &listed.terms.policy, now);
        let approved = signed.iter().any(|voice| voice.person == viewer.person.id);
        Self {
            change: change.id,
            title: change.title,
            repository: change.repository_name.to_string(),
            key: change.key.to_string(),
            number: revision.number,
            author: change.author,
            level: standing.level,
            provenance: standing.provenance,
            tools: listed.tools,
            size: (revision.added, revision.removed, revision.files),
            signed: signed.len(),
            could_sign,
            mine,
            approved,
            vetoed: standing
                .vetoes()
                .filter(|veto| veto.person == viewer.person.id)
                .map(|veto| veto.revision)
                .max(),
            merged: merged::without_sign_off(change.state, &verdict),
            verdict,
            since,
            mode,
        }
    }

    /// In which group it stands.
    fn group(&self) -> Group {
        match self.verdict.word() {
            _ if self.mine => Group::Mine,
            Word::Rejected if self.vetoed.is_some_and(|seen| seen < self.number) => Group::YourTurn,
            Word::Waiting if self.could_sign && !self.approved => Group::YourTurn,
            Word::Overridden if self.could_sign => Group::YourTurn,
            _ => Group::Others,
        }
    }

    /// Why it is here, in a sentence.
    fn why(&self) -> String {
        let first = self
            .verdict
            .reasons()
            .into_iter()
            .next()
            .map(|reason| reason.sentence)
            .unwrap_or_default();
        if let Some(seen) = self.vetoed {
            return if seen < self.number {
                format!(
                    "You rejected revision {seen}; revision {} has come since",
                    self.number
                )
            } else {
                "You rejected it; the author's turn, or withdraw it".to_owned()
            };
        }
        match self.verdict.word() {
            Word::Waiting => match self.provenance {
                Provenance::Assisted => format!(
                    "A machine took part, and it counts as {}",
                    level_words(self.level)
                ),
                Provenance::Unknown => format!(
                    "Nobody knows what wrote it, and it counts as {}",
                    level_words(self.level)
                ),
                Provenance::Human => first,
            },
            _ => first,
        }
    }
}

/// Whether somebody could give one of the needs; where nothing is needed, whether they are a senior.
fn reaches(viewer: &Viewer, verdict: &Verdict) -> bool {
    let held = viewer.held();
    let needs = verdict.needs();
    if needs.is_empty() {
        return held.level >= Some(Level::Senior);
    }
    needs.iter().any(|need| need.who.admits(&held))
}

/// Whether somebody could give one of the needs in the place of somebody else.
fn stands_in(
    viewer: &Viewer,
    places: &[stand_ins::Place],
    change: &Change,
    verdict: &Verdict,
    now: Timestamp,
) -> bool {
    let mut here = places.iter().filter(|place| {
        let mut named = place.repositories.iter();
        now < place.stand_in.until && named.any(|one| one.matches(&change.repository_name))
    });
    here.any(|place| {
        let held = place.stand_in.held(viewer.level.granted());
        verdict.needs().iter().any(|need| need.who.admits(&held))
    })
}

fn level_words(level: Option<Level>) -> &'static str {
    level.map_or("nobody we know", Level::as_str)
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    YourTurn,
    Others,
    Mine,
}

impl Group {
    const ALL: [Group; 3] = [Group::YourTurn, Group::Others, Group::Mine];

    fn id(self) -> &'static str {
        match self {
            Group::YourTurn => "turn",
            Group::Others => "others",
            Group::Mine => "mine",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Group::YourTurn => "Your turn",
            Group::Others => "Waiting for others",
            Group::Mine => "Mine",
        }
    }
}

/// The terms of the filter: `repo:` `author:` `tool:` `level:` `is:`, and words of the title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<(String, String)>,
}

impl Filter {
    /// Reads what somebody typed. A term with an unknown name is a word like any other.
    pub fn parse(text: &str) -> Self {
        let known = ["repo", "author", "tool", "level", "is"];
        let term = |word: &str| match word.split_once(':') {
            Some((name, value)) if known.contains(&name) => (name.to_owned(), value.to_lowercase()),
            _ => (String::new(), word.to_lowercase()),
        };
        Self {
            terms: text.split_whitespace().map(term).collect(),
        }
    }

    /// Whether a row is one that was asked for: every term has to hold.
    pub fn keeps(&self, row: &Row) -> bool {
        self.terms
            .iter()
            .all(|(name, value)| holds(row, name, value))
    }
}

fn holds(row: &Row, name: &str, value: &str) -> bool {
    let in_it = |text: &str| text.to_lowercase().contains(value);
    match name {
        "repo" => in_it(&row.repository),
        "author" => in_it(&row.author),
        "tool" => row
            .tools
            .iter()
            .any(|tool| in_it(tool.name()) || in_it(&tool.id())),
        "level" => row.level.map_or("nobody", Level::as_str) == value,
        "is" => value == row.verdict.word().as_str() || value == word(row.provenance),
        _ => in_it(&row.title) || in_it(&row.key),
    }
}

impl Filter {
    /// As far as the database can answer it; [`Filter::keeps`] looks at the rest.
    fn for_store(&self, after: Option<(Timestamp, ChangeId)>) -> store::queue::Filter {
        let value = |wanted: &str| {
            self.terms
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        store::queue::Filter {
            repository: value("repo").map(str::to_owned),
            // A part of a name parses as another tool.
            tool: value("tool")
                .and_then(Tool::parse)
                .filter(|tool| !matches!(tool, Tool::Other(_))),
            verdict: value("is").and_then(Word::parse),
            // Some databases know upper and lower case of ASCII only.
            text: value("author")
                .or(value(""))
                .filter(|text| text.is_ascii())
                .map(str::to_owned),
            after,
        }
    }
}

/// How many changes a page shows, and how many it reads at once.
const MOST: usize = 50;

/// How often it reads on when too few of what it read match: levels and marks are known to the rules, not to the database.
const READS: usize = 20;

/// Reads the oldest changes that wait and match, as of one moment.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
    asked: String,
    after: Option<(Timestamp, ChangeId)>,
) -> Result<QueuePage, Problem> {
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, &site, caller?, theme).await?;
    let looking = Looking {
        places: stand_ins::places(tx.conn(), viewer.person.id)
            .await
            .map_err(failed)?,
        viewer: &viewer,
    };
    let Part { rows, last } = matching(&mut tx, &site, &looking, &Filter::parse(&asked), after)
        .await
        .map_err(failed)?;
    let is_front = asked.trim().is_empty() && after.is_none();
    let owed = if is_front {
        owed(&mut tx, &viewer).await.map_err(failed)?
    } else {
        (vec![], false)
    };
    Ok(QueuePage {
        owed,
        rows,
        later: after.is_some(),
        more: last.map(|last| address(&asked, last)),
        asked,
        viewer,
        now: tx.now(),
    })
}

/// How many unsanctioned commits the front page has.
const MOST_OWED: usize = 50;

async fn owed(tx: &mut Tx, viewer: &Viewer) -> Result<(Vec<Unsanctioned>, bool), store::Error> {
    let most = i64::try_from(MOST_OWED + 1).unwrap_or(i64::MAX);
    let now = tx.now();
    let mut found = unsanctioned(tx.conn(), &viewer.reader(), now, most).await?;
    let more = found.len() > MOST_OWED;
    found.truncate(MOST_OWED);
    Ok((found, more))
}

/// Who looks, with what they may do besides their own.
struct Looking<'a> {
    viewer: &'a Viewer,
    places: Vec<stand_ins::Place>,
}

/// What was found in a part of the queue.
struct Part {
    rows: Vec<Row>,
    /// The end of the part, if the queue goes on after it.
    last: Option<(Timestamp, ChangeId)>,
}

/// The next changes that wait and match: enough for a page, or all that [`READS`] come upon.
async fn matching(
    tx: &mut Tx,
    site: &Site,
    looking: &Looking<'_>,
    filter: &Filter,
    after: Option<(Timestamp, ChangeId)>,
) -> Result<Part, store::Error> {
    let mut found = Part {
        rows: vec![],
        last: after,
    };
    for _ in 0..READS {
        let next = read(tx, site, looking, &filter.for_store(found.last)).await?;
        found.last = next.last;
        found
            .rows
            .extend(next.rows.into_iter().filter(|row| filter.keeps(row)));
        if found.last.is_none() || found.rows.len() >= MOST {
            break;
        }
    }
    if found.rows.len() > MOST {
        found.rows.truncate(MOST);
        found.last = found.rows.last().map(|row| (row.since, row.change));
    }
    Ok(found)
}

/// The next changes that the database finds.
async fn read(
    tx: &mut Tx,
    site: &Site,
    looking: &Looking<'_>,
    filter: &store::queue::Filter,
) -> Result<Part, store::Error> {
    let Looking { viewer, places } = looking;
    let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let mut found = waiting(
        tx.conn(),
        &viewer.reader(),
        filter,
        most,
        site.claims_max_age,
    )
    .await?;
    let more = found.len() > MOST;
    found.truncate(MOST);
    let last = found
        .last()
        .filter(|_| more)
        .map(|row| (row.since, row.listed.change.id));
    let ids: Vec<ChangeId> = found.iter().map(|row| row.listed.change.id).collect();
    let mine = touched_by(tx.conn(), viewer.person.id, &ids).await?;
    let now = tx.now();
    let rows = found.into_iter().map(|row| {
        let mine = mine.contains(&row.listed.change.id);
        Row::of(row, mine, viewer, places, now)
    });
    Ok(Part {
        rows: rows.collect(),
        last,
    })
}

/// Where the next page is.
fn address(asked: &str, (since, change): (Timestamp, ChangeId)) -> String {
    let since = since.unix_timestamp_nanos() / 1000;
    format!("/?q={}&after={since},{change}", encoded(asked))
}

/// Reads what [`address`] wrote.
pub fn parse_after(text: &str) -> Option<(Timestamp, ChangeId)> {
    let (since, change) = text.split_once(',')?;
    let since: i128 = since.parse().ok()?;
    let since = Timestamp::from_unix_timestamp_nanos(since.checked_mul(1000)?).ok()?;
    Some((since, change.parse().ok()?))
}

/// How much of the queue a page is: whose turn it is is known of what stands on it, and of nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    later: bool,
    more: bool,
}

impl Extent {
    fn is_part(self) -> bool {
        self.later || self.more
    }

    /// A count of this page, as one of the whole queue.
    fn at_least(self, count: usize) -> String {
        match (count, self.is_part()) {
            (0, true) => "none yet".to_owned(),
            (_, true) => format!("{count}+"),
            (_, false) => count.to_string(),
        }
    }

    /// What stands on the page.
    fn of(self, count: usize) -> String {
        let changes = if count == 1 { "change" } else { "changes" };
        match (self.later, self.more) {
            (_, true) if count == 0 => "none so far".to_owned(),
            (false, false) => format!("{count} {changes}"),
            (false, true) => format!("the oldest {count} {changes}"),
            (true, true) => format!("{count} {changes} after older ones"),
            (true, false) => format!("the last {count} {changes}"),
        }
    }
}

/// The whole page.
pub fn show(page: QueuePage) -> AnyView {
    let QueuePage {
        viewer,
        asked,
        owed: (owed, more_owed),
        rows,
        later,
        more,
        now,
    } = page;
    let extent = Extent {
        later,
        more: more.is_some(),
    };
    let mine = rows
        .iter()
        .filter(|row| row.group() == Group::YourTurn)
        .count();
    let groups = Group::ALL.map(|group| {
        (
            group,
            rows.iter()
                .filter(|row| row.group() == group)
                .cloned()
                .collect::<Vec<_>>(),
        )
    });
    let oldest = rows.iter().map(|row| row.since).min();
    let filtered = !asked.trim().is_empty();
    let counts = groups.clone().map(|(group, rows)| (group, rows.len()));
    let count = rows.len();
    view! {
        <PageTitle text=format!("Your turn ({})", extent.at_least(mine))/>
        <Frame viewer at=Place::Queue>
            <div class="with-rail">
                <aside class="rail" aria-label="Views">
                    <nav class="main-views" aria-label="Queue">
                        {counts
                            .into_iter()
                            .map(|(group, count)| {
                                let current = (group == Group::YourTurn).then_some("true");
                                view! { <a href=format!("#{}", group.id()) aria-current=current>{group.title()} <span>{extent.at_least(count)}</span></a> }
                            })
                            .collect_view()}
                        <a href="/decisions">"Decided" <span></span></a>
                    </nav>
                    <nav class="rail-only" aria-label="Filters">
                        <h2 class="cap">"Show only"</h2>
                        <a href="/?q=is:assisted">"Assisted"</a>
                        <a href="/?q=is:unknown">"Of unknown origin"</a>
                        <a href="/?q=level:junior">"By juniors"</a>
                        <a href="/?q=is:rejected">"Rejected"</a>
                    </nav>
                </aside>
                <main id="main" class="queue">
                    <FilterField asked=asked.clone() count oldest extent now/>
                    <Owed owed more=more_owed now/>
                    {(count > 0).then(|| view! { <Columns/> })}
                    {groups
                        .into_iter()
                        .filter(|(group, rows)| *group == Group::YourTurn || !rows.is_empty())
                        .map(|(group, rows)| view! { <Rows group rows filtered others=count - mine extent now/> })
                        .collect_view()}
                    {extent
                        .is_part()
                        .then(|| {
                            view! {
                                <nav class="pager" aria-label="Pages">
                                    {later.then(|| view! { <a class="btn sm" href=format!("/?q={}", encoded(&asked))>"From the oldest"</a> })}
                                    {more.map(|address| view! { <a class="btn sm" href=address>"Shorter waiting" <Icon name="next"/></a> })}
                                </nav>
                            }
                        })}
                </main>
            </div>
            <Keys items=".row .what a".to_owned() jumps=vec![Jump::new('/', "#q", "filter")] listed=true/>
        </Frame>
    }
    .into_any()
}

#[component]
fn Columns() -> impl IntoView {
    view! {
        <div class="cols" aria-hidden="true">
            <span></span>
            <span>"Change, and why it is here"</span>
            <span>"Repository"</span>
            <span>"Author, and what wrote it"</span>
            <span>"Missing"</span>
            <span>"Size"</span>
            <span>"Waiting"</span>
        </div>
    }
}

#[component]
fn FilterField(
    asked: String,
    count: usize,
    oldest: Option<Timestamp>,
    extent: Extent,
    now: Timestamp,
) -> AnyView {
    view! {
        <form class="filter" role="search" action="/">
            <h1 class="vh">"Queue"</h1>
            <div class="box">
                <Icon name="search"/>
                <label class="vh" for="q">"Filter changes"</label>
                <input id="q" name="q" value=asked placeholder="repo: author: tool: level: is:" spellcheck="false" autocomplete="off"/>
            </div>
            <button class="btn">"Filter"</button>
            <p>
                {extent.of(count)}
                {oldest.map(|at| view! { ", oldest " <Age at now/> })}
            </p>
        </form>
    }
    .into_any()
}

#[component]
fn Rows(
    group: Group,
    rows: Vec<Row>,
    filtered: bool,
    others: usize,
    extent: Extent,
    now: Timestamp,
) -> AnyView {
    let count = rows.len();
    let empty = rows.is_empty();
    view! {
        <section class="group" aria-labelledby=group.id()>
            <header>
                <h2 id=group.id()>{group.title()}</h2>
                <span class="dim">{count}</span>
                <small>{if extent.is_part() { "on this page, oldest first" } else { "oldest first" }}</small>
            </header>
            {if empty {
                view! { <Nothing filtered others extent/> }.into_any()
            } else {
                view! { <ol>{rows.into_iter().map(|row| view! { <Line row now/> }).collect_view()}</ol> }.into_any()
            }}
        </section>
    }
    .into_any()
}

/// What to do when there is nothing to do.
#[component]
fn Nothing(filtered: bool, others: usize, extent: Extent) -> AnyView {
    let said = match (filtered, others) {
        (true, 0) if extent.more => {
            "None of those that were looked at matches. Others wait behind them: go on with “Shorter waiting”."
        }
        _ if extent.more => "What has waited less long is on the next page, and may be yours.",
        _ if extent.later => "What has waited longer is on the pages before, and may be yours.",
        (true, 0) => "No change that waits matches the filter.",
        (true, _) => {
            "Nothing that matches the filter waits for you. What waits for others is below."
        }
        (false, 0) => {
            "Every change that was submitted is cleared. New ones come from your pipelines: `countersign submit`."
        }
        (false, _) => {
            "What waits for others is below; you may read it, and the reason why it is not yours stands there."
        }
    };
    let headline = match (filtered, extent.is_part()) {
        (_, true) => "Nothing on this page waits for you",
        (true, false) => "Nothing that matches waits for you",
        (false, false) => "Nothing waits for you",
    };
    // The tick says that there is nothing left to do, so it takes a look at everything.
    let done = !filtered && !extent.is_part();
    view! {
        <div class="empty">
            <div class="line">
                <div class="name">
                    {done.then(|| view! { <Glyph drawing="approved"/> })}
                    <span class="cut">{headline}</span>
                </div>
            </div>
            <p>{said}</p>
            <div class="acts">
                {filtered.then(|| view! { <a class="btn" href="/">"Show everything"</a> })}
                <a class="btn bare" href="/decisions">"See what was decided"</a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Line(row: Row, now: Timestamp) -> AnyView {
    let why = row.why();
    let (added, removed, files) = row.size;
    let missing = row
        .verdict
        .needs()
        .iter()
        .map(|need| need.count)
        .sum::<usize>();
    let (need, more) = needed(&row, missing);
    let word = row.verdict.word();
    view! {
        <li class="row">
            <Mark word/>
            <div class="what">
                <a href=format!("/changes/{}", row.change)><Theirs text=row.title/></a>
                <p class="why"><Theirs text=why/></p>
            </div>
            <div class="repo">
                <span>{short(&row.repository)}</span>
                <span class="sub">{format!("{} {}, r{}", owner(&row.repository), row.key, row.number)}</span>
                <Observed mode=row.mode/>
                <Unsigned merged=row.merged/>
            </div>
            <div class="by">
                <span class="name">
                    <span><Theirs text=row.author/></span>
                    <span class="lv">{level_words(row.level)}</span>
                </span>
                <span class="sub"><Origin provenance=row.provenance tools=row.tools/></span>
            </div>
            <div class="need">
                <span><Slots signed=row.signed missing/> {need}</span>
                <span class="sub">{more}</span>
            </div>
            <div class="num size">
                <span>
                    <span class="plus">{format!("+{added}")}</span>
                    " "
                    <span class="minus">{format!("−{removed}")}</span>
                </span>
                <span class="sub">{if files == 1 { "1 file".to_owned() } else { format!("{files} files") }}</span>
            </div>
            <div class="num age"><Age at=row.since now/></div>
        </li>
    }
    .into_any()
}

/// What is missing, and what else there is to say about it.
fn needed(row: &Row, missing: usize) -> (String, String) {
    let barred = match row.group() {
        Group::Mine => "not you: you had a hand in it",
        Group::YourTurn => "",
        Group::Others if row.approved => "you approved it",
        Group::Others if row.could_sign => "not yours to clear",
        Group::Others => "it takes another level",
    };
    let need = match (row.verdict.word(), missing) {
        (Word::Waiting, 1) => "1 senior".to_owned(),
        (Word::Waiting, n) => format!("{n} seniors"),
        (Word::Rejected, _) if row.vetoed.is_some() => "your rejection stands".to_owned(),
        (Word::Rejected, _) => "a rejection stands".to_owned(),
        (Word::Overridden, _) => "1 review owed".to_owned(),
        (Word::Undecidable, _) => "an admin's word".to_owned(),
        (word, _) => said(word).to_owned(),
    };
    (need, barred.to_owned())
}

fn owner(repository: &str) -> String {
    repository
        .rsplit_once('/')
        .map_or(String::new(), |(owner, _)| owner.to_owned())
}

fn short(repository: &str) -> String {
    repository
        .rsplit_once('/')
        .map_or(repository, |(_, name)| name)
        .to_owned()
}
