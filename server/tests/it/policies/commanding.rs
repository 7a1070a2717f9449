//! The command line of those who keep policies in a file, and the gate's where a repository is only observed.

use super::{NOTHING, asking};
use crate::{
    cli::{Outcome, countersign, gate_of, outcome},
    support::{
        TestServer,
        changes::{change, sha},
        machines::Machine,
    },
};
use domain::token::Scope;
use sqlx::PgPool;
use std::path::Path;

/// Writes `policy.toml` into a directory of its own and runs a command there.
async fn run(text: &str, as_whom: Option<&Machine>, arguments: &[&str]) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("policy.toml"), text).unwrap();
    run_in(dir.path(), as_whom, arguments).await
}

async fn run_in(dir: &Path, as_whom: Option<&Machine>, arguments: &[&str]) -> Outcome {
    let mut command = countersign(dir, arguments);
    if let Some(machine) = as_whom {
        command
            .env("COUNTERSIGN_SERVER", machine.t.at(""))
            .env("COUNTERSIGN_TOKEN", &machine.secret);
    }
    outcome(&mut command).await
}

#[tokio::test]
async fn check_says_what_is_wrong_where_and_asks_no_server() {
    let fine = run(NOTHING, None, &["policy", "check", "policy.toml"]).await;
    assert_eq!((fine.code, fine.stderr.as_str()), (Some(0), ""));
    let wrong = run(
        &NOTHING.replace("when", "whn"),
        None,
        &["policy", "check", "policy.toml"],
    )
    .await;
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong
            .stderr
            .starts_with("policy.toml:5:1: `whn`: expected ")
            && wrong.stderr.contains("did you mean `when`?"),
        "{wrong:?}"
    );
    let gone = run(NOTHING, None, &["policy", "check", "nowhere.toml"]).await;
    assert_eq!(gone.code, Some(3), "{gone:?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_policy_is_pushed_shown_and_tried_by_command(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    ci.submit(&change()).await;
    let push = [
        "policy",
        "push",
        "policy.toml",
        "--repository",
        "acme/payments",
    ];
    let two = asking(2, "senior");

    let pushed = run(&two, Some(&policies), &push).await;
    assert_eq!(
        (pushed.code, pushed.stdout.as_str()),
        (Some(0), "acme/payments:1 is in force for acme/payments.\n"),
        "{pushed:?}"
    );
    let proposed = run(NOTHING, Some(&policies), &push).await;
    assert_eq!(proposed.code, Some(2), "{proposed:?}");
    assert!(
        proposed.stdout.contains("/repositories/acme/payments"),
        "{proposed:?}"
    );
    let wrong = run(&NOTHING.replace("when", "whn"), Some(&policies), &push).await;
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.starts_with("policy.toml:5:1: "), "{wrong:?}");
    let late = [&push[..], &["--replaces", "default:1"]].concat();
    let late = run(&asking(3, "senior"), Some(&policies), &late).await;
    assert_eq!(late.code, Some(3), "{late:?}");
    assert!(late.stderr.contains("policy-moved"), "{late:?}");
    let without = run(&two, Some(&ci), &push).await;
    assert_eq!(without.code, Some(3), "{without:?}");

    let shown = run(
        "",
        Some(&ci),
        &["policy", "show", "--repository", "acme/payments"],
    )
    .await;
    assert_eq!((shown.code, shown.stdout.as_str()), (Some(0), two.as_str()));
    assert_eq!(shown.stderr, "acme/payments:1, mode enforce\n");

    let tried = [
        "policy",
        "try",
        "policy.toml",
        "--repository",
        "acme/payments",
        "--change",
        "142",
    ];
    let tried = run(NOTHING, Some(&policies), &tried).await;
    assert_eq!(tried.code, Some(0), "{tried:?}");
    for said in [
        "elsewhere: does not apply: target",
        "1 wait now and 0 would",
        "142 revision 1: waiting, would be no sign-off required",
        "another admin would have to confirm it",
    ] {
        assert!(tried.stdout.contains(said), "{said}: {tried:?}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_observed_gate_lets_pass_and_says_that_it_does_not_enforce(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let gate = t.machine(&[Scope::Gate, Scope::Submit], "acme/*").await;
    gate.submit(&change()).await;
    let (server, commit) = (t.at(""), sha("c1"));
    let asked = gate_of(&server, &commit);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run_in(dir.path(), Some(&gate), &asked).await.code, Some(2));
    let grace = t.admin("grace").await;
    grace.observes("14").await.unwrap();
    let observed = run_in(dir.path(), Some(&gate), &asked).await;
    assert_eq!(observed.code, Some(0));
    assert!(
        observed.stdout.starts_with(
            "allowed: waiting (observed only: the repository does not enforce this yet)"
        ),
        "{observed:?}"
    );
}
