//! What was deployed: who may go back to it, what was never allowed, and what a report can and cannot say.

use crate::support::{
    TestServer,
    changes::{change, sha},
    machines::{Machine, Reply},
    people::Human,
};
use domain::{
    decision::Kind,
    readers::{Reader, Readers},
    token::Scope,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use store::{deployments::unsanctioned, modes, policies, policies::Author, readers};
use time::Duration;

const AGEING: &str = "\n[approvals]\nexpire_after = \"1 day\"\n";

/// The default but for this many approvals, and what else is said.
fn policy(approvals: usize, more: &str) -> String {
    format!(
        r#"version = 1

[[rule]]
name = "assisted"
when = {{ provenance = ["assisted", "unknown"], level = ["nobody", "junior", "mid"] }}
require = [{{ approvals = {approvals}, level = "senior" }}]
{more}"#
    )
}

impl TestServer {
    /// A client with a token that may report deployments of `acme/*`, and nothing else.
    async fn deployer(&self) -> Machine {
        self.machine(&[Scope::Incidents], "acme/*").await
    }

    async fn asks_for(&self, text: &str) {
        let admin = self.machine(&[Scope::Policy], "acme/*").await;
        let place = self.at("/api/v1/repositories/acme/payments/policy");
        let request = admin.http.put(place).body(text.to_owned());
        let reply = admin
            .send(request.header("content-type", "application/toml"))
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    async fn set_mode(&self, admin: &Human, days: Option<i64>) {
        let mut tx = self.db.begin().await.unwrap();
        let name = "acme/payments".parse().unwrap();
        let locked = policies::lock(&mut tx, &name).await.unwrap().unwrap();
        let until = days.map(|days| tx.now() + Duration::days(days));
        modes::set(&mut tx, &locked, until, admin.id, "we try it")
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// How many commits that were deployed and not allowed somebody of these teams sees that owe a review.
    async fn owed(&self, teams: &[String]) -> usize {
        let mut tx = self.db.read().await.unwrap();
        let (now, reader) = (tx.now(), Reader::person(teams, &[]));
        let owed = unsanctioned(tx.conn(), &reader, now, 9).await;
        owed.unwrap().len()
    }

    async fn events(&self, kind: &str) -> Vec<Value> {
        let asked = sqlx::query_scalar("select data from event where kind = $1 order by xid, id");
        asked.bind(kind).fetch_all(&self.owner).await.unwrap()
    }
}

/// A report of a deployment of these commits to production.
fn report(key: &str, commits: &[&str]) -> Value {
    json!({ "repository": "acme/payments", "environment": "production", "commits": commits, "key": key })
}

impl Machine {
    async fn reports(&self, body: Value) -> Reply {
        self.post("/api/v1/deployments", body).await
    }

    /// Reports that these commits were deployed to production, which must be taken; the sanction of each.
    async fn deploys(&self, key: &str, commits: &[&str]) -> Vec<String> {
        let reply = self.reports(report(key, commits)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        sanctions(&reply)
    }

    async fn gate_to(&self, environment: &str, commit: &str) -> Reply {
        self.get(&format!(
            "/api/v1/gate?repository=acme/payments&commit={commit}&environment={environment}"
        ))
        .await
    }

    /// Whether the gate lets a commit of `acme/payments` go to production, and why.
    async fn goes_back(&self, commit: &str) -> (bool, String, String) {
        let reply = self.gate_to("production", commit).await;
        let (allow, verdict, codes) = reply.answer();
        (allow, verdict.to_owned(), codes[0].to_owned())
    }
}

fn sanctions(reply: &Reply) -> Vec<String> {
    let commits = reply.json["commits"].as_array().unwrap().iter();
    commits
        .map(|one| one["sanction"].as_str().unwrap().to_owned())
        .collect()
}

fn redeploy() -> (bool, String, String) {
    (true, "not_required".to_owned(), "redeploy".to_owned())
}

fn refused(verdict: &str, code: &str) -> (bool, String, String) {
    (false, verdict.to_owned(), code.to_owned())
}

/// Ana's change, approved by Ben under a policy that lets approvals age, and deployed to production.
async fn deployed(t: &TestServer) -> (Machine, Machine, Human) {
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    ci.submit(&change()).await;
    t.asks_for(&policy(1, AGEING)).await;
    ben.approve(&change()).await;
    assert_eq!(deployer.deploys("1", &[&sha("c1")]).await, ["allowed"]);
    (ci, deployer, ben)
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_deployed_may_go_back_there_after_its_approval_expired(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ..) = deployed(&t).await;
    assert_eq!(ci.goes_back(&sha("c1")).await.2, "approved");
    t.pass(Duration::days(2));
    assert!(!ci.gate(&sha("c1")).await.answer().0);
    assert_eq!(ci.goes_back(&sha("c1")).await, redeploy());
    let reply = ci.gate_to("Production", &sha("c1")).await;
    assert!(reply.answer().0, "{reply:?}");
    assert_eq!(reply.json["environment"], "Production");
    assert_eq!(reply.json["needs"], json!([]));
    assert_eq!(reply.json["changes"][0]["verdict"], "waiting");
    assert!(!ci.gate_to("staging", &sha("c1")).await.answer().0);
    assert!(!ci.goes_back(&sha("other")).await.0);
    let elsewhere = format!(
        "/api/v1/gate?repository=acme/payments&commit={}&environment=production&target=release",
        sha("c1")
    );
    assert!(!ci.get(&elsewhere).await.answer().0);

    t.pass(Duration::days(88) - Duration::seconds(1));
    // Tokens of tests last as long.
    let ci = t.ci().await;
    assert_eq!(ci.goes_back(&sha("c1")).await, redeploy());
    t.pass(Duration::seconds(1));
    assert!(!ci.goes_back(&sha("c1")).await.0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_whole_release_may_go_back(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ..) = deployed(&t).await;
    t.pass(Duration::days(2));
    let mut body = json!({ "repository": "acme/payments", "commits": [sha("c1")] });
    assert_eq!(
        ci.post("/api/v1/gate", body.clone()).await.json["allow"],
        false
    );
    body["environment"] = json!("production");
    assert_eq!(
        ci.post("/api/v1/gate", body.clone()).await.json["allow"],
        true
    );
    body["commits"] = json!([sha("c1"), sha("other")]);
    let reply = ci.post("/api/v1/gate", body).await;
    assert_eq!(reply.json["allow"], false);
    assert_eq!(reply.json["answers"][0]["allow"], true);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_deployed_may_go_back_there_after_the_policy_became_stricter(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ci.submit(&change().key("143").pushed("c2")).await;
    ben.approve(&change()).await;
    ben.approve(&change().key("143")).await;
    assert_eq!(deployer.deploys("1", &[&sha("c1")]).await, ["allowed"]);
    t.asks_for(&policy(2, "")).await;
    assert_eq!(ci.goes_back(&sha("c1")).await, redeploy());
    assert_eq!(
        ci.goes_back(&sha("c2")).await,
        refused("waiting", "approval_needed"),
        "never deployed"
    );
    t.asks_for(&policy(2, "\n[going_back]\nredeploy_for = \"1 day\"\n"))
        .await;
    t.pass(Duration::days(1));
    assert!(
        !ci.goes_back(&sha("c1")).await.0,
        "the policy of today says for how long"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_overridden_may_go_back_until_its_review_is_overdue(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.decides(&change(), Kind::Override).await.unwrap();
    assert_eq!(deployer.deploys("1", &[&sha("c1")]).await, ["allowed"]);
    t.pass(Duration::hours(25));
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
    assert_eq!(ci.goes_back(&sha("c1")).await, redeploy());
    t.pass(Duration::days(2));
    assert_eq!(
        ci.goes_back(&sha("c1")).await,
        refused("waiting", "approval_needed")
    );
    t.senior("li").await.approve(&change()).await;
    t.asks_for(&policy(2, "")).await;
    assert_eq!(ci.goes_back(&sha("c1")).await, redeploy(), "reviewed since");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_rejected_after_it_was_deployed_may_not_go_back(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, _) = deployed(&t).await;
    let li = t.senior("li").await;
    li.reject(&change(), "it pays twice").await;
    assert_eq!(
        ci.goes_back(&sha("c1")).await,
        refused("rejected", "rejected")
    );
    assert_eq!(
        deployer.deploys("2", &[&sha("c1")]).await,
        ["unsanctioned"],
        "and who does so all the same is seen"
    );
    li.withdraw(&change()).await;
    t.pass(Duration::days(2));
    assert_eq!(ci.goes_back(&sha("c1")).await, redeploy());
    ci.submit(&change().pushed("c2")).await;
    t.senior("ben")
        .await
        .reject(&change(), "nor does this")
        .await;
    assert!(
        !ci.goes_back(&sha("c1")).await.0,
        "a rejection is about the change"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn going_back_again_and_again_does_not_keep_it_open(pool: PgPool) {
    let t = TestServer::new(pool).await;
    deployed(&t).await;
    t.pass(Duration::days(89));
    let (ci, deployer) = (t.ci().await, t.deployer().await);
    assert_eq!(deployer.deploys("2", &[&sha("c1")]).await, ["redeployed"]);
    t.pass(Duration::days(1));
    assert!(!ci.goes_back(&sha("c1")).await.0);
    assert_eq!(deployer.deploys("3", &[&sha("c1")]).await, ["unsanctioned"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_never_allowed_owes_a_review_that_somebody_else_gives(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer) = (t.ci().await, t.deployer().await);
    let (ana, ben) = (t.senior("ana").await, t.senior("ben").await);
    ci.submit(&change()).await;
    let reply = deployer.reports(report("1", &[&sha("c1")])).await;
    let one = &reply.json["commits"][0];
    assert_eq!(
        json!([
            reply.json["unsanctioned"],
            reply.json["enforced"],
            one["sanction"],
            one["verdict"],
            one["review_by"]
        ]),
        json!([1, true, "unsanctioned", "waiting", "2026-11-23T12:00:00Z"])
    );
    assert_eq!(one["changes"][0]["key"], "142");
    let told = t.events("deployment.unsanctioned").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["commit"], json!(sha("c1")));
    assert_eq!(t.events("deployment.recorded").await.len(), 1);
    assert!(!ci.goes_back(&sha("c1")).await.0, "it was never allowed");

    let front = ben.browser.page(&t, "/").await;
    assert!(
        front.contains("Deployed without having been allowed"),
        "{front}"
    );
    assert!(front.contains("Retry settlement"), "{front}");
    let page = format!("/changes/{}", t.id_of(&change()).await);
    let shown = ben.browser.page(&t, &page).await;
    assert!(shown.contains("production"), "{shown}");
    assert!(shown.contains("a review is owed"), "{shown}");

    ana.decides(&change(), Kind::Reject).await.unwrap_err();
    ana.decides(&change(), Kind::Override).await.unwrap();
    assert_eq!(t.owed(&[]).await, 1, "an override is no review");
    ben.approve(&change()).await;
    assert_eq!(t.owed(&[]).await, 0);
    let shown = ben.browser.page(&t, &page).await;
    assert!(shown.contains("reviewed it since"), "{shown}");
    ben.withdraw(&change()).await;
    assert_eq!(t.owed(&[]).await, 1);
    ci.submit(&change().pushed("c2")).await;
    ben.reject(&change(), "take it out").await;
    assert_eq!(t.owed(&[]).await, 0, "they have looked at what came of it");
    let front = ben.browser.page(&t, "/").await;
    assert!(
        !front.contains("Deployed without having been allowed"),
        "{front}"
    );
    assert_eq!(t.count("decision").await, 4);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_decided_before_a_deployment_pays_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (_, deployer, _) = deployed(&t).await;
    t.pass(Duration::days(2));
    let staging = json!({ "repository": "acme/payments", "environment": "staging", "commits": [sha("c1")], "key": "2" });
    let reply = deployer.reports(staging).await;
    assert_eq!(
        sanctions(&reply),
        ["unsanctioned"],
        "another environment, and expired"
    );
    assert_eq!(t.owed(&[]).await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_commit_that_nobody_told_of_is_listed_until_somebody_has_looked_at_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    let reply = deployer.reports(report("1", &[&sha("c1")])).await;
    let one = &reply.json["commits"][0];
    assert_eq!(
        json!([one["sanction"], one["verdict"], one["changes"]]),
        json!(["unsanctioned", "unheard", []])
    );
    let front = ben.browser.page(&t, "/").await;
    assert!(front.contains(&sha("c1")[..7]), "{front}");
    assert!(front.contains("Nobody told of this commit"), "{front}");
    assert!(!ci.goes_back(&sha("c1")).await.0);

    ci.submit(&change()).await;
    let front = ben.browser.page(&t, "/").await;
    assert!(front.contains(&sha("c1")[..7]), "{front}");
    ben.approve(&change()).await;
    let front = ben.browser.page(&t, "/").await;
    assert!(!front.contains(&sha("c1")[..7]), "{front}");
    t.asks_for(&policy(2, "")).await;
    assert!(!ci.goes_back(&sha("c1")).await.0, "it was not allowed then");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_time_that_is_told_makes_nothing_allowed(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    ci.submit(&change()).await;
    t.asks_for(&policy(1, AGEING)).await;
    ben.approve(&change()).await;
    t.pass(Duration::days(2));
    let mut late = report("1", &[&sha("c1")]);
    late["when"] = json!("2026-11-20T13:00:00.123456789+01:00");
    let reply = deployer.reports(late.clone()).await;
    assert_eq!(sanctions(&reply), ["unsanctioned"]);
    assert_eq!(reply.json["when"], "2026-11-20T12:00:00.123456Z");
    assert_eq!(reply.json["recorded_at"], "2026-11-22T12:00:00Z");
    assert!(!ci.goes_back(&sha("c1")).await.0);
    assert_eq!(deployer.reports(late).await.status, 200, "the same moment");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn commits_below_an_allowed_head_are_part_of_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    let mut json = change().json();
    let mut below = json["commits"][0].clone();
    below["sha"] = json!(sha("below"));
    json["commits"][0]["parents"] = json!([sha("below")]);
    let commits = json!([below, json["commits"][0]]);
    ci.submit(&change().with(json!({ "commits": commits })))
        .await;
    ben.approve(&change()).await;
    let (head, below, merge) = (sha("c1"), sha("below"), sha("merge"));
    assert_eq!(
        deployer.deploys("1", &[&merge, &head, &below]).await,
        ["unsanctioned", "allowed", "part"],
        "nobody told of the merge"
    );
    assert_eq!(
        deployer.deploys("2", &[&below]).await,
        ["unsanctioned"],
        "by itself"
    );
    assert!(
        !ci.goes_back(&below).await.0,
        "only a head was ever allowed"
    );
    t.asks_for(&policy(2, "")).await;
    assert_eq!(
        deployer.deploys("3", &[&head, &below]).await,
        ["redeployed", "part"]
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn where_a_repository_is_observed_the_same_is_recorded_and_said_to_be_observed(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, grace) = (t.ci().await, t.deployer().await, t.admin("grace").await);
    ci.submit(&change()).await;
    t.set_mode(&grace, Some(7)).await;
    assert!(ci.gate(&sha("c1")).await.answer().0);
    let reply = deployer.reports(report("1", &[&sha("c1")])).await;
    assert_eq!(sanctions(&reply), ["unsanctioned"]);
    assert_eq!(reply.json["enforced"], false);
    let front = grace.browser.page(&t, "/").await;
    assert!(front.contains("observed only"), "{front}");
    t.set_mode(&grace, None).await;
    assert!(
        !ci.goes_back(&sha("c1")).await.0,
        "no verdict ever allowed it"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_report_that_is_sent_again_is_the_one_already_recorded(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    ci.submit(&change()).await;
    let first = deployer.reports(report("run-1", &[&sha("c1")])).await;
    assert_eq!(first.status, 201);
    ben.approve(&change()).await;
    let again = deployer.reports(report("run-1", &[&sha("c1")])).await;
    assert_eq!(
        (again.status.as_u16(), &again.json),
        (200, &first.json),
        "judged once"
    );

    let headed = |body: Value, key: &str| {
        let request = deployer.http.post(t.at("/api/v1/deployments")).json(&body);
        deployer.send(request.header("idempotency-key", key.to_owned()))
    };
    let mut keyless = report("", &[&sha("c1")]);
    keyless.as_object_mut().unwrap().remove("key");
    assert_eq!(headed(keyless.clone(), "\"run-1\"").await.json, first.json);
    assert_eq!(headed(keyless.clone(), "run-1").await.json, first.json);
    let two = headed(report("run-2", &[&sha("c1")]), "run-1").await;
    assert_eq!(two.problem(), (422, "key"));
    assert_eq!(deployer.reports(keyless).await.problem(), (422, "key"));

    for (field, value) in [
        ("environment", json!("staging")),
        ("commits", json!([sha("c1"), sha("c2")])),
        ("when", json!("2026-11-20T11:00:00Z")),
    ] {
        let mut other = report("run-1", &[&sha("c1")]);
        other[field] = value;
        let reply = deployer.reports(other).await;
        assert_eq!(reply.problem(), (409, "deployment-differs"), "{field}");
    }
    let (one, other) = tokio::join!(
        deployer.reports(report("run-3", &[&sha("c1")])),
        deployer.reports(report("run-3", &[&sha("c1")]))
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!((statuses, &one.json), ([200, 201], &other.json));
    assert_eq!(
        (
            t.count("deployment").await,
            t.count("deployed_commit").await
        ),
        (2, 2)
    );
    assert_eq!(t.events("deployment.recorded").await.len(), 2);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_no_report_is_answered_with_a_problem_and_nothing_of_it_is_kept(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let deployer = t.deployer().await;
    let with = |field: &str, value: Value| {
        let mut body = report("1", &[&sha("c1")]);
        body[field] = value;
        body
    };
    let many: Vec<String> = (0..901).map(|n| sha(&n.to_string())).collect();
    let mut half = many[..500].to_vec();
    half.push("c1".to_owned());
    for (body, kind) in [
        (with("commits", json!([])), "commits"),
        (with("commits", json!(many)), "commits"),
        (with("commits", json!([sha("c1"), sha("c1")])), "commits"),
        (with("commits", json!(half)), "field"),
        (with("commits", json!("HEAD")), "body"),
        (with("commits", Value::Null), "body"),
        (with("repository", json!("payments")), "field"),
        (with("environment", json!("")), "field"),
        (with("environment", json!("prod\nuction")), "field"),
        (with("environment", json!("prod\u{202e}")), "field"),
        (with("environment", json!("x".repeat(101))), "field"),
        (with("key", json!("")), "key"),
        (with("key", json!("x".repeat(201))), "key"),
        (with("key", json!("a\u{0}b")), "key"),
        (with("when", json!("yesterday")), "body"),
        (with("when", json!("1999-12-31T23:59:59Z")), "when"),
        (with("when", json!("2026-11-21T12:00:01Z")), "when"),
        (with("when", json!("9999-12-31T23:59:59Z")), "when"),
        (with("verdict", json!("approved")), "body"),
        (json!([]), "body"),
        (Value::Null, "body"),
    ] {
        let reply = deployer.reports(body.clone()).await;
        assert_eq!(reply.problem(), (422, kind), "{body}");
        assert!(
            reply.json["detail"].as_str().unwrap().len() < 500,
            "{reply:?}"
        );
    }
    let send = |kind: &'static str, body: Vec<u8>| {
        let request = deployer.http.post(t.at("/api/v1/deployments"));
        deployer.send(request.header("content-type", kind).body(body))
    };
    let large = vec![b' '; 200_000];
    assert_eq!(send("application/json", large).await.status, 413);
    assert_eq!(send("application/json", b"{".to_vec()).await.status, 400);
    assert_eq!(send("text/plain", b"{}".to_vec()).await.status, 415);
    let deep = "[".repeat(50_000).into_bytes();
    assert_eq!(send("application/json", deep).await.status, 422);
    for table in [
        "deployment",
        "deployed_commit",
        "deployed_change",
        "repository",
    ] {
        assert_eq!(t.count(table).await, 0, "{table}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn only_a_token_for_incidents_of_that_repository_reports(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let body = || report("1", &[&sha("c1")]);
    let others = [
        Scope::Submit,
        Scope::Gate,
        Scope::Read,
        Scope::Policy,
        Scope::Admin,
    ];
    let other = t.machine(&others, "acme/*").await;
    assert_eq!(other.reports(body()).await.problem(), (403, "scope"));
    let elsewhere = t.machine(&[Scope::Incidents], "acme/ledger").await;
    assert_eq!(
        elsewhere.reports(body()).await.problem(),
        (403, "repository")
    );
    let nobody = Machine::new(t.clone(), "cs_nobody".to_owned(), other.id);
    assert_eq!(nobody.reports(body()).await.problem(), (401, "token"));
    assert_eq!(
        t.deployer().await.gate(&sha("c1")).await.problem(),
        (403, "scope")
    );
    let ci = t.ci().await;
    let asked = ci.gate_to("prod%0Auction", &sha("c1")).await;
    assert_eq!(asked.problem(), (422, "field"));
    assert_eq!(t.count("deployment").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_deployment_is_recorded_before_or_after_a_decision_and_never_beside_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer) = (t.ci().await, t.deployer().await);
    let (ben, li) = (t.senior("ben").await, t.senior("li").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    let rejecting = li.deciding(&change(), Kind::Reject).await.unwrap();
    let there = deployer.clone();
    let reported = tokio::spawn(async move { there.deploys("1", &[&sha("c1")]).await });
    t.locked_out(1).await;
    rejecting.commit().await.unwrap();
    assert_eq!(reported.await.unwrap(), ["unsanctioned"]);
    assert!(!ci.goes_back(&sha("c1")).await.0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_that_let_something_go_back_is_given_again_as_of_its_snapshot(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, deployer, ben) = (t.ci().await, t.deployer().await, t.senior("ben").await);
    ci.submit(&change()).await;
    t.asks_for(&policy(1, AGEING)).await;
    ben.approve(&change()).await;
    t.pass(Duration::days(2));
    let before = ci.gate_to("production", &sha("c1")).await;
    // Told late, by a clock that was wrong: it counts in no answer that came before it.
    t.pass(Duration::days(-2));
    assert_eq!(deployer.deploys("1", &[&sha("c1")]).await, ["allowed"]);
    t.pass(Duration::days(2));
    let back = ci.gate_to("production", &sha("c1")).await;
    t.senior("li").await.reject(&change(), "no").await;
    for (answer, allow) in [(&before, false), (&back, true)] {
        assert_eq!(answer.answer().0, allow);
        let as_of: String = url::form_urlencoded::byte_serialize(
            answer.json["snapshot"].as_str().unwrap().as_bytes(),
        )
        .collect();
        let commit = sha("c1");
        let past = ci
            .get(&format!(
                "/api/v1/gate/past?repository=acme/payments&commit={commit}&environment=production&as_of={as_of}"
            ))
            .await;
        assert_eq!(past.json["allow"], false);
        assert_eq!(past.json["then"], answer.json);
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_deployment_is_never_rewritten(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.deployer().await.deploys("1", &[&sha("c1")]).await;
    for statement in [
        "update deployed_commit set sanction = 'allowed', review_by = null",
        "delete from deployed_commit",
        "update deployment set enforced = false",
        "truncate deployed_change",
    ] {
        assert!(
            sqlx::query(statement).execute(&t.owner).await.is_err(),
            "{statement}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_deployed_from_a_repository_of_others_is_not_shown(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (grace, deployer) = (t.admin("grace").await, t.deployer().await);
    deployer.deploys("1", &[&sha("c1")]).await;
    let platform = ["platform".to_owned()];
    assert_eq!(t.owed(&platform).await, 1);
    let mut tx = t.db.begin().await.unwrap();
    let name = "acme/payments".parse().unwrap();
    let locked = policies::lock(&mut tx, &name).await.unwrap().unwrap();
    let teams = Readers::named(["payments"]).unwrap();
    let by = Author::Person(grace.id);
    readers::set(&mut tx, &locked, &teams, by, "theirs")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(t.owed(&platform).await, 0);
    assert_eq!(t.owed(&["payments".to_owned()]).await, 1);
}
