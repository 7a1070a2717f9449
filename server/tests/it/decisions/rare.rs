//! What is rarely decided: a rejection set aside, and a word that no machine took part, each beside what is refused.

use super::ready;
use crate::support::{TestServer, browsers::Form, changes::Change, people::Human};
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
    let contributor = Problem::Contributor(Role::Author);
    assert_eq!(sent(&barred, "1").await, Err(contributor));
    assert_eq!(t.recorded().await, 1);
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "rejected");
    assert_eq!(sent(&li, "1").await, Ok(()), "and this is how it is done");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_believed_word_makes_a_revision_human_and_says_whose_it_is(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
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
async fn the_word_of_a_contributor_or_of_somebody_below_senior_is_recorded_and_changes_nothing(
    pool: PgPool,
) {
    let (t, change, _) = ready(pool).await;
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
