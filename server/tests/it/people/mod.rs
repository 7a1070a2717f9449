//! Stories about who had a hand in a change: weak evidence bars, only proof gives anything.

mod import;
mod page;
mod standing_in;
mod update_branch;

use crate::support::{
    TestServer,
    changes::{Change, change, sha},
    people::Human,
};
use domain::{contributor::Role, decision::Kind, people::Level, problem::Problem};
use serde_json::{Value, json};
use sqlx::PgPool;

impl Human {
    /// Has an operator set their level.
    pub async fn promoted(&self, level: Level) {
        let mut tx = self.t.db.begin().await.unwrap();
        store::people::set_level(&mut tx, self.id, Some(level))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

impl Change {
    /// By somebody who writes their address so.
    fn from(self, email: &str) -> Self {
        Self {
            author: ("Somebody".to_owned(), email.to_owned()),
            ..self
        }
    }

    /// Committed by somebody else than its author.
    fn committed_by(self, name: &str, email: &str) -> Self {
        let mut json = self.json();
        json["commits"][0]["committer"] = json!({ "name": name, "email": email });
        let commits = json["commits"].take();
        self.with(json!({ "commits": commits }))
    }

    /// With a second commit before the head, by somebody else.
    fn after(self, author: &str) -> Self {
        let (Value::Array(mut commits), base) = (self.json()["commits"].take(), self.base.clone())
        else {
            panic!("commits are a list")
        };
        let who = json!({ "name": author, "email": format!("{author}@halden.example") });
        let first = json!({ "sha": sha("before"), "tree": sha("tree"), "parents": [base], "author": who, "committer": who, "message": "Prepare" });
        commits[0]["parents"] = json!([sha("before")]);
        commits.insert(0, first);
        self.with(json!({ "commits": commits }))
    }
}

impl TestServer {
    /// What the gate makes of the head of a change.
    async fn verdict(&self, change: &Change) -> String {
        let reply = self.ci().await.gate(&change.head).await;
        reply.answer().1.to_owned()
    }
}

const COPILOT: &str = "198982749+Copilot@users.noreply.github.com";

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_senior_who_commits_under_a_private_address_is_nobody_until_it_is_linked(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    let before = change().by("bens-private-address");
    t.ci().await.submit(&before).await;
    assert_eq!(t.verdict(&before).await, "waiting", "nobody wrote it");
    ben.approve(&before).await;
    assert_eq!(t.verdict(&before).await, "approved");
    let ben = ben.linked("bens-private-address").await;
    assert_eq!(t.verdict(&before).await, "waiting", "the link ends it");
    let again = ben.presses(Kind::Approve, &before, "").await;
    assert_eq!(again, Err(Problem::Contributor(Role::ChangeAuthor)));
    let after = before.pushed("c2");
    t.ci().await.submit(&after).await;
    assert_eq!(
        t.verdict(&after).await,
        "not_required",
        "what arrives from now on is a senior's"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn another_spelling_of_an_address_bars_its_owner_and_gives_them_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    for (key, email) in [
        ("1", "BEN@Halden.Example"),
        ("2", "ben+ci@halden.example"),
        ("3", "123+ben@users.noreply.github.com"),
        ("4", "ben@noreply.git.halden.example"),
        ("5", "b\u{200b}en@halden.example"),
    ] {
        let change = change().key(key).pushed(key).from(email);
        t.ci().await.submit(&change).await;
        let refused = ben.presses(Kind::Approve, &change, "").await;
        assert_eq!(
            refused,
            Err(Problem::Contributor(Role::ChangeAuthor)),
            "{email}"
        );
        assert_eq!(t.verdict(&change).await, "waiting", "{email}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rebase_by_somebody_else_does_not_free_the_author(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    t.junior("ana").await.linked("ana").await;
    let rebased = change().by("ben").over("b2").pushed("rebased");
    t.ci().await.submit(&change().by("ben")).await;
    t.ci()
        .await
        .submit(&rebased.clone().committed_by("Ana", "ana@halden.example"))
        .await;
    t.ci()
        .await
        .submit(&rebased.clone().by("ana").pushed("as-ana"))
        .await;
    let refused = ben.presses(Kind::Approve, &rebased, "").await;
    assert_eq!(refused, Err(Problem::Contributor(Role::ChangeAuthor)));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_senior_who_opens_a_change_with_one_commit_of_a_junior_opens_a_juniors_change(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await.linked("ben").await;
    t.junior("ana").await.linked("ana").await;
    let li = t.senior("li").await;
    let opened_by_ben = json!({ "author": { "name": "Ben", "email": "ben@halden.example" } });
    let all_his = change().key("1").by("ben").with(opened_by_ben);
    t.ci().await.submit(&all_his).await;
    assert_eq!(t.verdict(&all_his).await, "not_required");
    let mut mixed = change().key("2").by("ben").pushed("c2").after("ana");
    mixed.over["author"] = json!({ "name": "Ben", "email": "ben@halden.example" });
    t.ci().await.submit(&mixed).await;
    assert_eq!(t.verdict(&mixed).await, "waiting");
    assert_eq!(
        ben.presses(Kind::Approve, &mixed, "").await,
        Err(Problem::Contributor(Role::ChangeAuthor))
    );
    li.approve(&mixed).await;
    assert_eq!(t.verdict(&mixed).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_junior_who_commits_to_a_seniors_branch_after_the_approval_makes_it_wait(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.senior("ben").await.linked("ben").await;
    t.junior("ana").await.linked("ana").await;
    let li = t.senior("li").await;
    let bens = change().by("ben");
    t.ci().await.submit(&bens).await;
    li.approve(&bens).await;
    assert_eq!(t.verdict(&bens).await, "not_required");
    let with_anas = bens.clone().by("ana").pushed("c2").after("ben");
    t.ci().await.submit(&with_anas).await;
    assert_eq!(t.verdict(&with_anas).await, "waiting");
    li.approve(&with_anas).await;
    assert_eq!(t.verdict(&with_anas).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn copilot_with_a_junior_behind_it_waits_whoever_its_trailers_name(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ana = t.junior("ana").await.linked("ana").await;
    let ben = t.senior("ben").await.linked("ben").await;
    let copilots = |key: &str, behind: &str| {
        let message = format!("Fix\n\nCo-authored-by: {behind} <{behind}@halden.example>\n");
        let change = change().key(key).pushed(key).message(&message);
        change
            .from(COPILOT)
            .committed_by("GitHub", "noreply@github.com")
    };
    let anas = copilots("1", "ana");
    t.ci().await.submit(&anas).await;
    assert_eq!(t.verdict(&anas).await, "waiting");
    ana.promoted(Level::Senior).await;
    assert_eq!(
        ana.presses(Kind::Approve, &anas, "").await,
        Err(Problem::Contributor(Role::CoAuthor)),
        "who set it to work approves nothing of it, as a senior neither"
    );
    ben.approve(&anas).await;
    assert_eq!(t.verdict(&anas).await, "approved");
    // Beside a senior's own commit, a trailer that names them does not make Copilot's commit theirs.
    let bens = copilots("2", "ben").after("ben");
    t.ci().await.submit(&bens).await;
    assert_eq!(t.verdict(&bens).await, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn whoever_set_an_agent_to_work_by_a_line_of_its_message_is_barred(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await.linked("ben").await;
    let link = "https://app.devin.ai/sessions/0123456789abcdef0123456789abcdef";
    let message = format!("Fix\n\nLink to Devin run: {link}\nRequested by: Ben Okonkwo (@ben)\n");
    let devins = change().by("ana").message(&message);
    t.ci().await.submit(&devins).await;
    assert_eq!(
        ben.presses(Kind::Approve, &devins, "").await,
        Err(Problem::Contributor(Role::Requester))
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_is_promoted_or_demoted_between_approval_and_gate_changes_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ana = t.junior("ana").await.linked("ana").await;
    let mika = t.human("mika", Some(Level::Mid)).await;
    let ben = t.senior("ben").await;
    let change = change().by("ana");
    t.ci().await.submit(&change).await;
    let too_low = mika.presses(Kind::Approve, &change, "").await;
    assert_eq!(
        too_low,
        Err(Problem::LevelTooLow {
            known: Some(Level::Mid),
            needed: Level::Senior
        })
    );
    ben.approve(&change).await;
    ben.promoted(Level::Junior).await;
    assert_eq!(
        t.verdict(&change).await,
        "approved",
        "a decision is read with the level of its moment"
    );
    mika.promoted(Level::Senior).await;
    ana.promoted(Level::Senior).await;
    ben.withdraw(&change).await;
    assert_eq!(
        t.verdict(&change).await,
        "waiting",
        "nor is the revision a senior's now"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_code_hosts_own_committer_counts_for_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.senior("ben").await.linked("ben").await;
    let in_the_browser = change()
        .by("ben")
        .committed_by("GitHub", "noreply@github.com");
    t.ci().await.submit(&in_the_browser).await;
    assert_eq!(t.verdict(&in_the_browser).await, "not_required");
    let by_a_stranger = change()
        .key("2")
        .by("ben")
        .pushed("c2")
        .committed_by("GitHub", "noreply@github.com.example");
    t.ci().await.submit(&by_a_stranger).await;
    assert_eq!(t.verdict(&by_a_stranger).await, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_approves_says_that_none_of_those_whom_nobody_knows_is_them(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ben, li) = (t.senior("ben").await, t.senior("li").await);
    let change = change().by("stranger");
    t.ci().await.submit(&change).await;
    let said = ben.reads(&change).await.press(Kind::Approve);
    let silent = said.without("none_of_these_is_me");
    let refused = ben.calls(&silent).await.said();
    assert_eq!(refused, (422, Some(Problem::SayNoneIsYou)));
    let word = ben.reads(&change).await.press(Kind::Human);
    let refused = ben.calls(&word.without("none_of_these_is_me")).await.said();
    assert_eq!(refused, (422, Some(Problem::SayNoneIsYou)));
    let page = format!("/changes/{}", t.id_of(&change).await);
    let shown = ben.browser.page(&t, &page).await;
    assert!(
        shown.contains("stranger &lt;stranger@halden.example&gt;"),
        "{shown}"
    );
    assert_eq!(ben.sends(&said).await.outcome(), Ok(()));
    assert_eq!(t.count("decision where none_of_these_is_me").await, 1);
    let shown = ben.browser.page(&t, &page).await;
    assert!(
        shown.contains("said to be none of the contributors whom nobody knew"),
        "{shown}"
    );
    // A no is safe whoever says it, and nobody is asked about those who are known.
    let no = li
        .reads(&change)
        .await
        .press(Kind::Reject)
        .because("no test");
    let no = no.without("none_of_these_is_me");
    assert_eq!(li.sends(&no).await.outcome(), Ok(()));
    t.junior("stranger").await;
    assert!(
        !ben.browser
            .page(&t, &page)
            .await
            .contains("None of these is me")
    );
    ben.approve(&change).await;
    assert_eq!(t.count("decision where none_of_these_is_me").await, 1);
}
