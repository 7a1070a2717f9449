//! What is rarely decided: a rejection set aside, and a word that no machine took part, each beside what is refused.

use super::ready;
use crate::support::{
    TestServer,
    browsers::Form,
    changes::{Change, change},
    people::Human,
};
use domain::{contributor::Role, decision::Kind, people::Level, problem::Problem};
use serde_json::json;
use sqlx::PgPool;

/// A change of Ana's that Ben rejected, and Li, who could set that aside.
async fn rejected(pool: PgPool) -> (TestServer, Change, Human, Human) {
    let (t, change, ben) = ready(pool).await;
    ben.reject(&change, "pays twice").await;
    let li = t.senior("li").await;
    (t, change, ben, li)
}

/// A change of Ana's without a mark, and Ben, who is believed about it.
async fn unmarked(pool: PgPool) -> (TestServer, Change, Human) {
    let t = TestServer::new(pool).await;
    let (change, ben) = (change().unmarked(), t.senior("ben").await);
    t.ci().await.submit(&change).await;
    (t, change, ben)
}

impl Human {
    /// The forms of the change's page that are folded away, by the button that each has.
    async fn rare(&self, change: &Change, kind: Kind) -> Option<Form> {
        let path = format!("/changes/{}", self.t.id_of(change).await);
        let page = self.browser.page(&self.t, &path).await;
        let button = format!("value=\"{}\"", kind.as_str());
        let folded = page.split("<details class=\"rare\"").skip(1);
        let folded = folded.map(|rest| rest.split_once("</details>").unwrap().0);
        let mut with_button = folded.filter(|form| form.contains(&button));
        with_button.next().map(|form| {
            let opening = "action=\"/fn/decide\"";
            Form::all(form, opening).remove(0).press(kind)
        })
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rejection_by_somebody_who_left_is_set_aside_on_the_page(pool: PgPool) {
    let (t, change, ben, li) = rejected(pool).await;
    ben.deactivated().await;
    let form = li.rare(&change, Kind::SetAside).await.expect("a form");
    assert_eq!(form.value("about"), "1");
    let refused = li.sends(&form.because(" ")).await;
    assert_eq!(refused.outcome(), Err(Problem::ReasonNeeded));
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "rejected");
    let form = form.because("Ben left, and it pays once");
    assert_eq!(li.sends(&form).await.outcome(), Ok(()));
    assert_eq!(li.sends(&form).await.outcome(), Ok(()), "resent");
    assert_eq!(t.recorded().await, 2);
    let gate = t.ci().await.gate(&change.head).await;
    assert_eq!(gate.answer().1, "waiting");
    let decisions = &gate.json["changes"][0]["decisions"];
    let shown = |at: usize| {
        let one = &decisions[at];
        json!([one["kind"], one["about"], one["counts"]])
    };
    assert_eq!(shown(0), json!(["reject", null, false]));
    assert_eq!(shown(1), json!(["set_aside", 1, true]));
    li.withdraw(&change).await;
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "rejected");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rejection_that_was_set_aside_stands_again_when_somebody_joins_whom_nobody_knows(
    pool: PgPool,
) {
    let (t, change, ben, li) = rejected(pool).await;
    ben.deactivated().await;
    let sets_aside = async || {
        let form = li.rare(&change, Kind::SetAside).await.expect("a form");
        li.sends(&form.because("Ben left")).await.outcome()
    };
    assert_eq!(sets_aside().await, Ok(()));
    let next = change.clone().pushed("c2");
    t.ci().await.submit(&next).await;
    let verdict = async |change: &Change| {
        let answer = t.ci().await.gate(&change.head).await;
        answer.answer().1.to_owned()
    };
    assert_eq!(
        verdict(&next).await,
        "waiting",
        "Ana, whom Li said not to be"
    );
    let joined = change.clone().by("ghost").pushed("c3");
    t.ci().await.submit(&joined).await;
    assert_eq!(verdict(&joined).await, "rejected", "it could have been Li");
    assert_eq!(sets_aside().await, Ok(()), "who says that it is not");
    assert_eq!(verdict(&joined).await, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rejection_is_not_set_aside_too_soon_by_oneself_or_by_whom_the_policy_does_not_let(
    pool: PgPool,
) {
    let (t, change, ben, li) = rejected(pool).await;
    assert!(li.rare(&change, Kind::SetAside).await.is_none());
    let about = |form: Form, seq: &str| {
        form.press(Kind::SetAside)
            .with("about", seq)
            .because("it pays once")
    };
    let sent = async |who: &Human, seq: &str| {
        let form = about(who.reads(&change).await, seq);
        who.sends(&form).await.outcome()
    };
    assert_eq!(sent(&li, "1").await, Err(Problem::TooSoon));
    assert_eq!(sent(&ben, "1").await, Err(Problem::NothingToSetAside));
    let mika = t.human("mika", Some(Level::Mid)).await;
    let low = Problem::LevelTooLow {
        known: Some(Level::Mid),
        needed: Level::Senior,
    };
    assert_eq!(sent(&mika, "1").await, Err(low));
    ben.deactivated().await;
    assert_eq!(sent(&li, "2").await, Err(Problem::NothingToSetAside));
    let barred = t.senior("ana").await;
    let contributor = Problem::Contributor(Role::ChangeAuthor);
    assert_eq!(sent(&barred, "1").await, Err(contributor));
    assert_eq!(t.recorded().await, 1);
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "rejected");
    assert_eq!(sent(&li, "1").await, Ok(()), "and this is how it is done");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_believed_word_makes_a_revision_human_and_says_whose_it_is(pool: PgPool) {
    let (t, change, ben) = unmarked(pool).await;
    let form = ben.rare(&change, Kind::Human).await.expect("a form");
    let form = form.because("I watched Ana type it");
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(
        t.ci().await.gate(&change.head).await.answer().1,
        "not_required"
    );
    let path = format!("/changes/{}", t.id_of(&change).await);
    let page = ben.browser.page(&t, &path).await;
    let said = page
        .split_once("believed because ")
        .expect("said on the page")
        .1;
    assert!(said.starts_with("<bdi>ben"), "{}", &said[..40]);
    assert!(ben.rare(&change, Kind::Human).await.is_none(), "said once");
    ben.withdraw(&change).await;
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_mark_ends_a_believed_word_and_none_is_believed_against_one(pool: PgPool) {
    let (t, change, ben) = unmarked(pool).await;
    let ci = t.ci().await;
    let form = ben.rare(&change, Kind::Human).await.expect("a form");
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(ci.gate(&change.head).await.answer().1, "not_required");
    let labelled = change.clone().with(json!({ "labels": ["ai-assisted"] }));
    ci.submit(&labelled).await;
    assert_eq!(ci.gate(&change.head).await.answer().1, "waiting");
    let again = ben.rare(&change, Kind::Human).await.expect("a form");
    assert_eq!(ben.sends(&again).await.outcome(), Ok(()));
    let gate = ci.gate(&change.head).await;
    assert_eq!(gate.answer().1, "waiting");
    let counts = |at: usize| gate.json["changes"][0]["decisions"][at]["counts"].clone();
    assert_eq!([counts(0), counts(1)], [false, false]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_mark_is_disputed_by_anybody_and_found_wrong_by_a_senior_who_is_somebody_else(
    pool: PgPool,
) {
    let (t, change, ben) = ready(pool).await;
    let (ci, ana) = (t.ci().await, t.junior("ana").await);
    let (provenance, path) = (
        async || {
            let path = format!("/api/v1/changes/{}", t.id_of(&change).await);
            ci.get(&path).await.json["provenance"].clone()
        },
        format!("/changes/{}", t.id_of(&change).await),
    );
    assert!(ben.rare(&change, Kind::MarkWrong).await.is_none());
    let form = ana.rare(&change, Kind::DisputeMark).await.expect("a form");
    let form = form.with("about", "1");
    let refused = ana.sends(&form).await.outcome();
    assert_eq!(refused, Err(Problem::ReasonNeeded));
    let none = ana.sends(&form.with("about", "2").because("x")).await;
    assert_eq!(none.outcome(), Err(Problem::NoMarkToDispute));
    let form = form.because("a copied trailer");
    assert_eq!(ana.sends(&form).await.outcome(), Ok(()));
    assert_eq!(ana.sends(&form).await.outcome(), Ok(()), "resent");
    assert_eq!(
        (t.recorded().await, provenance().await),
        (1, json!("assisted"))
    );
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("disputed by ") && page.contains("a copied trailer"));

    assert!(ana.rare(&change, Kind::MarkWrong).await.is_none());
    let form = ben.rare(&change, Kind::MarkWrong).await.expect("a form");
    let form = form.because("Ana typed it");
    let own = ana.sends(&form.anew()).await.outcome();
    assert!(matches!(own, Err(Problem::LevelTooLow { .. })), "{own:?}");
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(
        (t.recorded().await, provenance().await),
        (2, json!("unknown"))
    );
    let gate = ci.gate(&change.head).await;
    assert_eq!(gate.answer().1, "waiting", "no mark is no proof");
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("wrong, and counts no more: "));
    let listed = ci.get(&format!("/api/v1{path}/decisions")).await.json;
    let listed: Vec<_> = listed["decisions"].as_array().unwrap().clone();
    assert_eq!(
        json!([
            listed[0]["kind"],
            listed[0]["mark"],
            listed[1]["kind"],
            listed[1]["mark"]
        ]),
        json!(["dispute_mark", 1, "mark_wrong", 1])
    );
    ben.withdraw(&change).await;
    assert_eq!(provenance().await, "assisted");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_word_of_a_contributor_or_of_somebody_below_senior_is_recorded_and_changes_nothing(
    pool: PgPool,
) {
    let (t, change, _) = unmarked(pool).await;
    for (n, who) in [
        t.junior("ana").await,
        t.senior("ana").await,
        t.human("mika", Some(Level::Mid)).await,
    ]
    .into_iter()
    .enumerate()
    {
        let form = who.rare(&change, Kind::Human).await.expect("a form");
        assert_eq!(who.sends(&form).await.outcome(), Ok(()));
        assert_eq!(t.recorded().await, n as i64 + 1);
        assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "waiting");
    }
}
