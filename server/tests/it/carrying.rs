//! Approvals that carry over to a revision that is provably the same change: what is recorded, what everybody is told, and what ends it.

use crate::support::{
    TestServer,
    changes::{Change, change, patch, sha},
    people::Human,
};
use domain::decision::Kind;
use serde_json::{Value, json};
use sqlx::PgPool;

/// A change of Ana's that Ben approved.
async fn approved(pool: PgPool) -> (TestServer, Change, Human) {
    let t = TestServer::new(pool).await;
    let (change, ben) = (change(), t.senior("ben").await);
    t.ci().await.submit(&change).await;
    ben.approve(&change).await;
    (t, change, ben)
}

/// The same patch over another base, with another head.
fn rebased(change: &Change, name: &str) -> Change {
    Change {
        head: sha(name),
        ..change.clone().over(&format!("base of {name}"))
    }
}

/// The verdict about a commit.
async fn verdict(t: &TestServer, commit: &str) -> String {
    t.ci().await.gate(commit).await.answer().1.to_owned()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rebased_change_stays_approved_and_everybody_is_told_by_what(pool: PgPool) {
    let (t, change, ben) = approved(pool).await;
    let rebased = rebased(&change, "c2");
    t.ci().await.submit(&rebased).await;
    let carried = json!({ "from_revision": 1, "proof": "blobs" });

    let answer = t.ci().await.gate(&rebased.head).await;
    assert_eq!(answer.answer(), (true, "approved", vec!["approved"]));
    let decision = &answer.json["changes"][0]["decisions"][0];
    assert_eq!(
        (&decision["carried"], &decision["counts"]),
        (&carried, &json!(true))
    );
    let own = t.ci().await.gate(&change.head).await;
    let decision = &own.json["changes"][0]["decisions"][0];
    assert_eq!(decision["carried"], Value::Null, "of its own revision");

    let id = t.id_of(&change).await;
    let decisions = t
        .ci()
        .await
        .get(&format!("/api/v1/changes/{id}/decisions"))
        .await;
    assert_eq!(decisions.json["decisions"][0]["carried"], carried);
    let page = ben.browser.page(&t, &format!("/changes/{id}")).await;
    assert!(
        page.contains("approved revision 1")
            && page.contains("; carried over: every file has the same blobs"),
        "{page}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_approval_carries_over_to_no_revision_with_somebody_new_whom_nobody_knows(pool: PgPool) {
    let (t, change, ben) = approved(pool).await;
    t.senior("li").await;
    let with = |change: Change, name: &str| {
        let who = json!({ "name": name, "email": format!("{name}@halden.example") });
        change.with(json!({ "author": who }))
    };
    let by_li = with(rebased(&change, "c2"), "li");
    t.ci().await.submit(&by_li).await;
    assert_eq!(
        verdict(&t, &by_li.head).await,
        "approved",
        "Ana, whom nobody knows either, Ben said not to be; and Li is known"
    );
    let by_somebody = with(rebased(&change, "c3"), "somebody");
    t.ci().await.submit(&by_somebody).await;
    let answer = t.ci().await.gate(&by_somebody.head).await;
    assert_eq!(
        answer.answer(),
        (
            false,
            "waiting",
            vec!["approval_needed", "approval_not_carried"]
        )
    );
    assert_eq!(
        verdict(&t, &change.head).await,
        "approved",
        "what Ben read is as it was"
    );
    let path = format!("/changes/{}", t.id_of(&change).await);
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("; does not carry over"), "{page}");
    ben.approve(&by_somebody).await;
    assert_eq!(verdict(&t, &by_somebody.head).await, "approved");
    let said = "select array(select one ->> 'name' from jsonb_array_elements(strangers) one order by 1) from decision order by seq";
    let said: Vec<Vec<String>> = sqlx::query_scalar(said).fetch_all(&t.owner).await.unwrap();
    assert_eq!(said, [vec!["Ana"], vec!["Ana", "somebody"]]);
    // What was said of both holds for what comes next, as long as nobody else joins.
    let again = rebased(&change, "c4");
    t.ci().await.submit(&again).await;
    assert_eq!(verdict(&t, &again.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_proved_is_recorded_once_with_its_event(pool: PgPool) {
    let (t, change, _) = approved(pool).await;
    let rebased = rebased(&change, "c2");
    for _ in 0..2 {
        t.ci().await.submit(&rebased).await;
    }
    let beside = sqlx::query_scalar(
        "select array_agg(c.proof order by c.proof) from carry c
         join event e on e.xid = c.xid and e.subject = c.to_revision and e.kind = 'carry.proved' and e.data->>'proof' = c.proof
         join revision o on o.id = c.from_revision and o.number = 1 join revision n on n.id = c.to_revision and n.number = 2",
    );
    let beside: Vec<String> = beside.fetch_one(&t.owner).await.unwrap();
    assert_eq!(beside, ["blobs", "patch"], "whatever the policy accepts");
    assert_eq!(t.count("carry").await, 2);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b22_an_approval_does_not_carry_over_to_what_is_swapped_in_after_it(pool: PgPool) {
    let (t, change, ben) = approved(pool).await;
    let swapped = Change {
        patch: patch("other"),
        ..rebased(&change, "c2")
    };
    t.ci().await.submit(&swapped).await;
    assert_eq!(verdict(&t, &swapped.head).await, "waiting");
    assert_eq!(t.count("carry").await, 0);
    // Swapped back it is what Ben approved; what he approves of the swapped one is not.
    let back = rebased(&change, "c3");
    t.ci().await.submit(&back).await;
    assert_eq!(verdict(&t, &back.head).await, "approved");
    ben.withdraw(&change).await;
    assert_eq!(verdict(&t, &back.head).await, "waiting");
    assert_eq!(verdict(&t, &change.head).await, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_carries_over_past_a_withdrawal_or_a_rejection(pool: PgPool) {
    let (t, change, ben) = approved(pool).await;
    let second = rebased(&change, "c2");
    t.ci().await.submit(&second).await;
    assert_eq!(verdict(&t, &second.head).await, "approved");
    ben.withdraw(&change).await;
    let third = rebased(&change, "c3");
    t.ci().await.submit(&third).await;
    assert_eq!(verdict(&t, &third.head).await, "waiting");

    ben.approve(&change).await;
    let fourth = rebased(&change, "c4");
    t.ci().await.submit(&fourth).await;
    assert_eq!(verdict(&t, &fourth.head).await, "approved");
    ben.reject(&change, "no test").await;
    let fifth = rebased(&change, "c5");
    t.ci().await.submit(&fifth).await;
    assert_eq!(verdict(&t, &fifth.head).await, "rejected");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_head_that_becomes_current_again_is_compared_again(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (first, ben, ci) = (change(), t.senior("ben").await, t.ci().await);
    ci.submit(&first).await;
    ci.submit(&first.clone().pushed("other")).await;
    let rebased = rebased(&first, "c2");
    ci.submit(&rebased).await;
    assert_eq!(
        t.count("carry").await,
        0,
        "nobody approved it, and it was not current"
    );

    let back = |change: &Change| change.clone().with(json!({ "current": true }));
    ci.submit(&back(&first)).await;
    ben.approve(&first).await;
    assert_eq!(verdict(&t, &rebased.head).await, "waiting");
    ci.submit(&back(&rebased)).await;
    assert_eq!(verdict(&t, &rebased.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_approval_that_comes_while_a_revision_is_compared_carries_over(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (change, ben) = (change(), t.senior("ben").await);
    t.ci().await.submit(&change).await;
    let deciding = ben.deciding(&change, Kind::Approve).await.unwrap();
    let rebased = rebased(&change, "c2");
    let submitting = tokio::spawn({
        let (ci, rebased) = (t.ci().await, rebased.clone());
        async move { ci.submit(&rebased).await }
    });
    t.locked_out(1).await;
    deciding.commit().await.unwrap();
    submitting.await.unwrap();
    assert_eq!(verdict(&t, &rebased.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_patch_that_is_refused_proves_nothing(pool: PgPool) {
    let (t, change, _) = approved(pool).await;
    let other = Change {
        patch: patch("other"),
        ..rebased(&change, "c2")
    };
    t.ci().await.submit(&other).await;
    // For the same revision somebody now sends the patch that Ben approved.
    let refused = t.ci().await.try_to_submit(&rebased(&change, "c2")).await;
    assert_eq!(refused.problem(), (409, "patch-differs"));
    assert_eq!(t.count("carry").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_carries_over_from_a_revision_whose_patch_is_in_doubt(pool: PgPool) {
    let (t, change, _) = approved(pool).await;
    let rebased = rebased(&change, "c2");
    t.ci().await.submit(&rebased).await;
    assert_eq!(verdict(&t, &rebased.head).await, "approved");
    let liar = Change {
        patch: patch("other"),
        ..change.clone()
    };
    let refused = t.ci().await.try_to_submit(&liar).await;
    assert_eq!(refused.problem(), (409, "patch-differs"));
    assert_eq!(verdict(&t, &rebased.head).await, "waiting");
}
