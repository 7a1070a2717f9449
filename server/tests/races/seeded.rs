//! Bugs that a product could have, brought in from outside by SQL: the checker finds each of them.

use crate::{
    checker::{self, Report},
    history::{Answer, Asked, History, Request},
    processes::changes::Change,
    stage::{Form, Scene, Senior, Shown, Stage, repository},
    worlds::{change, key_of, next},
};
use serde_json::Value;
use std::time::Duration;

/// A change that waits, and the seniors Ben and Li.
struct Seeded<'s> {
    stage: &'s Stage,
    scene: Scene<'s>,
    change: Change,
    shown: Shown,
    ben: Senior,
    li: Senior,
}

impl<'s> Seeded<'s> {
    async fn on(stage: &'s Stage) -> Self {
        let change = change("seeded");
        let (ben, li) = (stage.senior("ben").await, stage.senior("li").await);
        let (scene, shown) = stage.scene(&change).await;
        Self {
            stage,
            scene,
            change,
            shown,
            ben,
            li,
        }
    }

    fn form(&self, kind: &'static str) -> Form<'_> {
        Form {
            shown: &self.shown,
            key: store::ids::new(),
            kind,
            about: 1,
        }
    }

    /// What its standing was made to say.
    async fn standing(&self) -> Value {
        sqlx::query_scalar("select facts from standing where change_id = $1")
            .bind(self.shown.change)
            .fetch_one(&self.stage.owner)
            .await
            .unwrap()
    }

    /// Puts an old standing back, with the stamp of today.
    async fn restores(&self, standing: &Value) {
        let put_back = sqlx::query(
            "update standing set facts = $1, people_version = (select version from people_version) where change_id = $2",
        );
        let done = put_back
            .bind(standing)
            .bind(self.shown.change)
            .execute(&self.stage.owner);
        assert_eq!(done.await.unwrap().rows_affected(), 1);
    }

    /// Asks the gate once more, and has all of it checked.
    async fn checked(self) -> (History, Report) {
        self.scene.asks(0, &self.change.head).await;
        let history = self.scene.history();
        let mut conn = self.stage.owner.acquire().await.unwrap();
        let report = checker::check(&mut conn, &history).await;
        (history, report)
    }
}

/// How many allows and decisions were found to be wrong.
fn wrong((history, report): &(History, Report)) -> (usize, usize) {
    println!("{}", checker::told(history));
    for finding in report.findings() {
        println!("{finding}");
    }
    (report.wrong_allows.len(), report.wrong_decisions.len())
}

#[tokio::test]
async fn an_approval_without_the_lock_of_what_a_new_revision_replaced_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (looked, form) = (seeded.scene.watch.now(), seeded.form("approve"));
    seeded.scene.submits(1, &next(&seeded.change)).await;
    let (ben, a_moment_ago) = (&seeded.ben, Duration::ZERO);
    seeded.scene.slips_in(ben, &form, 1, a_moment_ago).await;
    // The client that looked before the revision came has waited all the time for this one answer.
    seeded.scene.began_earlier(looked);
    assert_eq!(wrong(&seeded.checked().await), (1, 1));
}

#[tokio::test]
async fn an_approval_without_the_lock_by_somebody_who_was_deactivated_meanwhile_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (looked, form) = (seeded.scene.watch.now(), seeded.form("approve"));
    let person = seeded.ben.id.0;
    seeded.scene.operates(Asked::Deactivate { person }).await;
    let (ben, a_moment_ago) = (&seeded.ben, Duration::ZERO);
    seeded.scene.slips_in(ben, &form, 1, a_moment_ago).await;
    seeded.scene.began_earlier(looked);
    assert_eq!(wrong(&seeded.checked().await), (1, 1));
}

#[tokio::test]
async fn a_standing_from_before_a_rejection_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (approve, reject) = (seeded.form("approve"), seeded.form("reject"));
    seeded.scene.decides(0, &seeded.ben, &approve).await;
    let before = seeded.standing().await;
    seeded.scene.decides(1, &seeded.li, &reject).await;
    seeded.restores(&before).await;
    assert_eq!(wrong(&seeded.checked().await), (1, 0));
}

#[tokio::test]
async fn a_standing_from_before_an_approver_turned_out_to_be_the_author_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (approve, person) = (seeded.form("approve"), seeded.ben.id.0);
    seeded.scene.decides(0, &seeded.ben, &approve).await;
    let before = seeded.standing().await;
    let key = key_of(&seeded.change);
    seeded.scene.operates(Asked::Link { person, key }).await;
    seeded.restores(&before).await;
    assert_eq!(wrong(&seeded.checked().await), (1, 0));
}

#[tokio::test]
async fn a_standing_from_before_a_word_for_human_was_withdrawn_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (human, withdraw) = (seeded.form("human"), seeded.form("withdraw"));
    seeded.scene.decides(0, &seeded.ben, &human).await;
    let before = seeded.standing().await;
    seeded.scene.decides(1, &seeded.ben, &withdraw).await;
    seeded.restores(&before).await;
    assert_eq!(wrong(&seeded.checked().await), (1, 0));
}

#[tokio::test]
async fn a_rejection_that_was_set_aside_too_soon_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (approve, reject) = (seeded.form("approve"), seeded.form("reject"));
    seeded.scene.decides(0, &seeded.li, &approve).await;
    seeded.scene.decides(1, &seeded.ben, &reject).await;
    let (aside, a_moment_ago) = (seeded.form("set_aside"), Duration::ZERO);
    let aside = Form { about: 2, ..aside };
    seeded
        .scene
        .slips_in(&seeded.li, &aside, 1, a_moment_ago)
        .await;
    assert_eq!(wrong(&seeded.checked().await), (1, 1));
}

#[tokio::test]
async fn a_gate_that_goes_on_by_the_policy_of_before_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (approve, repository) = (seeded.form("approve"), repository(&seeded.change));
    seeded.scene.decides(0, &seeded.ben, &approve).await;
    seeded.scene.operates(Asked::Demand { repository }).await;
    let back = sqlx::query(
        "update repository set policy = v.policy, policy_version = v.version, policy_hash = v.hash
         from policy_version v where v.policy = 'default'",
    );
    back.execute(&stage.owner).await.unwrap();
    assert_eq!(wrong(&seeded.checked().await), (1, 0));
}

#[tokio::test]
async fn a_number_that_is_left_out_and_a_decision_that_is_lost_are_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (form, lost) = (seeded.form("approve"), seeded.form("reject"));
    let (ben, a_moment_ago) = (&seeded.ben, Duration::ZERO);
    seeded.scene.slips_in(ben, &form, 2, a_moment_ago).await;
    let now = seeded.scene.watch.now();
    seeded.scene.saw(now, lost.asked(&seeded.li), Answer::Done);
    assert_eq!(wrong(&seeded.checked().await), (0, 2));
}

/// The same history, with answers of gates that nobody gave.
#[tokio::test]
async fn an_answer_of_another_moment_is_found_and_one_of_this_moment_is_not() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (approve, commit) = (seeded.form("approve"), seeded.change.head.clone());
    seeded.scene.decides(0, &seeded.ben, &approve).await;
    let (history, report) = seeded.checked().await;
    assert!(report.is_clean(), "{report:?}");

    let decided = history
        .requests
        .iter()
        .find(|r| r.answer == Answer::Done && matches!(r.asked, Asked::Decide { .. }));
    let (began, ended) = decided.map(|r| (r.began, r.ended)).unwrap();
    let said = |from, until, allow: bool| Request {
        began: from,
        ended: until,
        raced: true,
        asked: Asked::Gate {
            commit: commit.clone(),
        },
        answer: Answer::Gate {
            allow,
            verdict: if allow { "approved" } else { "waiting" }.to_owned(),
        },
    };
    let middle = i64::midpoint(began, ended);
    let told: [(&str, &[Request], (usize, usize)); 5] = [
        (
            "before it was sent",
            &[said(began - 9, began - 1, true)],
            (1, 0),
        ),
        (
            "as it was sent",
            &[said(began - 9, began + 1, true)],
            (0, 0),
        ),
        ("as it was answered", &[said(middle, ended, true)], (0, 0)),
        ("a no as it was sent", &[said(middle, ended, false)], (0, 0)),
        (
            "a yes, and then a no",
            &[
                said(middle, middle + 1, true),
                said(middle + 2, middle + 3, false),
            ],
            (0, 1),
        ),
    ];
    for (when, more, expected) in told {
        let mut history = history.clone();
        history.requests.extend(more.iter().cloned());
        let mut conn = stage.owner.acquire().await.unwrap();
        let report = checker::check(&mut conn, &history).await;
        let found = (
            report.wrong_allows.len(),
            usize::from(!report.unexplained.is_empty()),
        );
        assert_eq!(found, expected, "{when}: {report:?}");
    }
}

/// What a replay reads is filtered by two functions, which are put out of order here.
#[tokio::test]
async fn an_answer_of_the_past_that_is_given_from_what_holds_today_is_found() {
    let stage = Stage::start().await;
    let seeded = Seeded::on(&stage).await;
    let (approve, key) = (seeded.form("approve"), key_of(&seeded.change));
    seeded.scene.asks(0, &seeded.change.head).await;
    seeded.scene.decides(1, &seeded.ben, &approve).await;
    seeded.scene.asks(1, &seeded.change.head).await;
    let person = seeded.ben.id.0;
    seeded.scene.operates(Asked::Link { person, key }).await;
    let (history, report) = seeded.checked().await;
    assert!(report.is_clean(), "{report:?}");
    let said = |answer: &Value| answer["verdict"].as_str().unwrap().to_owned();
    let said: Vec<String> = history.told.iter().map(said).collect();
    assert_eq!(said, ["waiting", "approved", "waiting"]);

    stage.turns().await;
    let otherwise = stage.tells_otherwise(&history.told).await;
    assert_eq!(otherwise, [""; 0]);
    for (bug, found) in [
        (
            "create or replace function held_at(from_version bigint, until_version bigint, version bigint) returns boolean
             language sql immutable parallel safe return until_version is null",
            2,
        ),
        (
            "create or replace function was_there(wrote xid8, snapshot pg_snapshot) returns boolean
             language sql immutable parallel safe return true",
            3,
        ),
    ] {
        sqlx::query(bug).execute(&stage.owner).await.unwrap();
        assert_eq!(stage.tells_otherwise(&history.told).await.len(), found);
    }
}
