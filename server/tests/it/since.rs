//! Only what changed since somebody approved: who is shown it, and what an approval says that was given on that basis.

use crate::support::{
    TestServer,
    browsers::Form,
    changes::{Change, change, patch},
    people::Human,
};
use domain::{decision::Kind, problem::Problem};
use serde_json::json;
use sqlx::PgPool;

/// A change of which Ben approved revision 1, and which has moved since.
async fn moved(pool: PgPool) -> (TestServer, Change, Human) {
    let t = TestServer::new(pool).await;
    let (first, ben) = (change(), t.senior("ben").await);
    t.ci().await.submit(&first).await;
    ben.approve(&first).await;
    let second = Change {
        patch: patch("another"),
        ..first.pushed("c2")
    };
    t.ci().await.submit(&second).await;
    (t, second, ben)
}

impl Human {
    async fn since(&self, change: &Change, number: &str) -> String {
        let id = self.t.id_of(change).await;
        let path = format!("/changes/{id}?since={number}");
        self.browser.page(&self.t, &path).await
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_approved_before_reads_what_changed_since_and_approves_on_that_basis(pool: PgPool) {
    let (t, change, ben) = moved(pool).await;
    let id = t.id_of(&change).await;
    let whole = ben.browser.page(&t, &format!("/changes/{id}")).await;
    assert!(whole.contains("?since=1#since"), "{whole}");

    let page = ben.since(&change, "1").await;
    assert!(page.contains("class=\"ln was\""), "{page}");
    assert!(page.contains("data-s=\"now\""), "{page}");
    let approval = Form::on(&page).press(Kind::Approve);
    assert_eq!(ben.sends(&approval).await.outcome(), Ok(()));
    assert_eq!(ben.sends(&approval).await.outcome(), Ok(()), "sent again");
    let other = approval.without("since");
    assert_eq!(
        ben.calls(&other).await.said(),
        (422, Some(Problem::NotUnderstood))
    );
    assert_eq!(t.count("decision where since_revision = 1").await, 1);

    let said = "having read what changed since revision 1, which they had approved";
    let page = ben.browser.page(&t, &format!("/changes/{id}")).await;
    assert!(page.contains(said), "{page}");
    let decisions = format!("/api/v1/changes/{id}/decisions");
    let decisions = t.ci().await.get(&decisions).await.json["decisions"].clone();
    assert_eq!(decisions[0].get("since"), None);
    assert_eq!(decisions[1]["since"], json!(1));
    let stream = t.ci().await.streamed(2).await;
    assert_eq!(stream[1]["since"], json!(1));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nobody_reads_or_approves_since_a_revision_that_they_did_not_approve(pool: PgPool) {
    let (t, change, ben) = moved(pool).await;
    let li = t.senior("li").await;
    let refusal = Problem::NothingApprovedBefore;
    for (who, number) in [(&li, "1"), (&ben, "2"), (&ben, "3"), (&ben, "-1")] {
        let page = who.since(&change, number).await;
        assert!(page.contains(&refusal.sentence()), "{number}: {page}");
        assert!(!page.contains("name=\"since\""), "{number}: {page}");
        let forged = Form::on(&page).press(Kind::Approve).with("since", number);
        assert_eq!(
            who.calls(&forged).await.said(),
            (409, Some(refusal)),
            "{number}"
        );
    }
    for nonsense in ["one", "1x", "99999999999"] {
        let page = ben.since(&change, nonsense).await;
        assert!(!page.contains("name=\"since\""), "{nonsense}: {page}");
        let forged = Form::on(&page).press(Kind::Approve).with("since", nonsense);
        let refused = ben.calls(&forged).await.said().0;
        assert!((400..500).contains(&refused), "{nonsense}: {refused}");
    }
    assert_eq!(t.count("decision where seq > 1").await, 0);
    // An approval of another change is none of this one.
    let other = crate::support::changes::change().key("143").pushed("d1");
    t.ci().await.submit(&other).await;
    let forged = ben
        .reads(&other)
        .await
        .press(Kind::Approve)
        .with("since", "1");
    assert_eq!(ben.calls(&forged).await.said(), (409, Some(refusal)));
    // What was taken back is no basis any more, also for a page that was opened before.
    let open = Form::on(&ben.since(&change, "1").await).press(Kind::Approve);
    ben.withdraw(&change).await;
    assert_eq!(ben.calls(&open).await.said(), (409, Some(refusal)));
    assert_eq!(
        t.count("decision where since_revision is not null").await,
        0
    );
}
