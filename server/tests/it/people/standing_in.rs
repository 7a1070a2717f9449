//! Somebody stands in for somebody who is away: recorded, bounded, never more than either could do, and ended at once.

use crate::support::{
    TestServer,
    changes::{change, sha},
    people::Human,
};
use domain::{contributor::Role, decision::Kind, people::Level, problem::Problem, token::Scope};
use serde_json::{Value, json};
use sqlx::PgPool;
use store::people::activate;
use time::Duration;

/// A repository that asks for seniors of the ledger: ben is one, li is a senior of another team.
struct World {
    t: TestServer,
    ben: Human,
    li: Human,
}

impl World {
    async fn asking(pool: PgPool, approvals: usize) -> Self {
        let t = TestServer::new(pool).await;
        let policy = format!(
            r#"version = 1
[[rule]]
name = "owners"
require = [{{ approvals = {approvals}, level = "senior", team = "ledger" }}]
"#
        );
        let machine = t.machine(&[Scope::Policy], "acme/*").await;
        let path = "/api/v1/repositories/acme/payments/policy";
        let put = machine.http.put(t.at(path)).body(policy);
        let put = put.header("content-type", "application/toml");
        assert_eq!(machine.send(put).await.status, 200);
        t.ci().await.submit(&change()).await;
        let ben = t.of_the_ledger("ben").await;
        let li = t.senior("li").await;
        Self { t, ben, li }
    }

    async fn new(pool: PgPool) -> Self {
        Self::asking(pool, 1).await
    }

    async fn verdict(&self) -> String {
        let reply = self.t.ci().await.gate(&sha("c1")).await;
        reply.answer().1.to_owned()
    }

    async fn asked(&self) -> Value {
        let reply = self.t.ci().await.gate(&sha("c1")).await;
        reply.json["needs"][0]["people"].clone()
    }

    /// The id of the only one that anybody granted.
    async fn id(&self) -> String {
        let id = sqlx::query_scalar::<_, uuid::Uuid>("select id from stand_in");
        id.fetch_one(&self.t.owner).await.unwrap().to_string()
    }
}

impl TestServer {
    async fn of_the_ledger(&self, name: &str) -> Human {
        self.signs_in(name, Some(Level::Senior), &["ledger"], vec![])
            .await
    }
}

impl Human {
    /// Sends the form of `/people` by which somebody stands in until the end of November.
    async fn lets(&self, who: &str, principal: &str) -> Result<(), Problem> {
        let fields = [("who", who), ("principal", principal)];
        self.grants(&fields).await
    }

    async fn grants(&self, over: &[(&str, &str)]) -> Result<(), Problem> {
        let mut fields = vec![
            ("who", "li"),
            ("repositories", "acme/*"),
            ("until", "2026-11-30"),
            ("reason", "on leave"),
        ];
        fields.retain(|(name, _)| !over.iter().any(|(other, _)| other == name));
        fields.extend(over);
        self.sends_to_people("/fn/stand-in", &fields).await
    }

    async fn ends(&self, id: &str) -> Result<(), Problem> {
        self.sends_to_people("/fn/end-stand-in", &[("id", id)])
            .await
    }

    async fn sends_to_people(&self, call: &str, fields: &[(&str, &str)]) -> Result<(), Problem> {
        let answer = self.browser.submits(&self.t, "/people", call, fields).await;
        answer.outcome_at("/people")
    }

    /// Approves what the page shows, in the place of somebody else.
    async fn approves_for(&self, principal: &Human) -> Result<(), Problem> {
        let form = self.reads(&change()).await.press(Kind::Approve);
        let form = form.with("stands_in_for", &principal.id.to_string());
        self.sends(&form).await.outcome()
    }

    async fn activated(&self) {
        let mut tx = self.t.db.begin().await.unwrap();
        activate(&mut tx, self.id).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn somebody_approves_in_the_place_of_an_owner_who_is_away_and_the_record_says_so(
    pool: PgPool,
) {
    let w = World::new(pool).await;
    let (ben, li) = (&w.ben, &w.li);
    assert_eq!(w.asked().await, json!(["ben"]));
    assert_eq!(
        li.presses(Kind::Approve, &change(), "").await,
        Err(Problem::NotAsked)
    );
    assert_eq!(li.approves_for(ben).await, Err(Problem::NoStandIn));
    assert_eq!(w.t.count("decision").await, 0);

    assert_eq!(ben.lets("li", "").await, Ok(()));
    assert_eq!(
        w.asked().await,
        json!(["ben", "li"]),
        "and who is away is still asked"
    );
    let path = format!("/changes/{}", w.t.id_of(&change()).await);
    let page = li.browser.page(&w.t, &path).await;
    assert!(page.contains("Of ben, for whom you stand in"), "{page}");
    assert!(!page.contains("Your own</option>"), "hers fills nothing");
    for human in [ben, li] {
        let page = human.browser.page(&w.t, "/people").await;
        assert!(page.contains("until 30 November 2026; by "), "{page}");
    }
    assert_eq!(li.approves_for(ben).await, Ok(()));
    assert_eq!(w.verdict().await, "approved");

    let page = ben.browser.page(&w.t, &path).await;
    assert!(page.contains(", standing in for "), "{page}");
    let id = w.t.id_of(&change()).await;
    let decisions =
        w.t.ci()
            .await
            .get(&format!("/api/v1/changes/{id}/decisions"))
            .await;
    let one = &decisions.json["decisions"][0];
    assert_eq!(
        (
            &one["name"],
            &one["stands_in_for"]["name"],
            &one["level"],
            &one["teams"]
        ),
        (
            &json!("li"),
            &json!("ben"),
            &json!("senior"),
            &json!(["ledger"])
        )
    );
    let told = w.t.ci().await.gate(&sha("c1")).await;
    let told = &told.json["changes"][0]["decisions"][0];
    assert_eq!(
        (&told["by"], &told["stands_in_for"]["name"]),
        (&json!("li"), &json!("ben"))
    );
    let said = "event where kind = 'stand_in.begun' and data ->> 'reason' = 'on leave'";
    assert_eq!(w.t.count(said).await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nobody_takes_somebodys_place_by_their_own_word(pool: PgPool) {
    let w = World::new(pool).await;
    let (ben, li) = (&w.ben, &w.li);
    let grace = w.t.admin("grace").await;
    assert_eq!(li.lets("li", "ben").await, Err(Problem::NotAllowed));
    assert_eq!(li.lets("li", "").await, Err(Problem::OwnStandIn));
    assert_eq!(grace.lets("grace", "ben").await, Err(Problem::OwnStandIn));
    assert_eq!(ben.lets("nobody", "").await, Err(Problem::UnknownPerson));
    for (field, wrong, problem) in [
        ("repositories", "*", Problem::NotRepositories),
        ("until", "2026-11-19", Problem::StandInTooLong),
        ("until", "2026-12-21", Problem::StandInTooLong),
        ("until", "tomorrow", Problem::StandInTooLong),
        ("reason", " ", Problem::ReasonNeeded),
    ] {
        assert_eq!(ben.grants(&[(field, wrong)]).await, Err(problem), "{wrong}");
    }
    assert_eq!(w.t.count("stand_in").await, 0);

    assert_eq!(
        grace.lets("li", "ben").await,
        Ok(()),
        "an admin says so for others"
    );
    let zoe = w.t.senior("zoe").await;
    assert_eq!(li.lets("zoe", "").await, Err(Problem::StandInChain));
    assert_eq!(zoe.lets("ben", "").await, Err(Problem::StandInChain));
    let id = w.id().await;
    assert_eq!(zoe.ends(&id).await, Err(Problem::NotAllowed));
    let page = zoe.browser.page(&w.t, "/people").await;
    assert!(
        page.contains("Nobody stands in for anybody here now."),
        "{page}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn it_is_over_when_somebody_says_so_when_its_last_day_is_or_when_one_of_the_two_leaves(
    pool: PgPool,
) {
    let w = World::new(pool).await;
    let (ben, li) = (&w.ben, &w.li);
    ben.lets("li", "").await.unwrap();
    let form = li.reads(&change()).await.press(Kind::Approve);
    let form = form.with("stands_in_for", &ben.id.to_string());
    let id = w.id().await;
    for _ in 0..2 {
        // The second finds nothing to end.
        let ended = ben.ends(&id).await;
        assert!(
            matches!(ended, Ok(()) | Err(Problem::NotFound)),
            "{ended:?}"
        );
    }
    let late = li.sends(&form).await.outcome();
    assert_eq!(late, Err(Problem::NoStandIn), "the form was loaded before");

    ben.lets("li", "").await.unwrap();
    ben.deactivated().await;
    assert_eq!(li.approves_for(ben).await, Err(Problem::NoStandIn));
    ben.activated().await;
    assert_eq!(
        li.approves_for(ben).await,
        Err(Problem::NoStandIn),
        "not again"
    );

    let ben = &w.t.of_the_ledger("ben").await;
    ben.lets("li", "").await.unwrap();
    w.t.pass(Duration::days(11));
    let li = &w.t.senior("li").await;
    assert_eq!(
        li.approves_for(ben).await,
        Err(Problem::NoStandIn),
        "1 December"
    );
    assert_eq!(w.asked().await, json!(["ben"]));
    assert_eq!(w.t.count("stand_in where ended_by is not null").await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_approved_stands_when_it_is_over_and_claims_of_who_is_away_may_be_old(
    pool: PgPool,
) {
    let w = World::new(pool).await;
    w.ben.lets("li", "").await.unwrap();
    w.t.pass(Duration::days(3));
    let li = w.t.senior("li").await;
    assert_eq!(li.approves_for(&w.ben).await, Ok(()));
    w.ben.deactivated().await;
    assert_eq!(w.verdict().await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_stand_in_fills_one_place_for_no_contributor_in_no_other_repository(pool: PgPool) {
    let w = World::asking(pool, 2).await;
    let (ben, li) = (&w.ben, &w.li);
    ben.grants(&[("repositories", "acme/other, other/*")])
        .await
        .unwrap();
    assert_eq!(li.approves_for(ben).await, Err(Problem::NoStandIn));
    let id = w.id().await;
    ben.ends(&id).await.unwrap();

    ben.lets("li", "").await.unwrap();
    li.approves_for(ben).await.unwrap();
    ben.approve(&change()).await;
    assert_eq!(w.verdict().await, "waiting", "his place is one");
    let vera = w.t.of_the_ledger("vera").await;
    vera.approve(&change()).await;
    assert_eq!(w.verdict().await, "approved");

    let his = change().key("143").pushed("c2").by("ben");
    w.t.ci().await.submit(&his).await;
    let form = li.reads(&his).await.press(Kind::Approve);
    let form = form.with("stands_in_for", &ben.id.to_string());
    assert_eq!(
        li.sends(&form).await.outcome(),
        Err(Problem::PrincipalContributed)
    );
    let hers = change().key("144").pushed("c3").by("li");
    w.t.ci().await.submit(&hers).await;
    let form = li.reads(&hers).await.press(Kind::Approve);
    let form = form.with("stands_in_for", &ben.id.to_string());
    assert_eq!(
        li.sends(&form).await.outcome(),
        Err(Problem::Contributor(Role::ChangeAuthor))
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_stands_in_needs_the_level_and_sees_no_more_than_before(pool: PgPool) {
    let w = World::new(pool).await;
    let mika = w.t.human("mika", Some(Level::Mid)).await;
    w.ben.lets("mika", "").await.unwrap();
    assert_eq!(
        mika.approves_for(&w.ben).await,
        Err(Problem::LevelTooLow {
            known: Some(Level::Mid),
            needed: Level::Senior
        })
    );
    w.ben.lets("li", "").await.unwrap();
    let form = w.li.reads(&change()).await.press(Kind::Approve);
    let form = form.with("stands_in_for", &w.ben.id.to_string());
    let grace = w.t.admin("grace").await;
    let only = [
        ("repository", "acme/payments"),
        ("everybody", "false"),
        ("teams", "ledger"),
        ("reason", "secret"),
    ];
    let page = "/repositories/acme/payments";
    let set = grace
        .browser
        .submits(&w.t, page, "/fn/set-readers", &only)
        .await;
    assert_eq!(set.outcome_at(page), Ok(()));
    assert_eq!(w.li.sends(&form).await.outcome(), Err(Problem::NotFound));
    assert_eq!(w.asked().await, json!(["ben"]));
}
