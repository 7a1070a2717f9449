//! What a policy says of time: how long approvals and overrides last, what carries over, and what goes back without asking.

use super::{asking, state};
use crate::{
    reverting::{merged, revert},
    support::{
        TestServer,
        changes::{Change, change, sha},
        machines::{Machine, Reply},
        people::Human,
    },
};
use domain::{decision::Kind, problem::Problem};
use serde_json::json;
use server::jobs::standings;
use sqlx::PgPool;
use time::Duration;

/// The default, with these terms.
fn with(terms: &str) -> String {
    format!("{}\n{terms}\n", asking(1, "senior"))
}

impl TestServer {
    /// Has a pipeline push that policy, which must come into force.
    async fn holds_to(&self, terms: &str) {
        let pushed = self.policies().await.push(&with(terms)).await;
        assert_eq!(state(&pushed).1, "in_force", "{pushed:?}");
    }
}

impl Human {
    /// Whether they could override now. It names no incident, so nothing comes of it.
    async fn could_override(&self, change: &Change) -> bool {
        match self.breaks_the_glass(change, "").await {
            Err(Problem::IncidentNeeded) => true,
            Err(Problem::ReviewOverdue) => false,
            other => panic!("{other:?}"),
        }
    }
}

/// A change of Ana's that Ben approved.
async fn approved(pool: PgPool) -> (TestServer, Machine, Change, Human) {
    let t = TestServer::new(pool).await;
    let (ci, ben, change) = (t.ci().await, t.senior("ben").await, change());
    ci.submit(&change).await;
    ben.approve(&change).await;
    (t, ci, change, ben)
}

/// The verdict about a commit.
async fn verdict(ci: &Machine, commit: &str) -> String {
    ci.gate(commit).await.answer().1.to_owned()
}

fn assert_expired(answer: &Reply, why: &str) {
    let (allow, verdict, codes) = answer.answer();
    assert_eq!((allow, verdict), (false, "waiting"), "{answer:?}");
    assert_eq!(codes, ["approval_needed", "approval_expired"]);
    let sentence = answer.json["reasons"][1]["sentence"].as_str().unwrap();
    assert!(sentence.contains(why), "{sentence}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_approval_lasts_as_long_as_the_policy_lets_it(pool: PgPool) {
    let (t, ci, change, _) = approved(pool).await;
    let there = ci.at(&t.another().await);
    t.pass(Duration::hours(2));
    assert_eq!(verdict(&ci, &change.head).await, "approved", "the default");
    t.holds_to("[approvals]\nexpire_after = \"2 hours\"").await;
    let old = ci.gate(&change.head).await;
    assert_expired(
        &old,
        "The approval by ben grew too old on 2026-11-20 14:00 UTC.",
    );
    let ben = t.senior("ben").await;
    let path = format!("/changes/{}", t.id_of(&change).await);
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("grew too old"), "{page}");

    ben.approve(&change).await;
    t.pass(Duration::hours(2) - Duration::SECOND);
    assert_eq!(verdict(&ci, &change.head).await, "approved");
    // No job ends it, and nobody has to hear of it: what is stored stands as it was.
    t.pass(Duration::SECOND);
    for gate in [&ci, &there] {
        assert_expired(&gate.gate(&change.head).await, "grew too old");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_change_comes_back_into_the_queue_when_its_approval_grows_too_old(pool: PgPool) {
    let (t, _, _, _) = approved(pool).await;
    t.holds_to("[approvals]\nexpire_after = \"1 hour\"").await;
    let renewed = async || standings::batch(&t.server).await.unwrap();
    let waits = async || t.count("queue where verdict = 'waiting'").await;
    assert_eq!(renewed().await, 1, "for the new policy");
    t.pass(Duration::HOUR - Duration::SECOND);
    assert_eq!((renewed().await, waits().await), (0, 0));
    t.pass(Duration::SECOND);
    assert_eq!((renewed().await, waits().await), (1, 1));
    assert_eq!(renewed().await, 0, "once");
    let page = t.senior("li").await.browser.page(&t, "/").await;
    assert!(page.contains("Retry settlement"), "{page}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn going_back_to_draft_ends_approvals_where_the_policy_says_so(pool: PgPool) {
    let (t, ci, change, ben) = approved(pool).await;
    let draft = change.clone().with(json!({ "draft": true }));
    ci.submit(&draft).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved", "the default");
    t.holds_to("[approvals]\nexpire_on = [\"draft\"]").await;
    assert_expired(&ci.gate(&change.head).await, "went back to draft");
    ben.approve(&draft).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved", "as a draft");
    ci.submit(&change).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved", "and ready");
    ci.submit(&draft).await;
    ci.submit(&change).await;
    assert_expired(&ci.gate(&change.head).await, "went back to draft");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn another_merge_base_ends_approvals_where_the_policy_says_so(pool: PgPool) {
    let (t, ci, change, ben) = approved(pool).await;
    t.holds_to("[approvals]\nexpire_on = [\"new_base\"]").await;
    let amended = Change {
        head: sha("amended"),
        ..change.clone()
    };
    ci.submit(&amended).await;
    assert_eq!(
        verdict(&ci, &amended.head).await,
        "approved",
        "carried over, on the same base"
    );
    let rebased = Change {
        head: sha("rebased"),
        ..change.clone().over("b2")
    };
    ci.submit(&rebased).await;
    assert_eq!(t.count("carry where proof = 'blobs'").await, 3);
    assert_expired(&ci.gate(&rebased.head).await, "the merge base moved");
    ben.approve(&rebased).await;
    assert_eq!(verdict(&ci, &rebased.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_carries_over_is_for_the_policy_of_today_to_say(pool: PgPool) {
    let (t, ci, change, _) = approved(pool).await;
    let rebased = Change {
        head: sha("rebased"),
        ..change.clone().over("b2")
    };
    ci.submit(&rebased).await;
    assert_eq!(verdict(&ci, &rebased.head).await, "approved");
    t.holds_to("[approvals]\ncarry_over = []").await;
    assert_eq!(verdict(&ci, &rebased.head).await, "waiting");
    assert_eq!(verdict(&ci, &change.head).await, "approved", "its own");
    // What was recorded then is asked again when a policy names it, which takes an admin: it asks for less.
    let weaker = with("[approvals]\ncarry_over = [\"patch\"]");
    let pushed = t.policies().await.push(&weaker).await;
    assert_eq!(state(&pushed).1, "proposed");
    assert_eq!(verdict(&ci, &rebased.head).await, "waiting");
    t.admin("grace").await.rules(2, true).await.unwrap();
    let answer = ci.gate(&rebased.head).await;
    assert_eq!(answer.answer().1, "approved");
    assert_eq!(
        answer.json["changes"][0]["decisions"][0]["carried"],
        json!({ "from_revision": 1, "proof": "patch" })
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_revert_passes_only_while_the_policy_lets_it(pool: PgPool) {
    let (t, ci, change, ben) = approved(pool).await;
    merged(&ci, &change).await;
    ci.submit(&revert()).await;
    let passes = ci.gate(&revert().head).await;
    assert_eq!(passes.answer(), (true, "not_required", vec!["revert"]));
    t.holds_to("[going_back]\nrevert = false").await;
    let waits = ci.gate(&revert().head).await;
    assert_eq!(waits.answer(), (false, "waiting", vec!["approval_needed"]));
    ben.approve(&revert()).await;
    assert_eq!(verdict(&ci, &revert().head).await, "approved");
}

const REFUSED: &str = "[override]\nrefused_while_overdue = true";

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nobody_overrides_while_a_review_is_overdue_where_the_policy_says_so(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, first) = (t.ci().await, change());
    let [second, third] = ["143", "144"].map(|key| change().key(key).pushed(key));
    for change in [&first, &second, &third] {
        ci.submit(change).await;
    }
    let ben = t.senior("ben").await;
    assert_eq!(ben.breaks_the_glass(&first, "INC-1").await, Ok(()));
    t.pass(Duration::days(3));
    let li = t.senior("li").await;
    assert_eq!(
        li.breaks_the_glass(&second, "INC-2").await,
        Ok(()),
        "the default does not mind"
    );
    t.holds_to(REFUSED).await;
    assert!(!li.could_override(&third).await);
    let refused = li.breaks_the_glass(&third, "INC-3").await;
    assert_eq!(refused, Err(Problem::ReviewOverdue));
    let form = li.reads(&third).await.press(Kind::Override);
    assert_eq!(
        li.calls(&form).await.said().1,
        Some(Problem::ReviewOverdue),
        "also with a script"
    );
    assert_eq!(t.count("decision where kind = 'override'").await, 2);
    li.approve(&first).await;
    assert!(li.could_override(&third).await, "Li's own is not due yet");
    assert_eq!(li.breaks_the_glass(&third, "INC-3").await, Ok(()));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_review_is_paid_by_somebody_else_who_had_no_hand_in_it_and_takes_nothing_back(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    t.holds_to(REFUSED).await;
    let (ci, first) = (t.ci().await, change());
    let next = change().key("143").pushed("143");
    ci.submit(&first).await;
    ci.submit(&next).await;
    let ben = t.senior("ben").await;
    assert_eq!(ben.breaks_the_glass(&first, "INC-1").await, Ok(()));
    t.pass(Duration::days(3) - Duration::SECOND);
    let [ben, li, zoe] = [
        t.senior("ben").await,
        t.senior("li").await,
        t.senior("zoe").await,
    ];
    assert!(li.could_override(&next).await, "there is a second left");
    t.pass(Duration::SECOND);
    assert!(!li.could_override(&next).await);

    ben.approve(&first).await;
    assert!(!li.could_override(&next).await, "not by themselves");
    ben.withdraw(&first).await;
    li.approve(&first).await;
    assert!(li.could_override(&next).await, "by Li");
    li.withdraw(&first).await;
    assert!(!li.could_override(&next).await, "who took it back");
    zoe.approve(&next).await;
    assert!(!li.could_override(&next).await, "not by another change's");

    zoe.approve(&first).await;
    assert!(li.could_override(&next).await, "by Zoe");
    let zoe = zoe.linked("ana").await;
    assert!(!li.could_override(&next).await, "who wrote it");
    zoe.unlinked("ana").await;
    assert!(
        !li.could_override(&next).await,
        "a link that is withdrawn brings nothing back"
    );
    // A debt can be paid also when the change has moved on, or one push would bar every override for good.
    let moved_on = first.pushed("c2");
    ci.submit(&moved_on).await;
    assert!(!li.could_override(&next).await);
    zoe.reject(&moved_on, "it pays twice").await;
    assert!(li.could_override(&next).await, "a no is a review as well");
}
