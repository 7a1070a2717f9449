//! Bots that a policy names: what they alone made is theirs, and what only looks like it is like anybody's.

use super::{NAME, World};
use serde_json::json;
use sqlx::PgPool;

const POLICY: &str = r#"version = 1

[[rule]]
name = "levels"
when = { level = ["nobody", "junior", "mid"] }
require = [{ approvals = 1, level = "senior" }]

[[rule]]
name = "schema"
when = { label = ["Schema-Änderung"] }
require = [{ approvals = 2, level = "senior" }]

[[automation]]
name = "Dependabot"
ids = ["github:49699333"]
require = [{ approvals = 1, level = "mid" }]
"#;

const BOT: (&str, u64) = ("dependabot[bot]", 49_699_333);
/// What Dependabot writes into its commits, and what the site writes that makes them for it.
const ITS: &str = "49699333+dependabot[bot]@users.noreply.github.com";
const BUMP: &str =
    "Bump serde from 1.0.228 to 1.0.229\n\nSigned-off-by: dependabot[bot] <support@github.com>";
const SITE: &str = "noreply@github.com";

impl World {
    /// A world whose policy names a bot, and asks about a label.
    pub async fn naming_a_bot(pool: PgPool) -> Self {
        let w = Self::new(pool).await;
        w.has_a_rule_for_labels().await;
        w
    }

    pub async fn has_a_rule_for_labels(&self) {
        self.repository
            .commit("first", &[("first.txt", Some(b"one\n"))], "First");
        self.host
            .pull(NAME, 1, |pull| pull.head = "first".to_owned());
        self.hears_of("first", 1).await;
        self.demands(POLICY.to_owned()).await;
    }

    /// A pull request by somebody, of one commit that says of itself who made it; and the rules that then ask for something.
    async fn asked_of(
        &self,
        number: u64,
        user: (&str, u64),
        says: [&str; 2],
        signed: bool,
    ) -> Vec<String> {
        let head = self.opened_by(number, user, says, signed);
        self.hears_of(&format!("d{number}"), number).await;
        self.rules(&head).await
    }

    fn opened_by(
        &self,
        number: u64,
        user: (&str, u64),
        [author, committer]: [&str; 2],
        signed: bool,
    ) -> String {
        let (branch, file) = (format!("topic-{number}"), format!("{number}.lock"));
        self.repository
            .commit(&branch, &[(&file, Some(b"serde 1.0.229\n"))], BUMP);
        let head = self.repository.claimed(&branch, author, committer);
        if signed {
            self.host.signs(&head);
        }
        self.host.pull(NAME, number, |pull| {
            pull.head = branch;
            pull.user = Some((user.0.to_owned(), user.1));
        });
        head
    }

    /// The rules that something is missing for.
    pub async fn rules(&self, head: &str) -> Vec<String> {
        let asked = format!("/api/v1/gate?repository={NAME}&commit={head}");
        let answer = self.ci.get(&asked).await.json;
        let needs = answer["needs"].as_array().unwrap();
        let rule = |need: &serde_json::Value| need["rule"].as_str().unwrap().to_owned();
        needs.iter().map(rule).collect()
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_a_named_bot_alone_made_has_rules_of_its_own(pool: PgPool) {
    let w = World::naming_a_bot(pool).await;
    assert_eq!(w.asked_of(7, BOT, [ITS, SITE], true).await, ["Dependabot"]);
    assert_eq!(w.asked_of(8, BOT, [ITS, ITS], true).await, ["Dependabot"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_only_looks_like_a_bots_is_like_anybodys(pool: PgPool) {
    let w = World::naming_a_bot(pool).await;
    let other = "49699334+dependabot[bot]@users.noreply.github.com";
    for (number, user, says, signed, why) in [
        (7, BOT, [ITS, SITE], false, "anybody can write its address"),
        (
            8,
            ("ana-hub", 77),
            [ITS, SITE],
            true,
            "somebody else opened it",
        ),
        (
            9,
            ("dependabot[bot]", 49_699_334),
            [other, SITE],
            true,
            "another account with its name",
        ),
        (
            10,
            BOT,
            ["ana@halden.example", SITE],
            true,
            "somebody else wrote the commit",
        ),
        (
            11,
            BOT,
            [ITS, "ana@halden.example"],
            true,
            "somebody else made the commit",
        ),
        (
            12,
            ("dependabot", 49_699_333),
            [ITS, SITE],
            true,
            "people sign in to that account",
        ),
    ] {
        assert_eq!(
            w.asked_of(number, user, says, signed).await,
            ["levels"],
            "{why}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_others_brought_into_a_bots_branch_is_not_the_bots_whoever_its_commits_name(
    pool: PgPool,
) {
    let w = World::naming_a_bot(pool).await;
    // Squashed by Ana out of another pull request of the bot: written by the bot, and signed by the site.
    w.host.has_a_hand_in("topic-7", ("ana-hub", 77));
    assert_eq!(w.asked_of(7, BOT, [ITS, SITE], true).await, ["levels"]);
    w.host.has_a_hand_in("topic-8", BOT);
    assert_eq!(w.asked_of(8, BOT, [ITS, SITE], true).await, ["Dependabot"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_bots_change_is_no_longer_its_own_once_somebody_else_had_a_hand_in_it(pool: PgPool) {
    let w = World::naming_a_bot(pool).await;
    assert_eq!(w.asked_of(7, BOT, [ITS, SITE], true).await, ["Dependabot"]);
    let mine = w.repository.commit(
        "topic-7",
        &[("7.lock", Some(b"serde 1.0.230\n"))],
        "And mine",
    );
    w.hears_of("pushed", 7).await;
    assert_eq!(w.rules(&mine).await, ["levels"]);
    // Whoever takes the commit off again has still had a hand in the change.
    let its = w.repository.git(&["rev-parse", "topic-7^"]);
    w.repository.force("topic-7", &its);
    w.hears_of("forced", 7).await;
    assert_eq!(w.rules(&its).await, ["levels"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_mark_of_a_tool_makes_a_bots_change_one_like_any_other(pool: PgPool) {
    let w = World::naming_a_bot(pool).await;
    let head = w.opened_by(7, BOT, [ITS, SITE], true);
    w.host.pull(NAME, 7, |pull| {
        pull.body = Some("- [x] I used Copilot to write this".to_owned());
    });
    w.hears_of("d7", 7).await;
    assert_eq!(w.rules(&head).await, ["levels"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_pipeline_cannot_say_that_a_bot_made_a_change(pool: PgPool) {
    let w = World::naming_a_bot(pool).await;
    let head = w.opened_by(7, BOT, [ITS, SITE], true);
    w.hears_of("d7", 7).await;
    let claimed: (String, String) = sqlx::query_as("select bot, login from made_by_bot")
        .fetch_one(&w.t.owner)
        .await
        .unwrap();
    assert_eq!(claimed, ("github:49699333".to_owned(), BOT.0.to_owned()));
    let ci = w.t.ci().await;
    let change = crate::support::changes::change().by("dependabot[bot]");
    let change = change
        .with(json!({ "author": { "name": "dependabot[bot]", "login": BOT.0, "email": ITS } }));
    ci.submit(&change).await;
    assert_eq!(w.t.count("made_by_bot").await, 1);
    assert_eq!(w.rules(&head).await, ["Dependabot"]);
}

pub async fn a_label_makes_a_rule_apply_and_nobody_takes_that_off_again(w: World) {
    w.has_a_rule_for_labels().await;
    let head = w
        .repository
        .commit("topic", &[("a.sql", Some(b"drop table payment;\n"))], "One");
    let tells = async |id: &str, labels: &[&str]| {
        let labels = labels.iter().map(ToString::to_string).collect();
        w.host.pull(NAME, 7, |pull| pull.labels = labels);
        w.hears_of(id, 7).await;
        w.rules(&head).await
    };
    assert_eq!(tells("d1", &["schema"]).await, ["levels"]);
    assert_eq!(
        tells("d2", &["schema-änderung"]).await,
        ["levels", "schema"]
    );
    assert_eq!(tells("d3", &[]).await, ["levels", "schema"]);
    // It is the change's, and so the next revision's.
    let next = w
        .repository
        .commit("topic", &[("a.sql", Some(b"drop table refund;\n"))], "Two");
    w.hears_of("d4", 7).await;
    assert_eq!(w.rules(&next).await, ["levels", "schema"]);
}
