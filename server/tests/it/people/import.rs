//! Taking over a directory: levels are known before anybody has signed in, and an address is one person's.

use crate::{
    auth::site::Site,
    cli::{Outcome, countersign, outcome},
    support::{TestServer, changes::change},
};
use domain::{
    decision::Kind,
    ids::PersonId,
    people::{Level, LevelNow, Source},
    problem::Problem,
};
use serde_json::json;
use sqlx::{ConnectOptions as _, PgPool};
use std::collections::BTreeSet;
use store::people::{self, Listed};
use time::Duration;

const PEOPLE: &str = "subject,name,level,teams,addresses,logins\n\
    ana,Ana Echeverría,junior,payments,ana@halden.example,ana\n\
    ben,Ben Okonkwo,senior,payments platform,ben@halden.example;ben@home.example,\n";

impl Site {
    /// Runs `countersign people import` on this file, as the application's role and nobody before the terminal.
    async fn import(&self, file: &str, options: &[&str]) -> Outcome {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("people.csv"), file).unwrap();
        let arguments = [&["people", "import", "people.csv"], options].concat();
        self.runs(dir.path(), &arguments).await
    }

    async fn runs(&self, dir: &std::path::Path, arguments: &[&str]) -> Outcome {
        let mut command = countersign(dir, arguments);
        let database = self.db.pool().connect_options().to_url_lossy();
        let command = command
            .env("DATABASE_URL", database.as_str())
            .env("COUNTERSIGN_OIDC_ISSUER", &self.provider.issuer)
            .stdin(std::process::Stdio::null());
        outcome(command).await
    }

    async fn applied(&self, file: &str) -> String {
        let outcome = self.import(file, &["--apply"]).await;
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stdout
    }
}

impl TestServer {
    async fn person(&self, subject: &str) -> PersonId {
        let id = sqlx::query_scalar("select id from person where subject = $1").bind(subject);
        PersonId(id.fetch_one(&self.owner).await.unwrap())
    }

    async fn loaded(&self, subject: &str) -> domain::people::Person {
        let id = self.person(subject).await;
        let mut tx = self.db.read().await.unwrap();
        people::load(tx.conn(), id).await.unwrap().unwrap()
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn levels_are_known_before_anybody_has_signed_in(pool: PgPool) {
    let site = Site::new(pool.clone()).await;
    let t = TestServer::new(pool).await;
    site.applied(PEOPLE).await;
    let (anas, bens) = (change().by("ana"), change().key("2").pushed("c2").by("ben"));
    t.ci().await.submit(&anas).await;
    t.ci().await.submit(&bens).await;
    assert_eq!(t.verdict(&anas).await, "waiting");
    assert_eq!(t.verdict(&bens).await, "not_required");
    let ben = t.person("ben").await;
    let browser = site.signed_in("ben").await;
    assert_eq!(t.count("person").await, 2, "who came is who was imported");
    let ben = t.before_a_browser(ben, &browser.session().unwrap());
    ben.approve(&anas).await;
    assert_eq!(t.verdict(&anas).await, "approved");
    assert!(ben.presses(Kind::Approve, &bens, "").await.is_err());
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_import_shows_what_it_changes_and_applies_it_once(pool: PgPool) {
    let site = Site::new(pool.clone()).await;
    let t = TestServer::new(pool).await;
    t.senior("grace").await;
    let looked = site.import(PEOPLE, &[]).await;
    insta::assert_snapshot!(looked.stdout, @r"
    new      Ana Echeverría (ana)  +account email:ana@halden.example, +account login:ana, +level junior, +team payments
    new      Ben Okonkwo (ben)     +account email:ben@halden.example, +account email:ben@home.example, +level senior, +team payments, +team platform
    0 people as they were.
    1 person here and not in the file, left alone: grace
    Nothing was applied. `--apply` applies it.
    ");
    assert_eq!((looked.code, t.count("person").await), (Some(0), 1));
    site.applied(PEOPLE).await;
    assert_eq!(
        t.count("event where kind = 'person.imported'").await,
        2,
        "each change is an event"
    );
    let again = site.applied(PEOPLE).await;
    assert!(again.ends_with("There is nothing to do.\n"), "{again}");
    assert_eq!(t.count("event where kind = 'person.imported'").await, 2);
    let moved = "subject,name,level,addresses\n\
        ana,Ana Montalbán,mid,\n\
        ben,Ben Okonkwo,,ben@halden.example ana@halden.example\n";
    insta::assert_snapshot!(site.applied(moved).await, @r"
    changes  Ana Montalbán (ana)  was called Ana Echeverría, −account email:ana@halden.example, −account login:ana, −level junior, +level mid
    changes  Ben Okonkwo (ben)    −account email:ben@home.example, −level senior, +account email:ana@halden.example
    0 people as they were.
    1 person here and not in the file, left alone: grace
    Applied.
    ");
    let (ana, ben) = (t.loaded("ana").await, t.loaded("ben").await);
    let now = t.db.now();
    assert_eq!(ana.level(now, Duration::HOUR), LevelNow::Known(Level::Mid));
    assert_eq!(ben.level(now, Duration::HOUR), LevelNow::None);
    assert_eq!(
        ben.teams(now, Duration::HOUR),
        ["payments", "platform"],
        "a column that is missing leaves what it is about alone"
    );
    assert!(ana.accounts.is_empty(), "{ana:?}");
    assert!(
        ben.accounts
            .iter()
            .all(|account| account.proved && account.links[0].source == Source::Import)
    );
    assert_eq!(t.count("account").await, 7, "what was is kept");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn one_wrong_row_and_nothing_is_applied(pool: PgPool) {
    let site = Site::new(pool.clone()).await;
    let t = TestServer::new(pool).await;
    let wrong = format!("{PEOPLE}li,Li Na Zhou,boss,,,\n");
    let refused = site.import(&wrong, &["--apply"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("line 4, column `level`: `boss`"),
        "{refused:?}"
    );
    assert_eq!(t.count("person").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_address_of_somebody_else_is_refused_with_both_names(pool: PgPool) {
    let site = Site::new(pool.clone()).await;
    let t = TestServer::new(pool).await;
    t.senior("grace").await;
    let hers = PEOPLE.replace("ben@home.example", "Grace+x@halden.example");
    let refused = site.import(&hers, &["--apply"]).await;
    assert!(
        refused.stderr.contains(
            "line 3: email:grace@halden.example is given to Ben Okonkwo, and is grace's here"
        ),
        "{refused:?}"
    );
    assert_eq!((refused.code, t.count("person").await), (Some(1), 1));
}

/// Weak evidence bars, and keeps nobody from proof.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_address_that_somebody_only_calls_theirs_is_imported_for_whoever_it_is(pool: PgPool) {
    let site = Site::new(pool.clone()).await;
    let t = TestServer::new(pool).await;
    let mallory = t.senior("mallory").await;
    let mut tx = t.db.begin().await.unwrap();
    let key = domain::contributor::Key("email:ben@home.example".to_owned());
    people::name_own(&mut tx, mallory.id, &key).await.unwrap();
    tx.commit().await.unwrap();
    site.applied(PEOPLE).await;
    let bens = change()
        .by("ben")
        .with(json!({ "author": { "name": "Ben", "email": "ben@home.example" } }));
    t.ci().await.submit(&bens).await;
    assert_eq!(t.verdict(&bens).await, "not_required", "it is a senior's");
    let barred = mallory.presses(Kind::Approve, &bens, "").await;
    assert!(matches!(barred, Err(Problem::Contributor(_))), "{barred:?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_shown_is_applied_or_nothing_is(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let listed = [Listed {
        issuer: "https://sso.halden.example".to_owned(),
        subject: "ben".to_owned(),
        name: "Ben".to_owned(),
        level: Some(Some(Level::Senior)),
        teams: None,
        accounts: Some(BTreeSet::from([domain::contributor::Key(
            "email:shared@halden.example".to_owned(),
        )])),
    }];
    let mut tx = t.db.begin().await.unwrap();
    let shown = people::compare(tx.conn(), &listed).await.unwrap();
    t.senior("li").await.linked("shared").await;
    assert!(!people::apply(&mut tx, &listed, &shown).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(t.count("person_fact where source = 'import'").await, 0);
}

/// Weak evidence bars whoever has the address now; the level stays that of whoever had it when the commit came.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_address_that_is_handed_on_gives_old_commits_nobody_elses_level(pool: PgPool) {
    let site = Site::new(pool.clone()).await;
    let t = TestServer::new(pool).await;
    t.junior("ana").await.linked("shared").await;
    let ben = t.senior("ben").await;
    let anas = change().by("shared");
    t.ci().await.submit(&anas).await;
    let here = std::env::temp_dir();
    for arguments in [
        ["person", "unlink", "ana", "Shared@halden.example"],
        ["person", "link", "ben", "shared@halden.example"],
    ] {
        let done = site.runs(&here, &arguments).await;
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    let again = site
        .runs(&here, &["person", "unlink", "ana", "shared@halden.example"])
        .await;
    assert!(again.stderr.contains("is not linked to `ana`"), "{again:?}");
    assert_eq!(t.count("event where kind = 'person.unlinked'").await, 1);
    assert_eq!(t.verdict(&anas).await, "waiting");
    assert!(matches!(
        ben.presses(Kind::Approve, &anas, "").await,
        Err(Problem::Contributor(_))
    ));
    let bens = change().key("2").by("shared").pushed("c2");
    t.ci().await.submit(&bens).await;
    assert_eq!(t.verdict(&bens).await, "not_required");
}
