//! A pipeline pushes a policy: with a token for just that, never over somebody else's version, and never down by itself.

use super::{NOTHING, PAYMENTS, asking, state};
use crate::support::{
    TestServer,
    changes::{change, sha},
};
use domain::{policy::SHIPPED, token::Scope};
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn setting_policies_is_a_scope_of_its_own(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    ci.submit(&change()).await;
    assert_eq!(ci.push(NOTHING).await.problem(), (403, "scope"));
    assert_eq!(ci.unset().await.problem(), (403, "scope"));
    let elsewhere = t.machine(&[Scope::Policy], "other/*").await;
    assert_eq!(elsewhere.push(NOTHING).await.problem(), (403, "repository"));
    assert_eq!(elsewhere.get(PAYMENTS).await.problem(), (403, "scope"));
    assert_eq!(policies.gate(&sha("c1")).await.problem(), (403, "scope"));

    for reader in [&ci, &policies] {
        let reply = reader.get(PAYMENTS).await;
        assert_eq!(reply.headers["etag"], "\"default:1\"");
        assert_eq!(
            reply.json["policy"],
            json!({ "id": "default", "version": 1 })
        );
        assert_eq!(
            (reply.json["mode"].as_str(), &reply.json["until"]),
            (Some("enforce"), &json!(null))
        );
        assert_eq!(
            reply.json["text"], SHIPPED[0].text,
            "a new installation begins with what ships"
        );
    }
    let unknown = PAYMENTS.replace("payments", "nobody");
    assert_eq!(ci.get(&unknown).await.problem(), (404, "not-found"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nobody_pushes_over_a_version_that_they_have_not_read(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let policies = t.policies().await;
    let push = |text: String, tag: &'static str| {
        let policies = policies.clone();
        async move { policies.try_to_push(&text, "text/plain", Some(tag)).await }
    };
    let first = push(asking(1, "senior"), "\"default:1\"").await;
    assert_eq!(first.headers["etag"], "\"acme/payments:1\"");
    let late = push(asking(2, "senior"), "\"default:1\"").await;
    assert_eq!(late.problem(), (412, "policy-moved"));
    let again = push(asking(2, "senior"), "\"acme/payments:1\"").await;
    assert_eq!(
        state(&again),
        (200, "in_force", Some(2), "acme/payments:2".into())
    );
    let same = policies.push(&asking(2, "senior")).await;
    assert_eq!(
        state(&same),
        (200, "unchanged", None, "acme/payments:2".into())
    );
    assert_eq!(t.count("policy_version").await, 3);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_cannot_be_read_is_told_by_line_and_column_and_holds_nowhere(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let policies = t.policies().await;
    let reply = policies.push(&NOTHING.replace("when", "whn")).await;
    assert_eq!(reply.problem(), (422, "policy"));
    assert_eq!(reply.json["faults"][0]["line"], 5, "{reply:?}");
    assert_eq!(reply.json["faults"][0]["nearest"], "when", "{reply:?}");
    let form = policies
        .try_to_push(NOTHING, "application/json", None)
        .await;
    assert_eq!(form.problem(), (415, "content-type"));
    let long = format!("{NOTHING}#{}", "x".repeat(64 * 1024));
    assert_eq!(policies.push(&long).await.problem(), (413, "body"));
    assert_eq!(t.count("policy_version").await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_name_of_several_parts_is_written_with_its_slashes_encoded(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let policies = t.policies().await;
    let path = "/api/v1/repositories/acme/team%2Fpay/policy";
    let pushed = policies.http.put(t.at(path)).body(NOTHING);
    let reply = policies
        .send(pushed.header("content-type", "application/toml; charset=utf-8"))
        .await;
    assert_eq!(reply.json["repository"], "acme/team/pay", "{reply:?}");
    assert_eq!(
        policies.get(path).await.json["policy"]["id"],
        "acme/team/pay"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_push_that_lowers_what_was_needed_is_only_a_proposal(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    ci.submit(&change()).await;
    let reply = policies.push(NOTHING).await;
    assert_eq!(
        state(&reply),
        (202, "proposed", Some(1), "default:1".into())
    );
    assert_eq!(reply.json["looked_at"], 1);
    assert_eq!(
        reply.json["lowers"],
        json!(["142, revision 1: would be not_required and not waiting."])
    );
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");

    assert_eq!(
        state(&policies.push(&asking(2, "senior")).await).1,
        "in_force"
    );
    let back = policies.unset().await;
    assert_eq!(
        state(&back),
        (202, "proposed", Some(3), "acme/payments:2".into())
    );

    t.pass(time::Duration::days(31));
    let late = policies.push(&asking(1, "senior")).await;
    assert_eq!(
        (state(&late).1, &late.json["looked_at"]),
        ("in_force", &json!(0)),
        "nothing of the last 30 days would have needed more"
    );
    assert_eq!(
        state(&policies.unset().await),
        (200, "in_force", Some(5), "default:1".into())
    );
    assert_eq!(state(&policies.unset().await).1, "unchanged");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn every_version_leaves_its_event(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    ci.submit(&change()).await;
    policies.push(&asking(2, "senior")).await;
    policies.push(NOTHING).await;
    let kinds: Vec<String> =
        sqlx::query_scalar("select kind from event where kind like 'policy.%' order by xid, id")
            .fetch_all(&t.owner)
            .await
            .unwrap();
    assert_eq!(kinds, ["policy.in_force", "policy.proposed"]);
}
