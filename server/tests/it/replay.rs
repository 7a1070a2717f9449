//! Answers of the gate given again: whatever has changed since, the past stays what it was, and permits nothing.

use crate::{
    cli::{countersign, gate_of, outcome},
    support::{
        TestServer,
        changes::{change, patch, sha},
        machines::{Machine, Reply},
        people::Human,
    },
};
use domain::{
    decision::Kind, names::RepositoryName, people::Level, readers::Readers, token::Scope,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::path::Path;
use store::{
    Tx, modes,
    policies::{self, Author},
    readers,
};
use time::Duration;

/// All that a pipeline was answered about one commit.
struct Record {
    ci: Machine,
    commit: String,
    answers: Vec<Value>,
}

impl Record {
    fn new(ci: &Machine, commit: &str) -> Self {
        Self {
            ci: ci.clone(),
            commit: commit.to_owned(),
            answers: vec![],
        }
    }

    /// Asks now, keeps the answer, and says what it was: verdict, and who could help.
    async fn asks(&mut self) -> String {
        let answer = self.ci.gate(&self.commit).await.json;
        let eligible = answer["needs"][0]["eligible"].as_i64();
        let verdict = answer["verdict"].as_str().unwrap().to_owned();
        self.answers.push(answer);
        eligible.map_or(verdict.clone(), |eligible| format!("{verdict}, {eligible}"))
    }

    /// Has every answer given again at this server.
    async fn holds_at(&self, t: &TestServer) {
        for answer in &self.answers {
            assert_eq!(then(&self.ci.at(t), answer).await, *answer);
        }
    }
}

/// An answer once more.
async fn then(ci: &Machine, answer: &Value) -> Value {
    let past = ask_then(ci, answer["snapshot"].as_str().unwrap(), answer).await;
    assert_eq!(past.status, 200, "{past:?}");
    assert_eq!(past.json["allow"], false, "no permission, whatever it was");
    past.json["then"].clone()
}

async fn ask_then(ci: &Machine, as_of: &str, answer: &Value) -> Reply {
    let (repository, commit) = (
        answer["repository"].as_str().unwrap(),
        answer["commit"].as_str().unwrap(),
    );
    ci.get(&format!(
        "/api/v1/gate/past?repository={repository}&commit={commit}&as_of={as_of}"
    ))
    .await
}

impl TestServer {
    /// `acme/payments`, as who changes its terms has it.
    async fn locked(&self) -> (Tx, policies::Locked) {
        let mut tx = self.db.begin().await.unwrap();
        let name = RepositoryName::parse("acme/payments".to_owned()).unwrap();
        let locked = policies::lock(&mut tx, &name).await.unwrap();
        (tx, locked.unwrap())
    }

    async fn is_read_by(&self, admin: &Human, teams: Option<&[&str]>) {
        let (mut tx, locked) = self.locked().await;
        let teams = teams.map(|teams| teams.iter().map(ToString::to_string).collect());
        let by = Author::Person(admin.id);
        readers::set(&mut tx, &locked, &Readers::of(teams), by, "a secret")
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    async fn observes(&self, admin: &Human, until: Option<domain::Timestamp>) {
        let (mut tx, locked) = self.locked().await;
        modes::set(&mut tx, &locked, until, admin.id, "a trial")
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_after_a_promotion(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let (ana, mika) = (
        t.junior("ana").await,
        t.human("mika", Some(Level::Mid)).await,
    );
    ci.submit(&change()).await;
    let mut record = Record::new(&ci, &change().head);
    assert_eq!(record.asks().await, "waiting, 1");
    mika.promoted(Level::Senior).await;
    ana.promoted(Level::Senior).await;
    assert_eq!(record.asks().await, "waiting, 2");
    ben.approve(&change()).await;
    assert_eq!(record.asks().await, "approved");
    ben.promoted(Level::Junior).await;
    assert_eq!(record.asks().await, "approved");
    record.holds_at(&t).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_after_a_link_and_an_unlink(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    let mut record = Record::new(&ci, &change().head);
    ben.approve(&change()).await;
    assert_eq!(record.asks().await, "approved");
    let ben = ben.linked("ana").await;
    assert_eq!(record.asks().await, "waiting, 0");
    record.holds_at(&t).await;
    ben.unlinked("ana").await;
    assert_eq!(record.asks().await, "waiting, 1");
    ben.approve(&change()).await;
    assert_eq!(record.asks().await, "approved");
    record.holds_at(&t).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_after_changes_of_policy_mode_and_readers(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, grace) = (t.ci().await, t.senior("ben").await, t.admin("grace").await);
    let policies = t.machine(&[Scope::Policy], "acme/*").await;
    let push = async |text: &str| {
        let path = t.at("/api/v1/repositories/acme/payments/policy");
        let request = policies.http.put(path).body(text.to_owned());
        let sent = policies.send(request.header("content-type", "application/toml"));
        assert_eq!(sent.await.json["state"], "in_force");
    };
    let two = domain::policy::SHIPPED[0]
        .text
        .replace("approvals = 1", "approvals = 2");
    let mut record = Record::new(&ci, &change().head);
    assert_eq!(record.asks().await, "unheard", "of no repository yet");
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    assert_eq!(record.asks().await, "approved");
    push(&two).await;
    assert_eq!(record.asks().await, "waiting, 0");
    record.holds_at(&t).await;
    t.observes(&grace, Some(t.db.now() + Duration::DAY)).await;
    assert_eq!(record.asks().await, "waiting, 0");
    t.pass(Duration::days(2));
    assert_eq!(record.asks().await, "waiting, 0");
    let allowed = |answer: &Value| answer["allow"] == true;
    let observed: Vec<bool> = record.answers.iter().map(allowed).collect();
    assert_eq!(observed, [false, true, false, true, false]);
    t.observes(&grace, None).await;
    t.senior("li").await;
    assert_eq!(record.asks().await, "waiting, 1");
    t.is_read_by(&grace, Some(&["nobody"])).await;
    assert_eq!(record.asks().await, "waiting, 0");
    t.is_read_by(&grace, None).await;
    record.holds_at(&t).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_after_a_label(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    let schema = r#"[[rule]]
name = "schema"
when = { label = ["Schema"] }
require = [{ approvals = 2, level = "senior" }]
"#;
    let policy = format!("{}\n{schema}", domain::policy::SHIPPED[0].text);
    let pushed = t.policies().await.push(&policy).await;
    assert_eq!(pushed.json["state"], "in_force", "{pushed:?}");
    let labelled = |labels: &[&str]| change().with(json!({ "labels": labels }));
    ci.submit(&labelled(&["risky"])).await;
    let mut record = Record::new(&ci, &change().head);
    ben.approve(&change()).await;
    assert_eq!(record.asks().await, "approved", "no rule asks for that one");
    ci.submit(&labelled(&[" SCHEMA "])).await;
    assert_eq!(record.asks().await, "waiting, 1");
    ci.submit(&change()).await;
    assert_eq!(record.asks().await, "waiting, 1", "it stays");
    li.approve(&change()).await;
    assert_eq!(record.asks().await, "approved");
    record.holds_at(&t).await;
    let next = change().pushed("c2");
    ci.submit(&next).await;
    let mut record = Record::new(&ci, &next.head);
    ben.approve(&next).await;
    assert_eq!(
        record.asks().await,
        "waiting, 1",
        "the next revision's, too"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_after_a_retarget_a_push_and_a_close(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    let mut record = Record::new(&ci, &change().head);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    assert_eq!(record.asks().await, "approved");
    ci.submit(&change().to("release")).await;
    assert_eq!(record.asks().await, "waiting, 2");
    record.holds_at(&t).await;
    ci.submit(&change().to("release").pushed("c2")).await;
    assert_eq!(record.asks().await, "waiting, 2");
    li.reject(&change(), "not like this").await;
    assert_eq!(record.asks().await, "rejected");
    ci.submit(&change().with(json!({ "state": "closed", "current": true })))
        .await;
    assert_eq!(record.asks().await, "rejected");
    record.holds_at(&t).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_after_a_deactivation_and_as_time_goes_by(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    ci.submit(&change()).await;
    let mut record = Record::new(&ci, &change().head);
    assert_eq!(record.asks().await, "waiting, 2");
    li.deactivated().await;
    assert_eq!(record.asks().await, "waiting, 1");
    ben.decides(&change(), Kind::Override).await.unwrap();
    assert_eq!(record.asks().await, "overridden");
    t.pass(Duration::days(2));
    assert_eq!(record.asks().await, "waiting, 1");
    let last = record.answers.last().unwrap()["as_of"].clone();
    t.senior("somebody-new").await;
    record.holds_at(&t).await;
    assert_eq!(last, "2026-11-22T12:00:00Z");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_after_a_dispute_a_mark_and_a_revision_that_is_the_same(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let ana = t
        .human("ana", Some(Level::Senior))
        .await
        .linked("ana")
        .await;
    let plain = change().message("Retry settlement").over("b");
    let attested = domain::policy::SHIPPED[0]
        .text
        .replace(r#"["assisted", "unknown"]"#, r#"["assisted"]"#)
        .replace(
            r#"level = ["nobody", "junior", "mid"]"#,
            r#"level = ["senior"]"#,
        );
    let mut tx = t.db.begin().await.unwrap();
    policies::configure(&mut tx, &attested).await.unwrap();
    tx.commit().await.unwrap();
    let mut record = Record::new(&ci, &plain.head);
    ci.submit(&plain).await;
    assert_eq!(
        record.asks().await,
        "not_required",
        "no machine has said anything"
    );
    ci.submit(&plain.clone().with(json!({ "ai": { "tool": "copilot" } })))
        .await;
    assert_eq!(record.asks().await, "waiting, 1");
    ben.approve(&plain).await;
    assert_eq!(record.asks().await, "approved");
    let mut rebased = Record::new(&ci, &sha("c2"));
    let same = plain.clone().over("b2").with(json!({ "head": sha("c2") }));
    assert_eq!(rebased.asks().await, "unheard");
    let mut json = same.json();
    json["commits"][0]["sha"] = json!(sha("c2"));
    json["ai"] = json!({ "tool": "copilot" });
    ci.submit(&same.with(json)).await;
    assert_eq!(rebased.asks().await, "approved");
    assert_eq!(
        rebased.answers[1]["changes"][0]["decisions"][0]["carried"]["proof"],
        "blobs"
    );
    let bent = crate::support::changes::Change {
        patch: patch("another"),
        ..plain
    };
    assert_eq!(ci.try_to_submit(&bent).await.status, 409);
    assert_eq!(record.asks().await, "undecidable");
    assert_eq!(
        rebased.asks().await,
        "waiting, 1",
        "what is in doubt carries nothing over"
    );
    ana.deactivated().await;
    record.holds_at(&t).await;
    rebased.holds_at(&t.another().await).await;
}

/// Transactions end in another order than they began, and the snapshot of an answer knows.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_although_an_older_transaction_was_under_way(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    let other = change().key("143").pushed("c2");
    ci.submit(&change()).await;
    ci.submit(&other).await;
    let mut record = Record::new(&ci, &change().head);
    let under_way = ben.deciding(&change(), Kind::Approve).await.unwrap();
    li.approve(&other).await;
    assert_eq!(record.asks().await, "waiting, 2");
    under_way.commit().await.unwrap();
    assert_eq!(record.asks().await, "approved");
    record.holds_at(&t).await;
    let snapshots: Vec<&str> = record
        .answers
        .iter()
        .map(|answer| answer["snapshot"].as_str().unwrap())
        .collect();
    let (_, between) = snapshots[0].rsplit_once(':').unwrap();
    assert_ne!(between, "", "{snapshots:?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_may_not_ask_the_gate_may_not_ask_its_past_and_nobody_asks_the_future(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    ci.submit(&change()).await;
    let answer = ci.gate(&change().head).await.json;
    let as_of = answer["snapshot"].as_str().unwrap();
    let (at, snapshot) = as_of.split_once('/').unwrap();
    let reader = t.machine(&[Scope::Read], "acme/*").await;
    assert_eq!(
        ask_then(&reader, as_of, &answer).await.problem(),
        (403, "scope")
    );
    let elsewhere = t.machine(&[Scope::Gate], "globex/*").await;
    assert_eq!(
        ask_then(&elsewhere, as_of, &answer).await.problem(),
        (403, "repository")
    );
    let nobody = Machine {
        secret: "cs_nonsense".to_owned(),
        ..ci.clone()
    };
    assert_eq!(
        ask_then(&nobody, as_of, &answer).await.problem(),
        (401, "token")
    );
    for nonsense in [
        "",
        "now",
        at,
        snapshot,
        &format!("{at}/9:1:"),
        &format!("{at}/1:999999999999:"),
        &format!("2027-01-01T00:00:00Z/{snapshot}"),
        &format!("{as_of}&wait=5"),
    ] {
        let refused = ask_then(&ci, nonsense, &answer).await;
        assert_eq!(refused.problem().0, 422, "{nonsense}");
    }
    assert_eq!(then(&ci, &answer).await, answer);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_command_tells_what_was_answered_and_never_ends_with_a_yes(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    let head = change().head;
    let answer = ci.gate(&head).await.json;
    ben.linked("ana").await;
    let (server, as_of) = (t.at(""), answer["snapshot"].as_str().unwrap());
    let asks = async |more: &[&str]| {
        let arguments = [&gate_of(&server, &head), more].concat();
        outcome(countersign(Path::new("."), &arguments).env("COUNTERSIGN_TOKEN", &ci.secret)).await
    };
    assert_eq!(asks(&[]).await.code, Some(2));
    let told = asks(&["--as-of", as_of]).await;
    assert_eq!(told.code, Some(4), "{told:?}");
    assert_eq!(
        told.stdout,
        "as of 2026-11-20T12:00:00Z, and no permission now: allowed: approved: acme/payments 142 at d0f631c: Every approval that the policy asks for is there.\n"
    );
    let told = asks(&["--as-of", as_of, "--json"]).await;
    let json: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(
        (told.code, json),
        (Some(4), json!({ "allow": false, "then": answer }))
    );
    for wrong in [
        &["--as-of", "yesterday"][..],
        &["--as-of", as_of, "--wait", "1s"],
    ] {
        assert_eq!(asks(wrong).await.code, Some(3));
    }
    let ahead = format!("2027-01-01T00:00:00Z/{}", as_of.split_once('/').unwrap().1);
    assert_eq!(asks(&["--as-of", &ahead]).await.code, Some(3));
}
