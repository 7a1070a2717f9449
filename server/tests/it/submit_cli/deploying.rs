//! `countersign deployment record` from a real checkout to the real server, and going back through `countersign gate`.

use super::{checkout::Checkout, stories::Pipeline};
use crate::{
    cli::{Outcome, countersign, outcome},
    support::{TestServer, changes::change, machines::Machine},
};
use domain::{decision::Kind, token::Scope};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::path::Path;

/// `countersign deployment record` to production, by this token.
async fn record(deployer: &Machine, dir: &Path, more: &[&str]) -> Outcome {
    let server = deployer.t.at("");
    let usual = [
        "deployment",
        "record",
        "--server",
        &server,
        "--repository",
        "acme/payments",
        "--environment",
        "production",
    ];
    let mut command = countersign(dir, &[&usual, more].concat());
    outcome(command.env("COUNTERSIGN_TOKEN", &deployer.secret)).await
}

async fn deployer(t: &TestServer) -> Machine {
    t.machine(&[Scope::Incidents], "acme/*").await
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_release_is_listed_by_git_and_may_be_gone_back_to(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (li, checkout, deployer) = (t.senior("li").await, Checkout::new(), deployer(&t).await);
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    };
    let below = checkout.commit("Half of it");
    let head = checkout.commit("The other half");
    pipeline.submits(&[]).await;
    li.decides(&change(), Kind::Approve).await.unwrap();
    let since = ["--commit", "HEAD", "--previous", "main", "--json"];
    let seen = record(&deployer, &checkout.dir, &since).await;
    assert_eq!((seen.code, seen.stderr.as_str()), (Some(0), ""), "{seen:?}");
    let told: Value = serde_json::from_str(&seen.stdout).unwrap();
    let commits: Vec<_> = told["commits"].as_array().unwrap().iter().collect();
    let commits: Vec<_> = commits
        .iter()
        .map(|one| json!([one["commit"], one["sanction"]]))
        .collect();
    assert_eq!(commits, [json!([head, "allowed"]), json!([below, "part"])]);

    // A second senior is asked for from now on, which no gate would let pass, but for going back.
    let admin = t.machine(&[Scope::Policy], "acme/*").await;
    let text = "version = 1\n[[rule]]\nname = \"two\"\nrequire = [{ approvals = 2, level = \"senior\" }]\n";
    let place = t.at("/api/v1/repositories/acme/payments/policy");
    let request = admin
        .http
        .put(place)
        .header("content-type", "application/toml");
    assert_eq!(admin.send(request.body(text)).await.status, 200);
    assert_eq!(pipeline.asks(&head).await.code, Some(2));
    let back = outcome(&mut pipeline.gate(&head, &["--environment", "production"])).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    assert!(
        back.stdout
            .contains("It was allowed and deployed to production on 2026-11-20 12:00 UTC"),
        "{back:?}"
    );
    let elsewhere = outcome(&mut pipeline.gate(&head, &["--environment", "staging"])).await;
    assert_eq!(elsewhere.code, Some(2), "{elsewhere:?}");

    let back = ["--commit", "main", "--previous", "change", "--json"];
    let seen = record(&deployer, &checkout.dir, &back).await;
    let told: Value = serde_json::from_str(&seen.stdout).unwrap();
    assert_eq!(
        told["commits"].as_array().unwrap().len(),
        1,
        "an older one brings nothing with it"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_not_allowed_is_recorded_and_said_on_stderr(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (checkout, deployer) = (Checkout::new(), deployer(&t).await);
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    };
    let head = checkout.commit("Retry settlement");
    pipeline.submits(&[]).await;
    let named = ["--commit", head.as_str(), "--key", "run-1"];
    let first = record(&deployer, Path::new("/"), &named).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(
        first.stdout,
        "acme/payments in production: 1 commit recorded, 1 of it unsanctioned\n"
    );
    assert_eq!(
        first.stderr,
        format!(
            "countersign: unsanctioned: {head} of 142 was deployed without having been allowed: waiting\n"
        )
    );
    assert_eq!(
        record(&deployer, Path::new("/"), &named).await,
        first,
        "told twice"
    );
    assert_eq!(t.count("deployment").await, 1);
    let keyless = [
        "--commit",
        head.as_str(),
        "--when",
        "2026-11-20T11:30:00+01:00",
    ];
    for _ in 0..2 {
        assert_eq!(
            record(&deployer, Path::new("/"), &keyless).await.code,
            Some(0)
        );
    }
    assert_eq!(t.count("deployment").await, 3, "two deployments");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_cannot_be_listed_is_not_recorded(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (checkout, deployer) = (Checkout::new(), deployer(&t).await);
    let head = checkout.commit("Retry settlement");
    checkout.commit("Retry it twice");
    let shallow = checkout.cloned(&["--depth", "1", "--branch", "change"]);
    let refusals: [(&Path, &[&str], &str); 6] = [
        (
            &checkout.dir,
            &["--commit", "HEAD"],
            "without --previous no checkout is asked",
        ),
        (
            &checkout.dir,
            &["--commit", "HEAD", "--previous", "v1"],
            "there is no commit \"v1\"",
        ),
        (
            Path::new("/"),
            &["--commit", "HEAD", "--previous", "main"],
            "this is no git checkout",
        ),
        (
            &checkout.dir,
            &["--commit", &head, "--commit", "HEAD", "--previous", "main"],
            "not with several",
        ),
        (
            &shallow.dir,
            &["--commit", "HEAD", "--previous", "origin/main"],
            "shallow",
        ),
        (
            &checkout.dir,
            &["--commit", &head, "--when", "yesterday"],
            "write it as 2026-11-24T13:58:02Z",
        ),
    ];
    for (dir, more, why) in refusals {
        let seen = record(&deployer, dir, more).await;
        assert_eq!((seen.code, seen.stdout.as_str()), (Some(3), ""), "{seen:?}");
        assert!(seen.stderr.contains(why), "{why}: {seen:?}");
    }
    let submitter = t.ci().await;
    let seen = record(&submitter, &checkout.dir, &["--commit", &head]).await;
    assert_eq!(seen.code, Some(3));
    assert!(seen.stderr.contains("`incidents`"), "{seen:?}");
    assert_eq!(t.count("deployment").await, 0);
}
