//! What an operator says on the command line holds for servers that are running, with the next request.

use super::site::Site;
use axum::http::StatusCode;
use domain::people::{Level, LevelNow};
use sqlx::{ConnectOptions as _, PgPool};
use std::process::{Command, Output};
use time::Duration;

const MAX_AGE: Duration = Duration::hours(12);

impl Site {
    /// Runs `countersign` as the application's role.
    fn countersign(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .env(
                "DATABASE_URL",
                self.db.pool().connect_options().to_url_lossy().as_str(),
            )
            .output()
            .unwrap()
    }

    /// Runs it, and says what it printed.
    fn operator(&self, arguments: &[&str]) -> String {
        let output = self.countersign(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it, and says why it did nothing.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.countersign(arguments);
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{output:?}"
        );
        String::from_utf8(output.stderr).unwrap()
    }

    /// Asks the gate about a commit with a token.
    async fn gate(&self, token: &str, repository: &str) -> StatusCode {
        let commit = "a".repeat(40);
        let path = format!("/api/v1/gate?repository={repository}&commit={commit}");
        let browser = self.browser();
        let request = browser.http().get(self.url.join(&path).unwrap());
        request.bearer_auth(token).send().await.unwrap().status()
    }
}

const CREATE: [&str; 9] = [
    "token",
    "create",
    "--name",
    "ci",
    "--scope",
    "submit,gate",
    "--repository",
    "acme/*",
    "--expires=36000d",
];

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_token_is_shown_once_opens_its_repositories_and_can_be_revoked(pool: PgPool) {
    let site = Site::new(pool).await;
    let token = site.operator(&CREATE);
    let token = token.trim();
    assert_eq!(site.gate(token, "acme/payments").await, StatusCode::OK);
    assert_eq!(site.gate(token, "ACME/Payments").await, StatusCode::OK);
    assert_eq!(
        site.gate(token, "other/payments").await,
        StatusCode::FORBIDDEN
    );
    let list = site.operator(&["token", "list"]);
    assert!(
        list.contains("submit,gate") && list.contains("acme/*") && !list.contains(token),
        "{list}"
    );
    let kept: Vec<u8> = sqlx::query_scalar("select hash from token")
        .fetch_one(&site.owner)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains(&token[3..20]));

    site.operator(&["token", "revoke", "ci"]);
    assert_eq!(
        site.gate(token, "acme/payments").await,
        StatusCode::UNAUTHORIZED
    );
    assert!(
        site.refused(&["token", "revoke", "ci"])
            .contains("no token `ci`")
    );
}

/// Whatever is wrong with a token, the answer is the same: a 401 that says how to send one.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_no_active_token_opens_nothing(pool: PgPool) {
    let site = Site::new(pool).await;
    let good = site.operator(&CREATE);
    let good = good.trim();
    let (unknown, cut) = (good.replace("cs_", "cs_x"), &good[..good.len() - 1]);
    for bad in ["", "hunter2", &unknown, cut, &good.to_uppercase()] {
        assert_eq!(
            site.gate(bad, "acme/payments").await,
            StatusCode::UNAUTHORIZED,
            "{bad}"
        );
    }
    let browser = site.signed_in("ben").await;
    let in_the_address = format!(
        "/api/v1/gate?repository=acme/payments&commit={}&access_token={good}&token={good}",
        "a".repeat(40)
    );
    let refused = browser.get(&in_the_address).await;
    assert_eq!(
        refused.status,
        StatusCode::UNAUTHORIZED,
        "nor does an address or a session"
    );
    assert!(
        refused.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    assert_eq!(refused.headers["content-type"], "application/problem+json");

    sqlx::query("update token set expires_at = $1")
        .bind(site.db.now())
        .execute(&site.owner)
        .await
        .unwrap();
    assert_eq!(
        site.gate(good, "acme/payments").await,
        StatusCode::UNAUTHORIZED,
        "it expired this moment"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn two_tokens_of_one_name_are_revoked_by_id(pool: PgPool) {
    let site = Site::new(pool).await;
    let tokens = [site.operator(&CREATE), site.operator(&CREATE)];
    assert!(site.refused(&["token", "revoke", "ci"]).contains("several"));
    let list = site.operator(&["token", "list"]);
    let newest = list.split_whitespace().next().unwrap();
    site.operator(&["token", "revoke", newest]);
    assert_eq!(
        site.gate(tokens[0].trim(), "acme/payments").await,
        StatusCode::OK
    );
    assert_eq!(
        site.gate(tokens[1].trim(), "acme/payments").await,
        StatusCode::UNAUTHORIZED
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn there_is_no_token_for_everything_or_for_ever(pool: PgPool) {
    let site = Site::new(pool).await;
    let with = |option: &str, value: &str| {
        let mut arguments = vec!["token", "create", "--name", "ci"];
        for (name, usual) in [
            ("--scope", "gate"),
            ("--repository", "acme/*"),
            ("--expires", "90d"),
        ] {
            arguments.extend([name, if name == option { value } else { usual }]);
        }
        site.refused(&arguments)
    };
    assert!(with("--repository", "*").contains("owner/*"));
    assert!(with("--scope", "everything").contains("submit, gate"));
    assert!(with("--expires", "never").contains("90d"));
    let none: i64 = sqlx::query_scalar("select count(*) from token")
        .fetch_one(&site.owner)
        .await
        .unwrap();
    assert_eq!(none, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_is_deactivated_by_hand_is_out_of_an_open_session(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.signed_in("ben").await;
    assert!(browser.is_signed_in().await);
    assert!(
        site.operator(&["person", "deactivate", "ben@halden.example"])
            .contains("deactivated")
    );
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.sign_in("/").await, "/sign-in?failed=inactive");
    site.operator(&["person", "activate", "ben"]);
    assert_eq!(browser.sign_in("/").await, "/");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_level_by_hand_goes_before_claims_until_it_is_taken_back(pool: PgPool) {
    let site = Site::new(pool).await;
    site.signed_in("ben").await;
    let level = async || site.only_person().await.level(site.db.now(), MAX_AGE);
    let shown = site.operator(&["person", "level", "ben", "junior"]);
    assert!(
        shown.contains("junior (by hand)") && shown.contains("senior"),
        "{shown}"
    );
    assert_eq!(level().await, LevelNow::Known(Level::Junior));
    site.operator(&["person", "level", "ben", "none"]);
    assert_eq!(level().await, LevelNow::Known(Level::Senior));
    site.refused(&["person", "level", "ben", "boss"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn people_are_named_without_a_doubt_or_not_at_all(pool: PgPool) {
    let site = Site::new(pool).await;
    site.signed_in("ben").await;
    site.signed_in("li").await;
    assert!(
        site.refused(&["person", "deactivate", "nobody"])
            .contains("once they have signed in")
    );
    site.operator(&["person", "link", "ben", "shared@halden.example"]);
    let linked = site.operator(&["person", "link", "li", "shared@halden.example"]);
    assert!(
        linked.contains("email:shared@halden.example (proved; by hand 2026-"),
        "{linked}"
    );
    let several = site.refused(&["person", "deactivate", "shared@halden.example"]);
    assert!(
        several.contains("several people") && several.contains("The person li"),
        "{several}"
    );
    assert!(site.everybody().await.iter().all(|person| person.active));
    assert_eq!(site.operator(&["person", "show"]).lines().count(), 2);
}
