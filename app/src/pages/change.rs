//! One change: what holds for it and why, what it is made of, the patch, and the form that decides.

use std::collections::{HashMap, HashSet};

use domain::{
    Timestamp,
    case::{Case, Known, Tie},
    change::{Dispute, Patch, Revision},
    commit::Commit,
    contributor::{Contributor, Role},
    decision::{Decision, Kind},
    digest::Digest,
    ids::{ChangeId, FormKey, PersonId},
    patch::{FileName, split},
    people::Level,
    policy::{Held, Mode},
    problem::Problem,
    provenance::{self, Mark, Provenance, Share, Written},
    standing::Standing,
    verdict::{Need, UNCLAIMED, Verdict, Word},
};
use leptos::prelude::*;
use store::{
    cases::{self, Which},
    deployments::{self, OfChange},
    lines, patches, policies,
    remarks::{self, Said},
};

use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking};

use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        deployments::Deployments,
        diff::{File, Lines, Room, Shown},
        digest::{DigestBars, Size},
        exceptional::{DisputedRevision, Rare, RareKeys},
        frame::{Frame, Place, Viewer, rank},
        history::{Commits, Counts, Decisions},
        marks::{LinesByTools, Marks, Origin, tools},
        merged::{self, Unsigned},
        mode::{self, Observed},
        remarks::Remarks,
        since::{Difference, Incomparable, PieceOfIt},
        slots::{Missing, Signed},
        source::ConfirmedBy,
        text::{Theirs, plain},
        time::Ago,
        title::PageTitle,
        tree::{Entry, Tree, shown_name},
        unmarked::PassedUnmarked,
        verdict::{Glyph, drawing, said},
    },
    islands::{DecisionForm, Jump, Keys, May},
};

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct ChangePage {
    /// Who is looking.
    pub viewer: Viewer,
    /// The change with the revision that is shown: the current one, or the one that was asked for.
    pub case: Case,
    /// Whether gates enforce any of it.
    pub mode: Mode,
    /// What that revision adds.
    pub commits: Vec<Commit>,
    /// What says that a tool took part.
    pub marks: Vec<Mark>,
    /// Its files; too large ones without their lines.
    pub files: Vec<Shown>,
    /// All its revisions, the latest first.
    pub revisions: Vec<Revision>,
    /// Where it was deployed, the latest first.
    pub deployments: Vec<OfChange>,
    /// What people said of it at its code host, if anything was.
    pub remarks: Option<Said>,
    /// Patches beside the stored ones of which nobody has said yet which is true.
    pub disputes: Vec<Dispute>,
    /// The number of the last revision before this one that the viewer approved.
    pub approved: Option<i32>,
    /// Only what changed since one that they approved, where that was asked for.
    pub since: Option<Since>,
    /// Where a decision was refused because the change had moved: what had been shown, and what changed since.
    pub moved: Option<Moved>,
    /// Why the last form was refused, where no script could say so.
    pub told: Option<Problem>,
    /// What makes a resent form the decision already taken.
    pub form_key: FormKey,
    /// The same of the rare forms: whoever approves and then overrides takes two decisions.
    pub rare: RareKeys,
    /// What was said of single lines.
    pub written: Vec<Written>,
    /// When all of this was so.
    pub now: Timestamp,
}

/// What somebody had read when the change moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The revision that they had read.
    pub seen: Revision,
    /// The files that differ between that one and the current one, by the names that they have now.
    pub files: Vec<String>,
}

/// How many of its deployments a change shows.
const MOST_DEPLOYMENTS: i64 = 50;

/// What has become of a change since the viewer approved a revision of it.
#[derive(Clone, Debug)]
pub struct Since {
    /// The one that they approved.
    pub approved: Revision,
    /// What differs, or why nobody can say.
    pub difference: Result<Difference, Incomparable>,
}

/// All files of a page together: what a browser still scrolls through.
const PAGE: Room = Room {
    lines: 24_000,
    bytes: 2_000_000,
};

/// Patches larger than this, in bytes, are read by few at a time.
const LARGE: i64 = 1_000_000;

/// What stands in the address behind the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The number of a revision to be shown instead of the current one.
    pub revision: Option<i32>,
    /// A file to be shown whatever its length, as far as there is room, and how many of its lines to leave out before.
    pub file: Option<(usize, usize)>,
    /// Only what changed since the revision of this number, which whoever asks approved.
    pub since: Option<i32>,
    /// The digest that somebody decided about after the change had moved.
    pub moved: Option<Digest>,
    /// Why the last form was refused, where no script could say so.
    pub told: Option<Problem>,
}

/// Reads the change with everything that bears on it, as of one moment.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
    id: ChangeId,
    asked: Asked,
) -> Result<ChangePage, Problem> {
    let caller = caller?;
    let _place = place(&site, id).await?;
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, &site, caller, theme).await?;
    let which = asked.revision.map_or(Which::Current, Which::Number);
    let reader = viewer.reader();
    let case = cases::read(tx.conn(), &reader, id, which, site.claims_max_age)
        .await
        .map_err(failed)?
        .ok_or(Problem::NotFound)?;
    let (repository, revision) = (case.change.repository, case.revision.id);
    let revisions = cases::revisions(tx.conn(), repository, id)
        .await
        .map_err(failed)?;
    let bodies = patches::bodies(tx.conn(), repository, revision)
        .await
        .map_err(failed)?;
    let seen = asked
        .moved
        .and_then(|seen| revisions.iter().find(|one| one.digest == seen));
    let seen = match seen {
        Some(seen) if seen.id != revision => {
            let before = patches::bodies(tx.conn(), repository, seen.id).await;
            Some((seen.clone(), before.map_err(failed)?))
        }
        _ => None,
    };
    let before = case.approved_before(viewer.person.id);
    let since = asked.since.map(|number| {
        let is_theirs = before.iter().any(|one| one.revision_number == number);
        let approved = revisions.iter().find(|one| one.number == number);
        approved
            .filter(|_| is_theirs && revision == case.change.head)
            .ok_or(Problem::NothingApprovedBefore)
    });
    let not_theirs = since.and_then(Result::err);
    let approved = match since.and_then(Result::ok) {
        Some(approved) => {
            let before = patches::bodies(tx.conn(), repository, approved.id).await;
            Some((approved.clone(), before.map_err(failed)?))
        }
        None => None,
    };
    let written = lines::of(tx.conn(), repository, revision)
        .await
        .map_err(failed)?;
    let read = Read {
        written: written.clone(),
        bodies,
        asked: asked.file,
        seen,
        current: case.revision.clone(),
        approved,
    };
    let made = spawn_blocking(move || read.made()).await;
    let Made {
        files,
        moved,
        since,
    } = made.map_err(|_| Problem::Internal)??;
    // A digest that is none of this change's still deserves an answer, if not a comparison.
    let unknown = asked
        .moved
        .filter(|seen| *seen != case.revision.digest && moved.is_none())
        .map(|_| Problem::ChangedSinceYouLooked);
    let terms = policies::about(tx.conn(), &reader, &case.change.repository_name)
        .await
        .map_err(failed)?;
    let (_, terms) = terms.ok_or(Problem::NotFound)?;
    Ok(ChangePage {
        mode: terms.mode(tx.now()),
        commits: cases::commits(tx.conn(), repository, revision)
            .await
            .map_err(failed)?,
        marks: cases::marks(tx.conn(), repository, revision)
            .await
            .map_err(failed)?,
        files,
        written,
        deployments: deployments::of_change(tx.conn(), repository, id, MOST_DEPLOYMENTS)
            .await
            .map_err(failed)?,
        remarks: remarks::of_change(tx.conn(), id).await.map_err(failed)?,
        disputes: cases::disputes(tx.conn(), repository, id)
            .await
            .map_err(failed)?,
        approved: before.first().map(|one| one.revision_number),
        since,
        revisions: revisions.into_iter().rev().collect(),
        moved,
        told: asked.told.or(unknown).or(not_theirs),
        form_key: FormKey(store::ids::new()),
        rare: RareKeys {
            glass: FormKey(store::ids::new()),
            human: FormKey(store::ids::new()),
            dispute: FormKey(store::ids::new()),
            set_aside: keyed(case.rejections()),
            marks: keyed(case.open_marks()),
        },
        now: tx.now(),
        viewer,
        case,
    })
}

/// The digest of a revision and its patch as it was submitted, byte for byte.
///
/// # Errors
/// There is no such revision for whoever asks, or the database refused.
pub async fn patch(
    site: &Site,
    caller: PersonId,
    id: ChangeId,
    revision: Option<i32>,
) -> Result<(Digest, Vec<u8>), Problem> {
    let _place = place(site, id).await?;
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, site, caller, Theme::default()).await?;
    let which = revision.map_or(Which::Current, Which::Number);
    let case = cases::read(tx.conn(), &viewer.reader(), id, which, site.claims_max_age).await;
    let case = case.map_err(failed)?.ok_or(Problem::NotFound)?;
    let bodies = patches::bodies(tx.conn(), case.change.repository, case.revision.id).await;
    Ok((case.revision.digest, bodies.map_err(failed)?.concat()))
}

/// Where a patch of the change is large, one of the few places there are to read such, taken before there is a connection: who
/// waits for it holds up nobody else, no gate least of all.
async fn place(site: &Site, change: ChangeId) -> Result<Option<OwnedSemaphorePermit>, Problem> {
    let largest = patches::largest(&site.db, change).await.map_err(failed)?;
    if largest <= LARGE {
        return Ok(None);
    }
    let place = site.large.clone().acquire_owned().await;
    place.map(Some).map_err(|_| Problem::Internal)
}

/// The patches of which a page is made, whole.
struct Read {
    written: Vec<Written>,
    bodies: Vec<Vec<u8>>,
    asked: Option<(usize, usize)>,
    seen: Option<(Revision, Vec<Vec<u8>>)>,
    current: Revision,
    approved: Option<(Revision, Vec<Vec<u8>>)>,
}

/// What is made of them.
struct Made {
    files: Vec<Shown>,
    moved: Option<Moved>,
    since: Option<Since>,
}

impl Read {
    /// Takes CPU time in proportion to the patches: run it off the threads that gates are answered on.
    fn made(self) -> Result<Made, Problem> {
        let now = &self.bodies;
        let moved = self.seen.map(|(seen, before)| Moved {
            files: differing(&before, now),
            seen,
        });
        let since = self.approved.map(|(approved, before)| Since {
            difference: difference(&approved, &self.current, &before, now),
            approved,
        });
        Ok(Made {
            files: shown(now, &self.written, self.asked)?,
            moved,
            since,
        })
    }
}

fn difference(
    approved: &Revision,
    current: &Revision,
    before: &[Vec<u8>],
    now: &[Vec<u8>],
) -> Result<Difference, Incomparable> {
    if approved.patch != Patch::Whole || current.patch != Patch::Whole {
        return Err(Incomparable::InDoubt);
    }
    Difference::between(before, now, is_rebased(approved, current))
}

fn is_rebased(approved: &Revision, current: &Revision) -> bool {
    (&approved.merge_base, &approved.target) != (&current.merge_base, &current.target)
}

/// The files of a patch; where there is too much to read at once, some without their lines. A file that cannot be read is
/// no reason to leave it out: nobody may sign what they were not shown.
fn shown(
    bodies: &[Vec<u8>],
    written: &[Written],
    asked: Option<(usize, usize)>,
) -> Result<Vec<Shown>, Problem> {
    let mut by_path: HashMap<&[u8], Vec<&Written>> = HashMap::new();
    for row in written {
        by_path.entry(&row.path).or_default().push(row);
    }
    let mut room = PAGE;
    let mut files = Vec::with_capacity(bodies.len());
    for (ordinal, body) in bodies.iter().enumerate() {
        let file = split(body).ok().and_then(|mut files| files.pop());
        let file = file.ok_or_else(|| {
            tracing::error!(ordinal, "A stored patch cannot be read");
            Problem::Internal
        })?;
        let after = asked
            .filter(|(file, _)| *file == ordinal)
            .map(|(_, after)| after);
        let lines = match after {
            Some(after) => Some(Lines::of(ordinal, body, after, Room::OF_A_FILE)),
            None => room
                .holds(&file, body)
                .then(|| Lines::of(ordinal, body, 0, room)),
        };
        room = lines.as_ref().map_or(room, |lines| room.without(lines));
        let name = file.new.as_ref().map(FileName::as_bytes);
        let rows = name.and_then(|name| by_path.get(name));
        let share = rows.and_then(|rows| provenance::share(rows, body).ok()?);
        files.push(Shown {
            ordinal,
            file,
            lines,
            share,
        });
    }
    Ok(files)
}

/// The names of the files whose part of the patch is not the same.
fn differing(before: &[Vec<u8>], now: &[Vec<u8>]) -> Vec<String> {
    let only_in = |some: &[Vec<u8>], others: &[Vec<u8>]| -> Vec<String> {
        let others: HashSet<&[u8]> = others.iter().map(Vec::as_slice).collect();
        let changed = some.iter().filter(|body| !others.contains(body.as_slice()));
        changed
            .filter_map(|body| Some(shown_name(split(body).ok()?.first()?)))
            .collect()
    };
    let mut names = only_in(now, before);
    names.extend(only_in(before, now));
    names.sort();
    names.dedup();
    names
}

fn keyed<T>(open: Vec<T>) -> Vec<(T, FormKey)> {
    let with_key = |open| (open, FormKey(store::ids::new()));
    open.into_iter().map(with_key).collect()
}

/// The whole page.
pub fn show(page: ChangePage) -> AnyView {
    let ChangePage {
        viewer,
        case,
        mode,
        commits,
        marks,
        files,
        written,
        revisions,
        deployments,
        remarks,
        disputes,
        approved,
        since,
        moved,
        told,
        form_key,
        rare,
        now,
    } = page;
    let verdict = case.verdict(now);
    let told_of_lines = Told::of(written, &files);
    let standing = case.standing();
    let may = may(&case, &viewer, now);
    let passes = passes_unmarked(&case, &standing);
    let tools = tools(&marks);
    let difference = since
        .as_ref()
        .and_then(|since| since.difference.as_ref().ok());
    let entries = difference.map_or_else(|| entries(&files), Difference::entries);
    let basis = difference
        .and(since.as_ref())
        .map(|since| since.approved.number);
    let is_current = case.revision.id == case.change.head;
    let address = format!("/changes/{}?", case.change.id);
    let address = match is_current {
        true => address,
        false => format!("{address}revision={}&", case.revision.number),
    };
    let whole = format!(
        "/changes/{}/patch?revision={}",
        case.change.id, case.revision.number
    );
    let disputed: Vec<_> = revisions
        .iter()
        .filter(|one| one.patch == Patch::Disputed)
        .cloned()
        .collect();
    let range = match basis {
        Some(number) => format!("Only what changed since revision {number}"),
        None => format!(
            "Everything between {} and {}",
            case.revision.merge_base.short(),
            case.revision.head.short()
        ),
    };
    let observed = mode::strip(&case.change.repository_name, mode);
    let offered = approved.filter(|_| is_current && since.is_none());
    let counts: Vec<_> = case
        .decisions
        .iter()
        .map(|one| (one.clone(), counts(&case, &standing, &one.decision)))
        .collect();
    let title = format!(
        "{} {}, {}: {}",
        case.change.repository_name,
        case.change.key,
        said(verdict.word()),
        plain(&case.change.title)
    );
    view! {
        <PageTitle text=title/>
        <Frame viewer=viewer.clone() at=Place::Queue observed>
            <main id="main">
                {moved.map(|moved| view! { <WhatMoved moved case=case.clone() now/> })}
                {(!is_current).then(|| view! { <NotCurrent case=case.clone() told/> })}
                <header class="change-head">
                    <Head case=case.clone() mode merged=merged::without_sign_off(case.change.state, &verdict) now/>
                    <p class="gist">
                        <Origin provenance=standing.provenance tools=tools.clone()/>
                        <Amount revision=case.revision.clone()/>
                    </p>
                    <Banner verdict=verdict.clone() standing=standing.clone() passes you=may.approve.is_none().then(|| viewer.person.name.clone()) now/>
                </header>
                <div class="papers">
                    {(!counts.is_empty())
                        .then(|| {
                            view! {
                                <section aria-labelledby="decisions">
                                    <h2 id="decisions">"Decisions so far"</h2>
                                    <Decisions decisions=counts now/>
                                </section>
                            }
                        })}
                    <section aria-labelledby="commits">
                        <h2 id="commits">"Commits" <small>{commits.len()}</small></h2>
                        <Commits commits now/>
                    </section>
                    {(!deployments.is_empty())
                        .then(|| {
                            view! {
                                <section aria-labelledby="deployments">
                                    <h2 id="deployments">"Deployed"</h2>
                                    <Deployments deployments now/>
                                </section>
                            }
                        })}
                    {remarks.map(|said| view! { <Remarks said now/> })}
                </div>
                {disputed
                    .into_iter()
                    .map(|revision| {
                        view! { <DisputedRevision case=case.clone() viewer=viewer.clone() revision disputes=disputes.clone() now/> }
                    })
                    .collect_view()}
                {is_current.then(|| view! { <Rare case=case.clone() marks=marks.clone() viewer=viewer.clone() keys=rare now/> })}
                {since.as_ref().map(|since| view! { <SinceSlip since=since.clone() case=case.clone() now/> })}
                <div class="review" id="review">
                    <div class="tools">
                        <span class="range">{range}</span>
                        <a class="btn sm" href=whole download>
                            "Whole patch"
                        </a>
                        {offered.map(|number| view! { <OfferSince change=case.change.id number/> })}
                        <button class="btn sm to-drawer" type="button" popovertarget="files">
                            "Files " <small>{entries.len()}</small>
                        </button>
                        <button class="btn sm to-drawer of-facts" type="button" popovertarget="facts">
                            "Facts and marks"
                        </button>
                    </div>
                    <Tree files=entries/>
                    <div class="diff" id="files-here">
                        <h2 class="vh">"Patch"</h2>
                        {(files.is_empty() && basis.is_none()).then(|| view! { <p class="note">"The patch is empty: head and merge base have the same files."</p> })}
                        {match since.and_then(|since| Some((since.approved.number, since.difference.ok()?))) {
                            Some((number, difference)) => view! { <Pieces difference number change=case.change.id/> },
                            None => view! { <Files files address/> },
                        }}
                    </div>
                    <Facts case=case.clone() marks lines=told_of_lines revisions now/>
                </div>
            </main>
            {is_current
                .then(|| {
                    view! {
                        <DecisionForm change=case.change.id digest=case.revision.digest form_key may told>
                            <Signing case=case.clone() viewer verdict basis now/>
                        </DecisionForm>
                    }
                })}
            <Keys
                items=".file > header".to_owned()
                jumps=vec![
                    Jump::new('a', ".sign [value=approve]", "to approve"),
                    Jump::new('r', ".sign [name=reason]", "to the reason"),
                ]
                listed=false
            />
        </Frame>
    }
    .into_any()
}

/// Whether the policy would ask something of this change, and asks nothing only because there is no mark.
fn passes_unmarked(case: &Case, standing: &Standing) -> bool {
    let passes = |level| case.policy.document.passes_unmarked(level);
    standing.provenance == Provenance::Unknown && standing.level.is_some_and(passes)
}

fn entries(files: &[Shown]) -> Vec<Entry> {
    let entry = |shown: &Shown| Entry {
        ordinal: shown.ordinal,
        file: shown.file.clone(),
    };
    files.iter().map(entry).collect()
}

/// The whole patch. `address` is of this page, up to what shows a folded file.
#[component]
fn Files(files: Vec<Shown>, address: String) -> AnyView {
    files
        .into_iter()
        .map(|shown| {
            let address = address.clone();
            view! { <File shown address/> }
        })
        .collect_view()
        .into_any()
}

/// Only what changed since the revision of this number.
#[component]
fn Pieces(difference: Difference, number: i32, change: ChangeId) -> AnyView {
    let approved = format!("/changes/{change}?revision={number}");
    let (is_empty, rest) = (difference.pieces.is_empty(), difference.rest());
    view! {
        {difference
            .pieces
            .into_iter()
            .map(|piece| view! { <PieceOfIt piece number approved=approved.clone()/> })
            .collect_view()}
        {is_empty.then_some(view! { <p class="note">{rest}</p> })}
    }
    .into_any()
}

#[component]
fn OfferSince(change: ChangeId, number: i32) -> impl IntoView {
    let address = format!("/changes/{change}?since={number}#since");
    view! { <a href=address>{format!("Only what changed since revision {number}, which you approved")}</a> }
}

/// Says what is shown instead of the whole, what it leaves out, and how one comes back.
#[component]
fn SinceSlip(since: Since, case: Case, now: Timestamp) -> AnyView {
    let Since {
        approved,
        difference,
    } = since;
    let (number, current) = (approved.number, case.revision);
    let heading = match &difference {
        Ok(_) => format!("Only what changed since revision {number}, which you approved"),
        Err(_) => format!("The whole change, and not what changed since revision {number}"),
    };
    let rest = match &difference {
        Ok(difference) => difference.rest(),
        Err(why) => why.sentence().to_owned(),
    };
    let retargeted = (approved.target != current.target).then(|| {
        format!(
            "It was to be merged into {}, and is now for {}.",
            plain(approved.target.as_str()),
            plain(current.target.as_str())
        )
    });
    let rebased = (approved.merge_base != current.merge_base).then(|| {
        format!(
            "The merge base was {}, and is {}: what came with the new one is not part of this change, and is not shown.",
            approved.merge_base.short(),
            current.merge_base.short()
        )
    });
    let is_shown = difference.is_ok();
    view! {
        <section class="slip wide moved since" aria-labelledby="since">
            <h2 id="since">{heading}</h2>
            <p>{rest}</p>
            {retargeted.map(|said| view! { <p>{said}</p> })}
            {rebased.map(|said| view! { <p>{said}</p> })}
            <div class="versus">
                <Version cap="You approved" revision=approved now/>
                <Version cap="It is now" revision=current now/>
            </div>
            {is_shown
                .then(|| {
                    view! {
                        <p class="note">
                            "An approval given here is for the whole of the current revision, and says that it was made on this basis. "
                            <a href=format!("/changes/{}#review", case.change.id)>"The whole change"</a>
                        </p>
                    }
                })}
        </section>
    }
    .into_any()
}

/// What the viewer may do, by the same rule that is asked when they do it.
fn may(case: &Case, viewer: &Viewer, now: Timestamp) -> May {
    let refusal = |kind| case.may_decide(&viewer.person, kind, now).err();
    let stands_in = !case.places(&viewer.person, now).is_empty();
    let standing = case.standing();
    let mut approvals = standing.approvals();
    let approved = approvals.any(|voice| voice.person == viewer.person.id);
    May {
        approve: refusal(Kind::Approve).filter(|_| !stands_in),
        reject: refusal(Kind::Reject),
        withdraw: refusal(Kind::Withdraw).is_none(),
        approved,
    }
}

fn counts(case: &Case, standing: &Standing, decision: &Decision) -> Counts {
    let seq = decision.seq;
    let voice = standing.voices.iter().find(|voice| voice.seq == seq);
    let stands = voice.is_some_and(|voice| standing.counts(voice));
    if standing.vetoes().any(|veto| veto.seq == seq) || stands {
        return Counts::Yes;
    }
    let principal = || case.role_of(decision.stands_in_for?);
    let now = case.role_of(decision.person).or_else(principal);
    match (decision.kind, now, case.bars(decision)) {
        (Kind::Approve, Some(role), _) => Counts::Contributor(role),
        (Kind::Approve, None, Some(role)) => Counts::Unlinked(role),
        _ if voice.is_some_and(|voice| voice.carried.is_some() && voice.unasked) => Counts::Unasked,
        _ => Counts::No,
    }
}

/// What fits on three lines of a phone, about.
const LONG_TITLE: usize = 110;

#[component]
fn Head(case: Case, mode: Mode, merged: bool, now: Timestamp) -> AnyView {
    let Case {
        change, revision, ..
    } = case;
    let long = change.title.chars().count() > LONG_TITLE;
    view! {
        <nav class="crumbs" aria-label="Where">
            <a href="/">"Queue"</a>
            <span aria-hidden="true">"/"</span>
            <a href=format!("/?q=repo:{}", change.repository_name)>{change.repository_name.to_string()}</a>
            <span aria-hidden="true">"/"</span>
            <span>{change.key.to_string()}</span>
            <Observed mode/>
            <Unsigned merged/>
        </nav>
        <h1><Theirs text=change.title/></h1>
        {long.then(|| view! { <details class="whole"><summary>"The whole title"</summary></details> })}
        <p class="sub">
            <span><Theirs text=change.author/> " into " <code><Theirs text=revision.target.to_string()/></code></span>
            <span>{format!("revision {}, ", revision.number)} <Ago at=revision.arrived_at now/></span>
            <span>"head " <code title=revision.head.to_string()>{revision.head.short().to_owned()}</code></span>
            <span class="desk-only"><DigestBars digest=revision.digest size=Size::Small/></span>
            {(change.state != domain::change::ChangeState::Open).then(|| view! { <b>{change.state.as_str()}</b> })}
            {change.draft.then(|| view! { <b>"draft"</b> })}
            {change
                .url
                .map(|url| view! { <a href=url rel="noreferrer">"Where it was proposed"</a> })}
        </p>
    }
    .into_any()
}

#[component]
fn Amount(revision: Revision) -> AnyView {
    let files = if revision.files == 1 {
        "1 file".to_owned()
    } else {
        format!("{} files", revision.files)
    };
    view! {
        <span>
            <span class="plus">{format!("+{}", revision.added)}</span>
            " "
            <span class="minus">{format!("−{}", revision.removed)}</span>
            {format!(" in {files}")}
        </span>
    }
    .into_any()
}

/// A form's head: what holds, why, whose name is still missing.
#[component]
fn Banner(
    verdict: Verdict,
    standing: Standing,
    passes: bool,
    you: Option<String>,
    now: Timestamp,
) -> AnyView {
    let word = verdict.word();
    let signed: Vec<_> = standing.approvals().cloned().collect();
    let needs = verdict.needs().to_vec();
    let yours = you.is_some();
    let drawn = drawing(word);
    let empty = signed.is_empty() && needs.is_empty();
    view! {
        <section class="verdict" aria-label="Verdict">
            <div>
                <span class=format!("v v-{drawn} lg")>
                    <Glyph drawing=drawn/>
                    <span>{sentence_case(said(word))}</span>
                </span>
                {verdict
                    .reasons()
                    .into_iter()
                    .map(|reason| view! { <p class="say"><Theirs text=reason.sentence/></p> })
                    .collect_view()}
                <PassedUnmarked word passes/>
                {needs.iter().map(|need| view! { <p class="who">{who(need, you.as_deref())}</p> }).collect_view()}
            </div>
            <div>
                <ol class="lines">
                    {signed.into_iter().map(|voice| view! { <Signed voice now/> }).collect_view()}
                    {needs.into_iter().map(|need| view! { <Missing need yours/> }).collect_view()}
                </ol>
                {empty.then(|| view! { <p class="under dim">{nobody_asked(word)}</p> })}
            </div>
        </section>
    }
    .into_any()
}

/// Who could clear it, by name as far as names are known; `you` is the name of the viewer, if they could.
fn who(need: &Need, you: Option<&str>) -> String {
    let others = need.people.iter().filter(|name| Some(&***name) != you);
    let mut named: Vec<String> = you
        .map(|_| "You".to_owned())
        .into_iter()
        .chain(others.map(|name| plain(name)))
        .collect();
    let more = need
        .eligible
        .saturating_sub(u32::try_from(named.len()).unwrap_or(u32::MAX));
    if more > 0 {
        named.push(format!("{more} more"));
    }
    match named.split_last() {
        None => String::new(),
        Some((only, [])) => format!("{only} can clear it."),
        Some((last, others)) => format!("{} or {last} can clear it.", others.join(", ")),
    }
}

fn nobody_asked(word: Word) -> &'static str {
    match word {
        Word::NotRequired => "No signature is asked for.",
        Word::Overridden => "An override stands in for the signatures; a review is owed.",
        _ => "No signature counts now.",
    }
}

fn sentence_case(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[component]
fn Facts(
    case: Case,
    marks: Vec<Mark>,
    lines: Told,
    revisions: Vec<Revision>,
    now: Timestamp,
) -> AnyView {
    let shown = case.revision.id;
    let others: Vec<_> = revisions
        .into_iter()
        .filter(|one| one.id != shown)
        .collect();
    let revision = case.revision.clone();
    let tools = tools(&standing_of(&marks, &case));
    let standing = case.standing();
    let level = standing.level.map_or("nobody we know", Level::as_str);
    let people = contributors(&case);
    let all = people.len();
    let more = all.saturating_sub(MOST_CONTRIBUTORS);
    view! {
        <aside class="facts side drawer" id="facts" popover aria-label="Facts" tabindex="0">
            <section>
                <h2>"Facts"</h2>
                <dl>
                    <dt>"Author"</dt>
                    <dd><Theirs text=case.change.author.clone()/></dd>
                    <dt>"Counts as"</dt>
                    <dd>{level}<small>{counts_as(&standing)}</small></dd>
                    <dt>"Written by"</dt>
                    <dd>
                        <Origin provenance=standing.provenance tools/>
                        {standing.believed.map(|name| view! { <small>"believed because " <Theirs text=name/> " said so"</small> })}
                    </dd>
                    <dt>"Lines by tools"</dt>
                    <dd><LinesByTools written=lines.written added=lines.added shares=lines.shares/></dd>
                    <dt>"Size"</dt>
                    <dd><Amount revision=revision.clone()/></dd>
                    <dt>"Patch"</dt>
                    <dd>{trust(revision.patch)}</dd>
                    <dt>"Source"</dt>
                    <dd><ConfirmedBy case=case.clone() now/></dd>
                    <dt>"Base"</dt>
                    <dd><code title=revision.merge_base.to_string()>{revision.merge_base.short().to_owned()}</code></dd>
                    <dt>"Policy"</dt>
                    <dd><a href=format!("/repositories/{}", case.change.repository_name)>{format!("{}, version {}", case.policy.id, case.policy.version)}</a></dd>
                </dl>
            </section>
            <section>
                <h2>"Contributors" <small>{all}</small></h2>
                <ul class="people">
                    {people
                        .into_iter()
                        .take(MOST_CONTRIBUTORS)
                        .map(|(name, said)| view! { <li><Theirs text=name/><small>{said}</small></li> })
                        .collect_view()}
                    {(more > 0).then(|| view! { <li class="dim">{format!("and {more} more")}</li> })}
                </ul>
            </section>
            <section>
                <h2>"Marks" <small>{format!("{} found", marks.len())}</small></h2>
                <Marks marks case=case.clone()/>
            </section>
            {(!others.is_empty())
                .then(|| {
                    view! {
                        <section>
                            <h2>"Other revisions" <small>{others.len()}</small></h2>
                            <ul class="people">
                                {others.into_iter().map(|other| view! { <Other change=case.change.id other now/> }).collect_view()}
                            </ul>
                        </section>
                    }
                })}
        </aside>
    }
    .into_any()
}

/// What is told of single lines, and how much of each file that adds any it is.
struct Told {
    written: Vec<Written>,
    added: u32,
    shares: Vec<Option<Share>>,
}

impl Told {
    fn of(written: Vec<Written>, files: &[Shown]) -> Self {
        let adding = || files.iter().filter(|shown| shown.file.added > 0);
        Self {
            written,
            added: adding().map(|shown| shown.file.added).sum(),
            shares: adding().map(|shown| shown.share).collect(),
        }
    }
}

/// The marks that nobody found wrong.
fn standing_of(marks: &[Mark], case: &Case) -> Vec<Mark> {
    let all = (1..).zip(marks);
    all.filter(|(number, _)| !case.is_wrong(*number))
        .map(|(_, mark)| mark.clone())
        .collect()
}

fn trust(patch: Patch) -> &'static str {
    match patch {
        Patch::Whole => "whole",
        Patch::Disputed => "disputed: another one was submitted",
        Patch::Wrong => "wrong, an admin said",
        Patch::Incomplete => "not given whole by the code host",
    }
}

#[component]
fn Other(change: ChangeId, other: Revision, now: Timestamp) -> AnyView {
    let address = format!("/changes/{change}?revision={}", other.number);
    let doubt = (other.patch != Patch::Whole).then(|| format!(", patch {}", trust(other.patch)));
    view! {
        <li>
            <a href=address>{format!("{}, head ", other.number)} <code>{other.head.short().to_owned()}</code></a>
            {doubt}
            <small><Ago at=other.arrived_at now/></small>
        </li>
    }
    .into_any()
}

/// How the level was found.
fn counts_as(standing: &Standing) -> &'static str {
    if standing.unclaimed {
        UNCLAIMED
    } else {
        "the lowest level among its contributors, as it was when the revision arrived"
    }
}

/// How many contributors are named beside the patch.
const MOST_CONTRIBUTORS: usize = 200;

/// Everybody who had a hand in it, each once, in what ways, and at which level they count.
fn contributors(case: &Case) -> Vec<(String, String)> {
    // There may be thousands: each is looked up, not looked for.
    let mut places: HashMap<Hand, usize> = HashMap::new();
    let mut people: Vec<(String, Vec<Role>, String)> = Vec::new();
    for known in &case.contributors {
        let (hand, rank) = hand(known);
        let name = hand.name.clone();
        let place = *places.entry(hand).or_insert(people.len());
        if place == people.len() {
            people.push((name, Vec::new(), rank));
        }
        let roles = &mut people[place].1;
        if !roles.contains(&known.contributor.role) {
            roles.push(known.contributor.role);
        }
    }
    let said = |(name, roles, rank): (String, Vec<Role>, String)| {
        let roles: Vec<&str> = roles.into_iter().map(Role::words).collect();
        (name, format!("{}; {rank}", roles.join(", ")))
    };
    people.into_iter().map(said).collect()
}

/// Whose hand it was: a person whom we know, or a name that a commit carries.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Hand {
    person: Option<PersonId>,
    name: String,
}

fn hand(known: &Known) -> (Hand, String) {
    let who = &known.contributor.who;
    let written = if who.name.is_empty() {
        &who.email
    } else {
        &who.name
    };
    let by_name = Hand {
        person: None,
        name: written.clone(),
    };
    match people_behind(&known.ties).as_slice() {
        [] => (by_name, "nobody we know".to_owned()),
        [tie] if tie.own_word => {
            let says = format!(
                "nobody we know; {} calls the address theirs",
                plain(&tie.name)
            );
            (by_name, says)
        }
        [tie] => {
            let rank = match (tie.proved, tie.level) {
                (true, Some(level)) => level.as_str().to_owned(),
                (true, None) => "no level then".to_owned(),
                (false, _) => "by an unproved address, so of no level".to_owned(),
            };
            (
                Hand {
                    person: Some(tie.person),
                    name: tie.name.clone(),
                },
                rank,
            )
        }
        ties => {
            let names: Vec<String> = ties.iter().map(|tie| plain(&tie.name)).collect();
            (by_name, format!("could be {}", names.join(" or ")))
        }
    }
}

/// Each person once, by the link that proves most: an address and a login that are both somebody's lead to one person. A link
/// that was withdrawn is shown where it gave the revision a level.
fn people_behind(ties: &[Tie]) -> Vec<&Tie> {
    let strength = |tie: &Tie| (tie.proved, !tie.own_word);
    let mut people: Vec<&Tie> = Vec::new();
    for tie in ties.iter().filter(|tie| tie.holds() || tie.proved) {
        match people.iter_mut().find(|known| known.person == tie.person) {
            Some(known) if strength(tie) > strength(known) => *known = tie,
            Some(_) => {}
            None => people.push(tie),
        }
    }
    people
}

/// What is signed, as whom, for which rule.
#[component]
fn Signing(
    case: Case,
    viewer: Viewer,
    verdict: Verdict,
    basis: Option<i32>,
    now: Timestamp,
) -> AnyView {
    let rule = verdict.needs().first().map(|need| need.rule.clone());
    view! {
        <NoneOfThese case=case.clone()/>
        {basis.map(|number| view! { <input type="hidden" name="since" value=number.to_string()/> })}
        <div class="what">
            <span class="cap">"You sign"</span>
            <DigestBars digest=case.revision.digest/>
            <small class="cut">
                {format!("{} {}, revision {}, head ", case.change.repository_name, case.change.key, case.revision.number)}
                <code>{case.revision.head.short().to_owned()}</code>
            </small>
            {basis.map(|number| view! { <small class="basis">{format!("having read what changed since revision {number}")}</small> })}
        </div>
        <div class="fills">
            <span class="cap">"As, and for"</span>
            <span class="as"><b class="cut"><Theirs text=viewer.person.name.clone()/> ", " {rank(&viewer)}</b></span>
            <small class="cut">
                {rule.map(|rule| view! { "rule " <code>{rule}</code> ", " })}
                {format!("policy {}, version {}", case.policy.id, case.policy.version)}
            </small>
        </div>
        <InWhosePlace case viewer verdict now/>
    }
    .into_any()
}

/// For whoever may approve in the place of somebody else: whose place it is. What fills something that is missing stands first.
#[component]
fn InWhosePlace(case: Case, viewer: Viewer, verdict: Verdict, now: Timestamp) -> AnyView {
    let places = case.places(&viewer.person, now);
    if places.is_empty() {
        return ().into_any();
    }
    let is_missing = |held: &Held<'_>| verdict.needs().iter().any(|need| need.who.admits(held));
    let own = case.may_decide(&viewer.person, Kind::Approve, now).is_ok();
    let own = own.then(|| {
        (
            is_missing(&viewer.held()),
            String::new(),
            "Your own".to_owned(),
        )
    });
    let others = places.into_iter().map(|place| {
        let held = place.held(viewer.level.granted());
        let name = format!("Of {}, for whom you stand in", plain(&place.name));
        (is_missing(&held), place.principal.to_string(), name)
    });
    let mut options: Vec<_> = own.into_iter().chain(others).collect();
    options.sort_by_key(|(fills, ..)| !fills);
    view! {
        <label class="place">
            "In whose place " <select class="field" name="stands_in_for">
                {options.into_iter().map(|(_, value, name)| view! { <option value=value>{name}</option> }).collect_view()}
            </select>
        </label>
    }
    .into_any()
}

/// How many are named of those whom nobody knows.
const MOST_NAMED: usize = 5;

/// Those who had a hand in it and whom nobody knows; who approves says that none of them is them.
#[component]
fn NoneOfThese(case: Case) -> AnyView {
    let unidentified = case.unidentified();
    if unidentified.is_empty() {
        return ().into_any();
    }
    let written = |one: &Contributor| match (one.who.name.as_str(), one.who.email.as_str()) {
        (name, "") => name.to_owned(),
        ("", email) => email.to_owned(),
        (name, email) => format!("{name} <{email}>"),
    };
    let more = unidentified.len().saturating_sub(MOST_NAMED);
    let names: Vec<String> = unidentified
        .into_iter()
        .take(MOST_NAMED)
        .map(written)
        .collect();
    view! {
        <div class="nobodys">
            <span>
                "Nobody knows who had a hand in this as "
                {names
                    .into_iter()
                    .enumerate()
                    .map(|(n, name)| view! { {if n == 0 { "" } else { ", " }} <b><Theirs text=name/></b> })
                    .collect_view()}
                {(more > 0).then(|| format!(" and {more} more"))}
                "."
            </span>
            <label><input type="checkbox" name="none_of_these_is_me" value="true"/> "None of these is me"</label>
        </div>
    }
    .into_any()
}

/// A revision that is read and not signed; and why its form was refused, where no script could say so.
#[component]
fn NotCurrent(case: Case, told: Option<Problem>) -> AnyView {
    let number = case.revision.number;
    view! {
        <section class="slip wide moved" aria-label="Not the current revision">
            {told.map(|problem| view! { <p class="told" role="alert">{problem.sentence()}</p> })}
            <p class="note">
                {format!("This is revision {number}, which is not the current one. What a gate says of it stands below; decisions are about ")}
                <a href=format!("/changes/{}", case.change.id)>"the current revision"</a>
                "."
            </p>
        </section>
    }
    .into_any()
}

/// Nothing was recorded, since the change moved: what had been read, and what it is now.
#[component]
fn WhatMoved(moved: Moved, case: Case, now: Timestamp) -> AnyView {
    let Moved { seen, files } = moved;
    let current = case.revision;
    let how_many = match files.len() {
        0 => "no file differs between the two".to_owned(),
        1 => "1 file differs".to_owned(),
        n => format!("{n} files differ"),
    };
    view! {
        <section class="slip wide moved" role="alert" aria-labelledby="moved">
            <div>
                <h2 id="moved">"Nothing was recorded: the change moved while you were reading"</h2>
                <p class="note">
                    {format!(
                        "You decided about revision {}. Revision {} has come since, and a decision is about one exact digest.",
                        seen.number,
                        current.number,
                    )}
                </p>
            </div>
            <div class="versus">
                <Version cap="You read" revision=seen now/>
                <Version cap="It is now" revision=current now/>
            </div>
            <p>{how_many} {(!files.is_empty()).then_some(":")}</p>
            <ul class="people">
                {files
                    .into_iter()
                    .take(50)
                    .map(|name| view! { <li class="mono"><Theirs text=name/></li> })
                    .collect_view()}
            </ul>
            <p class="dim">"Below is what it is now. Read it, then decide."</p>
        </section>
    }
    .into_any()
}

#[component]
fn Version(cap: &'static str, revision: Revision, now: Timestamp) -> AnyView {
    view! {
        <div>
            <span class="cap">{cap}</span>
            <DigestBars digest=revision.digest size=Size::Large/>
            <span>{format!("revision {}, head ", revision.number)} <code>{revision.head.short().to_owned()}</code></span>
            <small><Ago at=revision.arrived_at now/></small>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(name: &str, lines: usize) -> Vec<u8> {
        let (zero, blob) = ("0".repeat(40), "1".repeat(40));
        let head = format!(
            "diff --git a/{name} b/{name}\nnew file mode 100644\nindex {zero}..{blob}\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{lines} @@\n"
        );
        (head + &"+x\n".repeat(lines)).into_bytes()
    }

    #[test]
    fn what_nobody_reads_at_once_is_folded_until_it_is_asked_for() {
        let bodies = vec![
            added("a", 11_000),
            added("b", 12_001),
            added("c", 11_000),
            added("d", 3_000),
        ];
        let folded = |asked| -> Vec<bool> {
            let files = shown(&bodies, &[], asked).unwrap();
            files.iter().map(|file| file.lines.is_none()).collect()
        };
        assert_eq!(folded(None), [false, true, false, true]);
        assert_eq!(folded(Some((1, 0))), [false, false, true, true]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_never_left_out() {
        let bodies = vec![added("a", 1), b"no patch".to_vec()];
        assert_eq!(shown(&bodies, &[], None), Err(Problem::Internal));
    }

    #[test]
    fn files_differ_when_their_part_of_the_patch_does() {
        let before = [added("same", 1), added("longer", 1), added("gone", 1)];
        let now = [added("same", 1), added("longer", 2), added("new", 1)];
        assert_eq!(differing(&before, &now), ["gone", "longer", "new"]);
        assert!(differing(&now, &now).is_empty());
    }
}
