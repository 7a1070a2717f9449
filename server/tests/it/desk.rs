//! Questions to the gate that share a statement: each gets its own answer, as if it had come alone.

use crate::support::{
    TestServer,
    changes::{change, sha},
};
use futures::future::{FutureExt as _, join_all};
use server::problem::Refusal;
use sqlx::{PgPool, Postgres, Transaction};
use std::collections::HashSet;
use store::gates::{Asked, Asking};
use tokio::task::JoinHandle;

type Answered = Result<Option<Asked>, Refusal>;

/// The keys of the changes that an answer is about.
fn keys(answered: &Answered) -> Vec<String> {
    let asked = answered.as_ref().unwrap().as_ref();
    let found = &asked.expect("a token that is known").found;
    found
        .iter()
        .map(|one| one.standing.key.to_string())
        .collect()
}

/// Nobody finds a token until this transaction ends.
async fn hold_all_tokens(t: &TestServer) -> Transaction<'static, Postgres> {
    t.holding("lock table token in access exclusive mode").await
}

/// Two statements that wait for the tokens: whoever asks now waits for one of them to end.
async fn keep_the_desk_busy(t: &TestServer, asking: &Asking) -> Vec<JoinHandle<Answered>> {
    let mut busy = Vec::new();
    for statements in 1..=2 {
        let (desk, asking) = (t.server.desk.clone(), asking.clone());
        busy.push(tokio::spawn(async move { desk.ask(asking).await }));
        t.locked_out(statements).await;
    }
    busy
}

/// Transactions that begin and end until the handle is aborted, so that no two statements see the same snapshot.
fn keep_the_database_busy(t: &TestServer) -> JoinHandle<()> {
    let owner = t.owner.clone();
    tokio::spawn(async move {
        loop {
            sqlx::query("select pg_current_xact_id()")
                .execute(&owner)
                .await
                .unwrap();
        }
    })
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_comes_while_others_are_asked_shares_the_next_statement_and_gets_an_answer_of_their_own(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let (ci, another) = (t.ci().await, t.ci().await);
    for key in ["1", "2", "3"] {
        ci.submit(&change().key(key).pushed(key)).await;
    }
    // Its facts have to be asked: it is no longer the current revision.
    ci.submit(&change().key("4").pushed("before")).await;
    ci.submit(&change().key("4").pushed("after")).await;
    let mut questions: Vec<Asking> = ["1", "2", "3", "nobody told of this"]
        .iter()
        .cycle()
        .take(40)
        .map(|name| ci.asking(&sha(name)))
        .collect();
    let before = t.server.desk.ask(ci.asking(&sha("before")));
    questions.push(another.asking(&sha("1")));
    questions.push(Asking {
        token: [7; 32],
        ..ci.asking(&sha("1"))
    });
    let mut tokens = hold_all_tokens(&t).await;
    let busy = keep_the_desk_busy(&t, &ci.asking(&sha("1"))).await;
    let mut before = Box::pin(before);
    assert!((&mut before).now_or_never().is_none(), "has arrived");
    let mut together = join_all(questions.into_iter().map(|one| t.server.desk.ask(one)));
    assert!((&mut together).now_or_never().is_none(), "all have arrived");
    let transactions = keep_the_database_busy(&t);
    // After they were asked and before they are answered: what they are told is of no earlier moment.
    sqlx::query("update token set revoked_at = now() where id = $1")
        .bind(another.id.0)
        .execute(&mut *tokens)
        .await
        .unwrap();
    tokens.commit().await.unwrap();
    let mut answers = together.await;
    transactions.abort();
    assert_eq!(keys(&before.await), ["4"]);
    let unknown = answers.pop().unwrap().unwrap();
    assert!(unknown.is_none(), "nobody has this token: {unknown:?}");
    let revoked = answers.last().unwrap().as_ref().unwrap().as_ref().unwrap();
    assert!(revoked.token.revoked_at.is_some());
    let of = |place: usize| keys(&answers[place]);
    for round in 0..10 {
        assert_eq!(of(4 * round), ["1"]);
        assert_eq!(of(4 * round + 1), ["2"]);
        assert_eq!(of(4 * round + 2), ["3"]);
        assert!(of(4 * round + 3).is_empty());
    }
    let snapshot = |answered: &Answered| {
        answered
            .as_ref()
            .unwrap()
            .as_ref()
            .unwrap()
            .snapshot
            .clone()
    };
    let snapshots: HashSet<String> = answers.iter().map(snapshot).collect();
    assert_eq!(snapshots.len(), 1, "one statement: {snapshots:?}");
    for asked in busy {
        assert_eq!(keys(&asked.await.unwrap()), ["1"]);
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_nobody_understands_or_waits_for_is_no_trouble_of_the_others(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, broken) = (t.ci().await, t.ci().await);
    ci.submit(&change()).await;
    let mut tokens = hold_all_tokens(&t).await;
    sqlx::query("update token set scopes = '{everything}' where id = $1")
        .bind(broken.id.0)
        .execute(&mut *tokens)
        .await
        .unwrap();
    let busy = keep_the_desk_busy(&t, &ci.asking(&sha("c1"))).await;
    let ask =
        |machine: &crate::support::machines::Machine| t.server.desk.ask(machine.asking(&sha("c1")));
    let mut gone = Box::pin(ask(&ci));
    assert!((&mut gone).now_or_never().is_none());
    let mut together = join_all([ask(&ci), ask(&broken), ask(&ci)]);
    assert!((&mut together).now_or_never().is_none());
    drop(gone);
    tokens.commit().await.unwrap();
    let answers = together.await;
    assert_eq!(keys(&answers[0]), ["142"]);
    assert_eq!(keys(&answers[2]), ["142"]);
    let refusal = answers[1].as_ref().unwrap_err();
    assert_eq!(refusal.status().as_u16(), 500);
    for asked in busy {
        assert_eq!(keys(&asked.await.unwrap()), ["142"]);
    }
}

/// Statements that never come back are what a connection looks like whose other end has gone.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_database_that_says_nothing_is_given_up_and_asked_again_over_another_connection(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await.with_connections(2).await;
    let ci = t.ci().await;
    ci.submit(&change()).await;
    let tokens = hold_all_tokens(&t).await;
    let mut refused = keep_the_desk_busy(&t, &ci.asking(&sha("c1"))).await;
    let (desk, asking) = (t.server.desk.clone(), ci.asking(&sha("c1")));
    refused.push(tokio::spawn(async move { desk.ask(asking).await }));
    let last = refused.pop().unwrap();
    for refused in refused {
        let refusal = refused.await.unwrap().unwrap_err();
        assert_eq!(refusal.status().as_u16(), 503);
    }
    tokens.rollback().await.unwrap();
    assert_eq!(keys(&last.await.unwrap()), ["142"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn without_a_database_everybody_who_asks_is_told_so(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    t.db.pool().close().await;
    let ask = |_| t.server.desk.ask(ci.asking(&sha("c1")));
    for refused in join_all((0..20).map(ask)).await {
        assert_eq!(refused.unwrap_err().status().as_u16(), 503);
    }
}
