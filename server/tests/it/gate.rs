//! The gate: what it is told and tells beside its contract (`gate_table`), and what it never does.

use crate::support::{
    TestServer,
    changes::{change, sha},
};
use domain::{decision::Kind, people::Level, token::Scope};
use serde_json::json;
use sqlx::PgPool;
use std::{num::NonZeroU32, time::Duration};

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_always_has_all_its_parts(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    t.senior("ben").await;
    ci.submit(&change()).await;
    let mut answer = ci.gate(&sha("c1")).await.json;
    for id in ["/changes/0/id", "/changes/0/digest", "/snapshot"] {
        let value = answer.pointer_mut(id).unwrap();
        assert!(value.as_str().is_some_and(|text| text.len() >= 24));
        *value = json!("…");
    }
    insta::assert_json_snapshot!(answer, @r#"
    {
      "allow": false,
      "as_of": "2026-11-20T12:00:00Z",
      "changes": [
        {
          "current": true,
          "decisions": [],
          "digest": "…",
          "head": "d0f631ca1ddba8db3bcfcb9e057cdc98d0379f1b",
          "id": "…",
          "key": "142",
          "repository": "acme/payments",
          "revision": 1,
          "source_age": null,
          "state": "open",
          "target": "main",
          "verdict": "waiting"
        }
      ],
      "commit": "d0f631ca1ddba8db3bcfcb9e057cdc98d0379f1b",
      "enforced": true,
      "needs": [
        {
          "count": 1,
          "eligible": 1,
          "missing": "One senior who is no contributor has to approve exactly this revision.",
          "people": [
            "ben"
          ],
          "rule": "assisted-below-senior",
          "who": {
            "level": "senior"
          }
        }
      ],
      "policy": {
        "id": "default",
        "version": 1
      },
      "reasons": [
        {
          "code": "approval_needed",
          "sentence": "One senior who is no contributor has to approve exactly this revision."
        }
      ],
      "repository": "acme/payments",
      "snapshot": "…",
      "source_age": null,
      "verdict": "waiting",
      "via": null
    }
    "#);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_waiting_question_hears_of_the_commit_and_of_the_approval(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let change = change();
    let path = format!(
        "/api/v1/gate?repository=acme/payments&commit={}&wait=30",
        change.head
    );
    let asking = tokio::spawn({
        let (ci, path) = (ci.clone(), path.clone());
        async move { ci.get(&path).await }
    });
    t.somebody_waits().await;
    ci.submit(&change).await;
    let other_server = t.another().await;
    ben.at(&other_server).approve(&change).await;
    let decided = std::time::Instant::now();
    let reply = tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reply.answer().1, "approved");
    assert!(
        decided.elapsed() < Duration::from_secs(1),
        "heard after {:?}",
        decided.elapsed()
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn so_many_questions_of_a_token_wait_at_a_time_and_one_more_is_told_when_to_come_back(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let t = t
        .with(|settings| settings.limits.wait = NonZeroU32::MIN)
        .await;
    let (ci, another) = (t.ci().await, t.ci().await);
    ci.submit(&change()).await;
    let head = change().head;
    let waits = format!("/api/v1/gate?repository=acme/payments&commit={head}&wait=1");
    let place = t.server.auth.limits.wait(ci.id).unwrap();
    let one_more = ci.get(&waits).await;
    assert_eq!(one_more.problem(), (429, "too-many"));
    assert_eq!(one_more.headers["retry-after"], "5");
    assert_eq!(
        ci.gate(&head).await.answer().1,
        "waiting",
        "who does not wait takes no place"
    );
    assert_eq!(another.get(&waits).await.answer().1, "waiting");
    drop(place);
    for _ in 0..2 {
        assert_eq!(
            ci.get(&waits).await.answer().1,
            "waiting",
            "each gives its place back"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn two_servers_on_one_database_agree_at_once(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, other) = (t.ci().await, t.senior("ben").await, t.another().await);
    let change = change();
    ci.submit(&change).await;
    assert_eq!(ci.at(&other).gate(&change.head).await.answer().1, "waiting");
    ben.approve(&change).await;
    assert_eq!(
        ci.at(&other).gate(&change.head).await.answer().1,
        "approved"
    );
    let mut tx = t.db.begin().await.unwrap();
    store::tokens::revoke(&mut tx, ci.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        ci.at(&other).gate(&change.head).await.problem(),
        (401, "token")
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_token_that_is_revoked_while_its_question_waits_opens_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let change = change();
    ci.submit(&change).await;
    let asking = tokio::spawn({
        let (ci, path) = (
            ci.clone(),
            format!(
                "/api/v1/gate?repository=acme/payments&commit={}&wait=30",
                change.head
            ),
        );
        async move { ci.get(&path).await }
    });
    t.somebody_waits().await;
    let mut tx = t.db.begin().await.unwrap();
    store::tokens::revoke(&mut tx, ci.id).await.unwrap();
    tx.commit().await.unwrap();
    ben.approve(&change).await;
    let reply = tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reply.problem(), (401, "token"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn whoever_may_not_ask_gets_a_problem_and_no_answer(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let head = sha("c1");
    let submitter = t.machine(&[Scope::Submit], "acme/*").await;
    assert_eq!(submitter.gate(&head).await.problem(), (403, "scope"));
    let elsewhere = t.machine(&[Scope::Gate], "globex/*").await;
    assert_eq!(elsewhere.gate(&head).await.problem(), (403, "repository"));
    let unknown = crate::support::machines::Machine {
        secret: "cs_nonsense".to_owned(),
        ..ci.clone()
    };
    assert_eq!(unknown.gate(&head).await.problem(), (401, "token"));
    t.pass(time::Duration::days(90));
    assert_eq!(ci.gate(&head).await.problem(), (401, "token"), "expired");
}

/// A pipeline with a slash too many is told so in a document, and not sent to sign in.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_no_address_below_api_is_told_so(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let nobody = crate::support::machines::Machine {
        secret: "cs_not_a_token".to_owned(),
        ..ci.clone()
    };
    for path in ["/api/v1/gate/?commit=1", "/api/v1/gates", "/api/"] {
        assert_eq!(ci.get(path).await.problem(), (404, "not-found"), "{path}");
        assert_eq!(nobody.get(path).await.problem(), (401, "token"), "{path}");
    }
    assert_eq!(ci.get("/api/v1/gate").await.problem().0, 422);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_no_question_is_told_so(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let head = sha("c1");
    for (query, kind) in [
        ("", "query"),
        ("repository=acme/payments", "query"),
        ("repository=acme/payments&commit=HEAD", "field"),
        (
            &format!("repository=acme/payments&commit={}", &head[..12]),
            "field",
        ),
        (
            &format!("repository=acme/payments&commit={}", head.to_uppercase()),
            "field",
        ),
        (&format!("repository=payments&commit={head}"), "field"),
        (
            &format!("repository=acme/payments&commit={head}&target=a..b"),
            "field",
        ),
        (
            &format!("repository=acme/payments&commit={head}&wait=61"),
            "wait",
        ),
        (
            &format!("repository=acme/payments&commit={head}&wait=-1"),
            "query",
        ),
        (
            &format!("repository=acme/payments&commit={head}&allow=true"),
            "query",
        ),
    ] {
        assert_eq!(
            ci.get(&format!("/api/v1/gate?{query}")).await.problem(),
            (422, kind),
            "{query}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_repository_is_the_same_however_its_name_is_written(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    ci.submit(&change()).await;
    let reply = ci
        .get(&format!(
            "/api/v1/gate?repository=Acme/Payments&commit={}",
            sha("c1")
        ))
        .await;
    assert_eq!(reply.answer().1, "waiting");
}

/// A standing is only ever a short cut: whatever changes about people is seen by the very next question.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_link_found_later_ends_an_approval_for_the_gate_at_once(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let change = change().by("bens-private-address");
    ci.submit(&change).await;
    ben.approve(&change).await;
    assert_eq!(ci.gate(&change.head).await.answer().1, "approved");
    let ben = ben.linked("bens-private-address").await;
    assert_eq!(ci.gate(&change.head).await.answer().1, "waiting");
    assert_eq!(server::jobs::standings::batch(&t.server).await.unwrap(), 1);
    assert_eq!(
        server::jobs::standings::batch(&t.server).await.unwrap(),
        0,
        "renewed once"
    );
    assert_eq!(ci.gate(&change.head).await.answer().1, "waiting");
    assert!(
        ben.presses(Kind::Approve, &change, "").await.is_err(),
        "and they cannot approve again"
    );
}

/// Nobody may open a gate by linking and unlinking: who approved before the link has to say so once more.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_link_that_is_withdrawn_frees_its_person_and_brings_no_approval_back(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let change = change().by("somebodys-address");
    ci.submit(&change).await;
    ben.approve(&change).await;
    let ben = ben.linked("somebodys-address").await;
    assert_eq!(ci.gate(&change.head).await.answer().1, "waiting");
    ben.unlinked("somebodys-address").await;
    for renewed in [0, 1] {
        let answer = ci.gate(&change.head).await;
        assert_eq!(
            answer.answer(),
            (false, "waiting", vec!["approval_needed", "approval_barred"])
        );
        let batch = server::jobs::standings::batch(&t.server).await.unwrap();
        assert_eq!(batch, 1 - renewed);
    }
    let path = format!("/changes/{}", t.id_of(&change).await);
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("so they may approve again"), "{page}");
    ben.approve(&change).await;
    assert_eq!(ci.gate(&change.head).await.answer().1, "approved");
    // A link that was over before somebody approved, and one of somebody else, end nothing.
    let li = t.senior("li").await.linked("somebodys-address").await;
    li.unlinked("somebodys-address").await;
    assert_eq!(ci.gate(&change.head).await.answer().1, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_promotion_after_the_revision_arrived_changes_nothing_for_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let ana = t.junior("ana").await.linked("ana").await;
    ci.submit(&change().by("ana")).await;
    let mut tx = t.db.begin().await.unwrap();
    store::people::set_level(&mut tx, ana.id, Some(Level::Senior))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
    ci.submit(&change().by("ana").pushed("c2")).await;
    assert_eq!(ci.gate(&sha("c2")).await.answer().1, "not_required");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn without_a_database_there_is_no_yes(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    ci.submit(&change().by("ben")).await;
    t.db.pool().close().await;
    let reply = ci.gate(&sha("c1")).await;
    assert_eq!(reply.problem(), (503, "unavailable"));
    assert!(reply.headers.contains_key("retry-after"));
}
