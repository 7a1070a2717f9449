//! Who says so, since when it holds, and what it means for who can be asked.

use crate::support::{
    TestServer,
    changes::{change, sha},
    people::Human,
};
use domain::{
    decision::Kind,
    people::{Level, Role},
    problem::Problem,
    token::Scope,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;

const PAGE: &str = "/repositories/acme/payments";
const READERS: &str = "/api/v1/repositories/acme/payments/readers";

impl Human {
    /// Lets only these teams see the repository, on its page.
    async fn lets_see(&self, teams: &str) -> Result<(), Problem> {
        self.says_who_sees(&[
            ("everybody", "false"),
            ("teams", teams),
            ("reason", "secret"),
        ])
        .await
    }

    async fn says_who_sees(&self, fields: &[(&str, &str)]) -> Result<(), Problem> {
        let fields = [&[("repository", "acme/payments")], fields].concat();
        let call = "/fn/set-readers";
        let answer = self.browser.submits(&self.t, PAGE, call, &fields).await;
        answer.outcome_at(PAGE)
    }

    /// The status of the page of the change.
    async fn sees(&self) -> StatusCode {
        let path = format!("/changes/{}", self.t.id_of(&change()).await);
        self.browser.opens(&self.t.at(&path)).await.status
    }
}

impl TestServer {
    async fn of_the_vault(&self, name: &str) -> Human {
        self.signs_in(name, Some(Level::Senior), &["vault"], vec![])
            .await
    }

    async fn needs(&self) -> Value {
        self.ci().await.gate(&sha("c1")).await.json["needs"].clone()
    }
}

const SEEN: StatusCode = StatusCode::OK;
const HIDDEN: StatusCode = StatusCode::NOT_FOUND;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_admin_says_who_may_see_a_repository_and_anybody_who_may_reads_who_said_so(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    t.ci().await.submit(&change()).await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    let vera = t.of_the_vault("vera").await;
    assert_eq!(ben.sees().await, SEEN);
    assert_eq!(ben.lets_see("payments").await, Err(Problem::NotAllowed));
    assert_eq!(grace.lets_see(" ,").await, Err(Problem::NotTeams));
    let silent = [("everybody", "false"), ("teams", "vault"), ("reason", " ")];
    assert_eq!(
        grace.says_who_sees(&silent).await,
        Err(Problem::ReasonNeeded)
    );
    assert_eq!(t.count("repository_readers").await, 0);

    assert_eq!(grace.lets_see("vault, ledger").await, Ok(()));
    assert_eq!(
        [ben.sees().await, vera.sees().await, grace.sees().await],
        [HIDDEN, SEEN, SEEN]
    );
    let page = vera.browser.page(&t, PAGE).await;
    assert!(
        page.contains("Only teams ledger, vault, and admins."),
        "{page}"
    );
    assert!(page.contains("grace") && page.contains("secret"), "{page}");
    assert!(!page.contains("/fn/set-readers"), "the form is for admins");

    let all = [
        ("everybody", "true"),
        ("teams", "vault"),
        ("reason", "over"),
    ];
    assert_eq!(grace.says_who_sees(&all).await, Ok(()));
    assert_eq!(ben.sees().await, SEEN);
    let said = "event where kind = 'readers.set' and data ->> 'person' is not null";
    assert_eq!(t.count(said).await, 2);
    let held = "repository_readers where until_version is not null and teams = '{ledger,vault}'";
    assert_eq!(t.count(held).await, 1, "what held before is kept");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_repository_can_be_for_a_team_before_anybody_has_told_of_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let setup = t.machine(&[Scope::Admin], "acme/*").await;
    let put = async |machine: &crate::support::machines::Machine, body: Value| {
        let request = machine.http.put(t.at(READERS)).json(&body);
        machine.send(request).await
    };
    for scope in [Scope::Policy, Scope::Read, Scope::Submit, Scope::Gate] {
        let other = t.machine(&[scope], "acme/*").await;
        let refused = put(&other, json!({ "teams": null, "reason": "x" })).await;
        assert_eq!(refused.problem(), (403, "scope"), "{scope:?}");
    }
    let elsewhere = t.machine(&[Scope::Admin], "other/*").await;
    let refused = put(&elsewhere, json!({ "teams": null, "reason": "x" })).await;
    assert_eq!(refused.problem(), (403, "repository"));
    for (body, kind) in [
        (json!({ "reason": "who says nothing of teams" }), "body"),
        (json!({ "team": [], "teams": null, "reason": "x" }), "body"),
        (json!({ "teams": [], "reason": "x" }), "not-teams"),
        (json!({ "teams": ["vault"], "reason": "" }), "reason-needed"),
    ] {
        assert_eq!(put(&setup, body).await.problem(), (422, kind));
    }
    assert_eq!(setup.get(READERS).await.problem(), (404, "not-found"));

    let set = put(&setup, json!({ "teams": ["vault"], "reason": "setup" })).await;
    assert_eq!(set.json["teams"], json!(["vault"]), "{set:?}");
    t.ci().await.submit(&change()).await;
    assert_eq!(t.senior("ben").await.sees().await, HIDDEN);
    assert_eq!(t.of_the_vault("vera").await.sees().await, SEEN);
    let held = t.ci().await.get(READERS).await;
    assert_eq!(
        held.json,
        json!({ "repository": "acme/payments", "teams": ["vault"] })
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_is_no_longer_in_the_team_sees_nothing_from_the_next_request_on(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    ci.submit(&change()).await;
    let (grace, vera) = (t.admin("grace").await, t.of_the_vault("vera").await);
    grace.lets_see("vault").await.unwrap();
    let form = vera.reads(&change()).await.press(Kind::Approve);

    // Her other browser signs in, and the provider no longer says that she is of that team.
    t.signs_in("vera", Some(Level::Senior), &["payments"], vec![])
        .await;
    assert_eq!(vera.sees().await, HIDDEN);
    assert_eq!(
        vera.calls(&form).await.said(),
        (404, Some(Problem::NotFound))
    );
    assert_eq!(t.count("decision").await, 0);
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_team_that_was_confirmed_too_long_ago_shows_nothing_and_says_why(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.ci().await.submit(&change()).await;
    let vera = t.signs_in("vera", None, &["vault"], vec![]).await;
    t.admin("grace").await.lets_see("vault").await.unwrap();
    assert_eq!(vera.sees().await, SEEN);
    // The session is used, so it goes on.
    for _ in 0..3 {
        t.pass(Duration::hours(5));
        vera.browser.page(&t, "/").await;
    }
    assert_eq!(vera.sees().await, HIDDEN);
    let queue = vera.browser.page(&t, "/").await;
    assert!(
        queue.contains("Sign in again to see what only they may."),
        "{queue}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nobody_is_asked_who_may_not_see_it_and_the_need_says_so(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.ci().await.submit(&change()).await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    assert_eq!(t.needs().await[0]["people"], json!(["ben"]));
    grace.lets_see("vault").await.unwrap();
    let need = &t.needs().await[0];
    assert_eq!(
        (&need["eligible"], &need["people"]),
        (&json!(0), &json!([]))
    );
    let missing = need["missing"].as_str().unwrap();
    assert!(
        missing.ends_with(
            "The only senior there is may not see this repository. An admin says which teams do."
        ),
        "{missing}"
    );
    assert!(!missing.contains("ben"));
    assert_eq!(
        ben.decides(&change(), Kind::Approve).await,
        Err(Problem::NotFound)
    );

    let vera = t.of_the_vault("vera").await;
    assert_eq!(t.needs().await[0]["people"], json!(["vera"]));
    t.signs_in("root", Some(Level::Senior), &[], vec![Role::Admin])
        .await;
    assert_eq!(t.needs().await[0]["eligible"], 2, "admins see everything");
    vera.approve(&change()).await;
    assert_eq!(t.needs().await, json!([]));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rejection_by_somebody_who_cannot_answer_any_more_can_be_set_aside(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    ci.submit(&change()).await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    let vera = t.of_the_vault("vera").await;
    ben.reject(&change(), "no").await;
    let aside = async || {
        let form = vera.reads(&change()).await.press(Kind::SetAside);
        let form = form.because("he cannot say").with("about", "1");
        vera.sends(&form).await.outcome()
    };
    assert_eq!(aside().await, Err(Problem::TooSoon));
    grace.lets_see("vault").await.unwrap();
    assert_eq!(aside().await, Ok(()));
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
}
