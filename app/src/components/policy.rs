//! The parts of a repository's page: its policy and versions, the editor and what it answers, trials, and the mode.

use domain::{
    Timestamp,
    case::Case,
    names::RepositoryName,
    people::Level,
    policy::{
        Admin, Fault, LONGEST_OBSERVATION, Mode, Terms,
        lowering::DAYS,
        trial::{AskWhy, Differs, Pace, Rollout, RuleWhy, Stranger, Waits, Why},
    },
    text::one_line,
};
use leptos::prelude::*;
use store::{
    modes,
    policies::{Measured, State, Version},
};

use super::{
    link::{WhoItIs, account},
    mode::date,
    text::{Theirs, for_textarea, lines, plain},
    time::Ago,
    verdict::said,
};

/// How many lines of a list are shown.
const SHOWN: usize = 50;

/// The text that holds, and the way back to the default.
#[component]
pub fn InForce(terms: Terms, text: Option<String>, name: RepositoryName, admin: bool) -> AnyView {
    let own = terms.policy.id != store::policies::DEFAULT;
    let base = terms.policy.label();
    let text = text.unwrap_or_else(|| "# The text is gone from the database.\n".to_owned());
    view! {
        <section class="paper" aria-labelledby="in-force">
            <header><h2 id="in-force">"What holds"</h2><span class="dim">{base.clone()}</span></header>
            <pre class="terms" tabindex="0" role="region" aria-label="The policy that holds"><code inner_html=lines(&text)></code></pre>
            {(admin && own)
                .then(|| {
                    view! {
                        <details class="rare">
                            <summary>"Go back to the default"</summary>
                            <form method="post" action="/fn/unset-policy">
                                <p>"Where that lowers what was needed, another admin has to confirm it."</p>
                                <input type="hidden" name="repository" value=name.to_string()/>
                                <input type="hidden" name="base" value=base/>
                                <label>"Note" <input class="field" name="note" maxlength="400" autocomplete="off"/></label>
                                <button class="btn no">"Back to the default"</button>
                            </form>
                        </details>
                    }
                })}
        </section>
    }
    .into_any()
}

/// Where an admin writes. What they send is kept, whatever is in it.
#[component]
pub fn Editor(name: RepositoryName, written: String) -> AnyView {
    let rows = written.lines().count().clamp(12, 40);
    view! {
        <section class="paper" id="draft" aria-labelledby="draft-title">
            <header><h2 id="draft-title">"Draft"</h2><span class="dim">"Nothing in it counts until it is put in force."</span></header>
            <form class="draft" method="post" action="/fn/draft-policy">
                <input type="hidden" name="repository" value=name.to_string()/>
                <label class="vh" for="policy-text">"Policy, in TOML"</label>
                <textarea class="field" id="policy-text" name="text" rows=rows.to_string() spellcheck="false" autocomplete="off" autocapitalize="off" inner_html=for_textarea(&written)></textarea>
                <button class="btn solid">"Check and try"</button>
            </form>
        </section>
    }
    .into_any()
}

/// What is wrong with a draft, and where.
#[component]
pub fn Faults(faults: Vec<Fault>) -> AnyView {
    let count = faults.len();
    view! {
        <section class="paper" role="alert" aria-labelledby="faults">
            <header><h2 id="faults">{format!("The draft cannot be read: {count} {}", if count == 1 { "fault" } else { "faults" })}</h2></header>
            <ul class="plain">{faults.into_iter().map(|fault| view! { <li><Theirs text=fault.to_string()/></li> }).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// What a draft would have made of the past, and the button that puts it in force.
#[component]
pub fn Tried(
    name: RepositoryName,
    measured: Measured,
    days: i64,
    base: String,
    digest: String,
) -> AnyView {
    let seen = measured.hindsight;
    let (lowers, pace) = (!measured.lowers.is_empty(), measured.pace);
    let looked = if measured.whole {
        format!(
            "{} revisions of the last {days} days were looked at, all that arrived.",
            seen.looked_at
        )
    } else {
        format!(
            "The latest {} revisions of the last {days} days were looked at; there are more.",
            seen.looked_at
        )
    };
    view! {
        <section class="paper" aria-labelledby="tried">
            <header><h2 id="tried">"If the draft had held"</h2><Periods name=name.clone() days/></header>
            <div class="plain">
                <p>{looked} {format!(" {} wait now, and {} would. {} would be judged otherwise.", seen.wait_now, seen.would_wait, seen.differ.len())}</p>
                {(seen.nobody > 0).then(|| view! { <p><b>{format!("{} of those that would wait nobody could clear.", seen.nobody)}</b></p> })}
            </div>
            {(!seen.waits.is_empty()).then(|| view! { <ForWhom waits=seen.waits/> })}
            {(!seen.reviews.is_empty())
                .then(|| {
                    view! {
                        <table class="ledger">
                            <caption class="vh">"Approvals that these revisions ask for, given or not"</caption>
                            <thead><tr><th scope="col">"Approvals by"</th><th scope="col" class="num">"Now"</th><th scope="col" class="num">"Then"</th><th scope="col" class="num">"Their time, then"</th></tr></thead>
                            <tbody>
                                {seen.reviews
                                    .into_iter()
                                    .map(|one| view! { <tr><th scope="row"><Theirs text=one.whom/></th><td class="num">{one.now}</td><td class="num">{one.then}</td><td class="num"><Takes pace now=one.now then=one.then/></td></tr> })
                                    .collect_view()}
                            </tbody>
                        </table>
                        <p class="plain dim"><small>{Pace::MEANS}</small></p>
                    }
                })}
            <Differing differ=seen.differ/>
            {lowers.then(|| view! { <Lowering reasons=measured.lowers/> })}
            <form class="plain" method="post" action="/fn/set-policy">
                <input type="hidden" name="repository" value=name.to_string()/>
                <input type="hidden" name="base" value=base.clone()/>
                <input type="hidden" name="digest" value=digest/>
                <label>"Note" <input class="field" name="note" maxlength="400" autocomplete="off"/></label>
                <button class="btn solid">{if lowers { "Propose to another admin" } else { "Put in force" }}</button>
                <small class="dim">{format!("In place of {base}.")}</small>
            </form>
        </section>
    }
    .into_any()
}

/// The periods that a draft can be tried on.
pub const PERIODS: [i64; 3] = [7, 30, 90];

#[component]
fn Periods(name: RepositoryName, days: i64) -> impl IntoView {
    let link = move |period: i64| {
        let address = format!("/repositories/{name}?draft=1&days={period}#tried");
        view! { <a href=address aria-current=(period == days).then_some("true")>{format!("{period} days")}</a> }
    };
    view! { <nav class="pick" aria-label="Period">{PERIODS.map(link).collect_view()}</nav> }
}

/// Those for whom revisions would wait, by name as far as they are named.
#[component]
fn ForWhom(waits: Vec<Waits>) -> AnyView {
    let one = |one: Waits| {
        let revisions = match one.revisions {
            1 => "1 would wait for ".to_owned(),
            n => format!("{n} would wait for "),
        };
        let named = one
            .people
            .iter()
            .map(|name| plain(name))
            .collect::<Vec<_>>();
        let who = match (named.as_slice(), one.others) {
            ([], _) => "nobody could clear them".to_owned(),
            (names, 0) => names.join(", "),
            (names, others) => format!("{} and {others} more", names.join(", ")),
        };
        view! { <li>{revisions} <Theirs text=one.whom/> ": " {who}</li> }
    };
    view! {
        <div class="plain">
            <p>"For whom, of those who could have cleared them whoever has least to do first:"</p>
            <ul>{waits.into_iter().map(one).collect_view()}</ul>
        </div>
    }
    .into_any()
}

#[component]
fn Takes(pace: Option<Pace>, now: usize, then: usize) -> impl IntoView {
    match pace {
        Some(pace) => format!("about {} (now {})", pace.words(then), pace.words(now)),
        None => "not known".to_owned(),
    }
}

#[component]
fn Lowering(reasons: Vec<String>) -> AnyView {
    view! {
        <div class="plain" role="note">
            <p><b>"It lowers what is needed, so another admin has to confirm it:"</b></p>
            <ul>{reasons.into_iter().map(|why| view! { <li><Theirs text=why/></li> }).collect_view()}</ul>
        </div>
    }
    .into_any()
}

#[component]
fn Differing(differ: Vec<Differs>) -> AnyView {
    let more = differ.len().saturating_sub(SHOWN);
    view! {
        <ul class="plain">
            {differ
                .into_iter()
                .take(SHOWN)
                .map(|one| {
                    let (now, then) = (said(one.now), said(one.then));
                    view! { <li><a href=format!("/changes/{}", one.change)>{format!("{}, revision {}", one.key, one.revision)}</a> {format!(": {now}, would be {then}")}</li> }
                })
                .collect_view()}
            {(more > 0).then(|| view! { <li class="dim">{format!("and {more} more")}</li> })}
        </ul>
    }
    .into_any()
}

/// Why one change is judged as it is, rule by rule; and the form that asks for one.
#[component]
pub fn WhyOf(
    name: RepositoryName,
    why: Option<(Case, Why)>,
    unknown: Option<String>,
    drafted: bool,
) -> AnyView {
    let under = if drafted {
        "under the draft"
    } else {
        "under what holds"
    };
    view! {
        <section class="paper" aria-labelledby="why">
            <header><h2 id="why">"Why, for one change"</h2><span class="dim">{under}</span></header>
            <form class="plain" action=format!("/repositories/{name}")>
                {drafted.then(|| view! { <input type="hidden" name="draft" value="1"/> })}
                <label>"Change" <input class="field" name="change" required maxlength="100" placeholder="142" autocomplete="off"/></label>
                <button class="btn">"Try"</button>
            </form>
            {unknown.map(|key| view! { <p class="plain" role="alert"><span>"There is no change " <Theirs text=one_line(&key, 100).into_owned()/> " here."</span></p> })}
            {why.map(|(case, why)| view! { <Because case why/> })}
        </section>
    }
    .into_any()
}

#[component]
fn Because(case: Case, why: Why) -> AnyView {
    let word = said(why.verdict.word());
    let title = format!("{}, revision {}", case.change.key, case.revision.number);
    view! {
        <div class="plain">
            <p><a href=format!("/changes/{}", case.change.id)>{title}</a> {format!(": {word}.")}</p>
            <ul>{why.verdict.reasons().into_iter().map(|reason| view! { <li><Theirs text=reason.sentence/></li> }).collect_view()}</ul>
            <ul>{why.rules.into_iter().map(|rule| view! { <li><RuleSays rule/></li> }).collect_view()}</ul>
        </div>
    }
    .into_any()
}

#[component]
fn RuleSays(rule: RuleWhy) -> AnyView {
    let said = if rule.unmet.is_empty() {
        let asks: Vec<String> = rule.asks.iter().map(asks_for).collect();
        format!("applies, and asks for {}.", asks.join("; "))
    } else {
        format!(
            "does not apply: {} is not as it says.",
            rule.unmet.join(", ")
        )
    };
    view! { <b><Theirs text=rule.name/></b> " " <Theirs text=said/> }.into_any()
}

fn asks_for(ask: &AskWhy) -> String {
    let given = match ask.given.as_slice() {
        [] => "nobody yet".to_owned(),
        names => names.join(", "),
    };
    format!("{} {} ({given})", ask.approvals, ask.whom)
}

/// Whether gates enforce it, the form that changes that, and how it was changed before.
#[component]
pub fn Modes(
    name: RepositoryName,
    mode: Mode,
    modes: Vec<modes::Set>,
    admin: bool,
    now: Timestamp,
) -> AnyView {
    let says = match mode {
        Mode::Enforce => "Gates enforce the policy.".to_owned(),
        Mode::Observe { until } => format!(
            "Gates answer yes whatever the verdict, and say what they would have answered, until {}. Then they enforce it by themselves.",
            date(until)
        ),
    };
    let observed = mode != Mode::Enforce;
    view! {
        <section class="paper" aria-labelledby="mode">
            <header><h2 id="mode">"Mode"</h2></header>
            <p class="plain">{says}</p>
            {admin
                .then(|| {
                    view! {
                        <form class="plain" method="post" action="/fn/set-mode">
                            <input type="hidden" name="repository" value=name.to_string()/>
                            <label>
                                "Days to observe" <input class="field" type="number" name="days" min="1" max=LONGEST_OBSERVATION.whole_days().to_string() value="14"/>
                            </label>
                            <label>"Why" <input class="field" name="reason" required maxlength="400" autocomplete="off"/></label>
                            <div class="acts">
                                <button class="btn" name="observe" value="true">"Only observe"</button>
                                {observed.then(|| view! { <button class="btn solid" name="observe" value="false">"Enforce from now on"</button> })}
                            </div>
                        </form>
                    }
                })}
            <ol class="versions">
                {modes
                    .into_iter()
                    .map(|set| {
                        let what = set.observe_until.map_or_else(|| "enforce".to_owned(), |until| format!("observe until {}", date(until)));
                        view! { <li><span>{what} <small>" " <Theirs text=set.by/> ": " <Theirs text=set.reason/></small></span><small><Ago at=set.at now/></small></li> }
                    })
                    .collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

/// What enforcing would have asked of the last days.
#[component]
pub fn RolloutOf(name: RepositoryName, rollout: Option<(Rollout, usize)>) -> AnyView {
    let Some((seen, looked_at)) = rollout else {
        return view! {
            <section class="paper" aria-labelledby="rollout">
                <header><h2 id="rollout">"Rollout"</h2></header>
                <p class="plain"><a href=format!("/repositories/{name}?rollout=1#rollout")>{format!("What would enforcing have asked of the last {DAYS} days?")}</a></p>
            </section>
        }
        .into_any();
    };
    let ask: usize = seen.groups.iter().map(|group| group.ask).sum();
    view! {
        <section class="paper" aria-labelledby="rollout">
            <header><h2 id="rollout">"Rollout"</h2></header>
            <p class="plain">{format!("Of {looked_at} revisions of the last {DAYS} days, {ask} ask for an approval and would have waited for it.")}</p>
            <table class="ledger">
                <caption class="vh">"Revisions by provenance and level"</caption>
                <thead><tr><th scope="col">"Written by"</th><th scope="col">"Level"</th><th scope="col" class="num">"Revisions"</th><th scope="col" class="num">"Would wait"</th></tr></thead>
                <tbody>
                    {seen.groups
                        .into_iter()
                        .map(|group| {
                            let level = group.level.map_or("nobody", Level::as_str);
                            view! { <tr><th scope="row">{group.provenance.as_str()}</th><td>{level}</td><td class="num">{group.revisions}</td><td class="num">{group.ask}</td></tr> }
                        })
                        .collect_view()}
                </tbody>
            </table>
            <Counted title="Whom the policy asks for and nobody is" counts=seen.lacking none="Everybody whom the policy asks for is there."/>
            <Unlinked name strangers=seen.strangers/>
        </section>
    }
    .into_any()
}

/// Authors to whom nobody leads, each with the form that says who it is and comes back here.
#[component]
fn Unlinked(name: RepositoryName, strangers: Vec<Stranger>) -> AnyView {
    if strangers.is_empty() {
        return view! { <p class="plain">"Every author and address leads to somebody."</p> }
            .into_any();
    }
    let count = strangers.len();
    let more = count.saturating_sub(SHOWN);
    let row = |one: Stranger| {
        let account = account(&one.email, one.login.as_deref().unwrap_or_default());
        view! {
            <li>
                <span><Theirs text=one.name/> " " <small><Theirs text=account.clone()/> {format!(", {} here", one.revisions)}</small></span>
                <WhoItIs account rollout=name.clone()/>
            </li>
        }
    };
    view! {
        <div class="plain">
            <p><b>{format!("Authors and addresses that lead to nobody: {count}")}</b></p>
            <p class="dim">"A link holds at once and in every repository: it can end an approval, and it gives what has arrived no level."</p>
            <ul class="unlinked">
                {strangers.into_iter().take(SHOWN).map(row).collect_view()}
                {(more > 0).then(|| view! { <li class="dim">{format!("and {more} more")}</li> })}
            </ul>
            <p class="dim"><span>"All of them, and who is linked to what: " <a href="/people">"People"</a></span></p>
        </div>
    }
    .into_any()
}

#[component]
fn Counted(title: &'static str, counts: Vec<(String, usize)>, none: &'static str) -> AnyView {
    if counts.is_empty() {
        return view! { <p class="plain">{none}</p> }.into_any();
    }
    let more = counts.len().saturating_sub(SHOWN);
    view! {
        <div class="plain">
            <p><b>{format!("{title}: {}", counts.len())}</b></p>
            <ul>
                {counts
                    .into_iter()
                    .take(SHOWN)
                    .map(|(who, count)| view! { <li><Theirs text=who/> {format!(": {count}")}</li> })
                    .collect_view()}
                {(more > 0).then(|| view! { <li class="dim">{format!("and {more} more")}</li> })}
            </ul>
        </div>
    }
    .into_any()
}

/// Every version of a repository's own policy; what waits for another admin has its form.
#[component]
pub fn Versions(
    name: RepositoryName,
    versions: Vec<Version>,
    admin: Option<Admin>,
    now: Timestamp,
) -> AnyView {
    if versions.is_empty() {
        return view! {
            <section class="paper" aria-labelledby="versions">
                <header><h2 id="versions">"Versions"</h2></header>
                <p class="plain dim">"It never had a policy of its own."</p>
            </section>
        }
        .into_any();
    }
    view! {
        <section class="paper" aria-labelledby="versions">
            <header><h2 id="versions">"Versions"</h2></header>
            <ol class="versions">
                {versions.into_iter().map(|version| view! { <li><OneVersion name=name.clone() version admin now/></li> }).collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn OneVersion(
    name: RepositoryName,
    version: Version,
    admin: Option<Admin>,
    now: Timestamp,
) -> AnyView {
    let number = version.version;
    let became = match &version.state {
        State::InForce { .. } => "holds".to_owned(),
        State::Past { .. } => "held before".to_owned(),
        State::Proposed => "waits for another admin".to_owned(),
        State::Refused { by, .. } => format!("refused by {by}"),
        State::Lapsed => "lapsed: another came into force first".to_owned(),
    };
    let open = version.state == State::Proposed;
    let own = admin.and_then(|admin| admin.may_confirm(version.author.person()).err());
    let by = version.by.unwrap_or_else(|| "the configuration".to_owned());
    view! {
        <b>{number}</b>
        <span>
            <Theirs text=became/>
            <small>" " <Theirs text=by/> {(!version.note.is_empty()).then(|| view! { ": " <Theirs text=version.note/> })}</small>
            <details>
                <summary>"Text"</summary>
                {match version.text {
                    Some(text) => view! { <pre class="terms" tabindex="0" role="region" aria-label=format!("Version {number}")><code inner_html=lines(&text)></code></pre> }.into_any(),
                    None => view! { <p>"Back to the default."</p> }.into_any(),
                }}
            </details>
            {(open && admin.is_some()).then(|| view! { <Ruling name version=number own/> })}
        </span>
        <small><Ago at=version.at now/></small>
    }
    .into_any()
}

/// The form of a second admin; whoever wrote it may only take it back.
#[component]
fn Ruling(name: RepositoryName, version: i32, own: Option<domain::problem::Problem>) -> AnyView {
    let why = own.map(domain::problem::Problem::sentence);
    view! {
        <form class="acts" method="post" action="/fn/rule-policy">
            <input type="hidden" name="repository" value=name.to_string()/>
            <input type="hidden" name="version" value=version.to_string()/>
            <button class="btn sm solid" name="confirmed" value="true" disabled=why.is_some()>"Confirm"</button>
            <button class="btn sm no" name="confirmed" value="false">"Refuse"</button>
            {why.map(|why| view! { <small>{why}</small> })}
        </form>
    }
    .into_any()
}
