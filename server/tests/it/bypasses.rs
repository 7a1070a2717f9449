//! Ways in which approvals were bypassed elsewhere, tried here. The numbers are those of docs/SECURITY.md, which says for each
//! where it comes from and which tests hold it; not all of them are in this file.

use crate::support::{
    TestServer,
    changes::{Change, change, patch, sha},
    machines::Machine,
    people::Human,
};
use domain::{
    contributor::Role,
    decision::Kind,
    digest::{Covered, Digest, PatchHash},
    ids::RepositoryId,
    names::{Branch, ChangeKey, CommitSha},
    people::Level,
    problem::Problem,
    token::Scope,
};
use futures::future::join_all;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::sync::atomic::{AtomicBool, Ordering};
use time::Duration;

/// What a gate says of a commit.
async fn verdict(ci: &Machine, commit: &str) -> String {
    ci.gate(commit).await.answer().1.to_owned()
}

/// A change of Ana's that waits, the pipeline that submitted it, and Ben, who may approve it.
async fn ready(pool: PgPool) -> (TestServer, Machine, Change, Human) {
    let t = TestServer::new(pool).await;
    let (ci, ben, change) = (t.ci().await, t.senior("ben").await, change());
    ci.submit(&change).await;
    (t, ci, change, ben)
}

/// A senior of whom two are needed, and for `ledger/` three.
const LEDGER: &str = r#"version = 1

[[rule]]
name = "All"
require = [{ approvals = 1, level = "senior" }]

[[rule]]
name = "Ledger"
when = { any_path = ["ledger/**"], target = ["main"] }
require = [{ approvals = 2, level = "senior" }]
"#;

impl TestServer {
    /// Has a pipeline set the policy of a repository; what became of it.
    async fn demands(&self, repository: &str, policy: &str) -> (u16, Value) {
        let policies = self.machine(&[Scope::Policy], "acme/*").await;
        let path = self.at(&format!("/api/v1/repositories/{repository}/policy"));
        let request = policies.http.put(path).body(policy.to_owned());
        let reply = policies
            .send(request.header(CONTENT_TYPE, "application/toml"))
            .await;
        (reply.status.as_u16(), reply.json["state"].clone())
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b01_no_gate_calls_a_revision_approved_while_it_takes_the_place_of_one_that_was(
    pool: PgPool,
) {
    let (_t, ci, change, ben) = ready(pool).await;
    ben.approve(&change).await;
    for n in 0..6 {
        let next = change.clone().pushed(&format!("r{n}"));
        let over = AtomicBool::new(false);
        let asks = join_all((0..8).map(|_| async {
            let mut asked = 0;
            while !over.load(Ordering::Relaxed) || asked == 0 {
                let answer = ci.gate(&next.head).await;
                assert!(!answer.answer().0, "{answer:?}");
                asked += 1;
            }
        }));
        let submits = async {
            ci.submit(&next).await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(asks, submits);
        assert_eq!(verdict(&ci, &next.head).await, "waiting");
        ben.approve(&next).await;
        assert_eq!(verdict(&ci, &next.head).await, "approved");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b02_a_path_that_is_added_after_the_approval_asks_those_whom_its_rule_names(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    assert_eq!(
        t.demands("acme/payments", LEDGER).await,
        (200, json!("in_force"))
    );
    ben.approve(&change).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved");
    let ledger = String::from_utf8(patch("two")).unwrap();
    let ledger = ledger.replace("notes.txt", "ledger/pay.rs").into_bytes();
    let added = Change {
        head: sha("c2"),
        patch: [ledger, change.patch.clone()].concat(),
        ..change
    };
    ci.submit(&added).await;
    ben.approve(&added).await;
    let answer = ci.gate(&added.head).await;
    assert_eq!(answer.answer().1, "waiting");
    let needs = &answer.json["needs"];
    assert_eq!(
        (&needs[0]["rule"], &needs[1]),
        (&json!("Ledger"), &Value::Null)
    );
    t.senior("li").await.approve(&added).await;
    assert_eq!(verdict(&ci, &added.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b05_what_a_third_person_adds_takes_an_approval_of_its_own_and_not_theirs(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let mallory = t.senior("mallory").await;
    ben.approve(&change).await;
    let added = change.clone().by("mallory").pushed("c2");
    ci.submit(&added).await;
    assert_eq!(verdict(&ci, &added.head).await, "waiting");
    assert_eq!(
        mallory.presses(Kind::Approve, &added, "").await,
        Err(Problem::Contributor(Role::ChangeAuthor))
    );
    let approved = ci.gate(&change.head).await;
    assert_eq!(approved.answer().1, "approved", "what Ben read");
    assert_eq!(approved.json["changes"][0]["current"], false);
    ben.approve(&added).await;
    assert_eq!(verdict(&ci, &added.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b06_what_is_shown_is_what_is_signed_and_what_hides_is_shown(pool: PgPool) {
    let (t, ci, _, ben) = ready(pool).await;
    let shown = [
        ("\u{202e}egassem", "class=\"hid\""),
        ("a\u{200b}b", "class=\"hid\""),
        ("\r", "class=\"hid cr\""),
        ("<b>", "&lt;b&gt;"),
    ];
    for (n, (line, seen)) in shown.into_iter().enumerate() {
        let change = Change {
            head: sha(line),
            patch: patch(line),
            ..change().key(&format!("hides-{n}"))
        };
        let told = ci.submit(&change).await;
        let repository = "select id from repository where folded = 'acme/payments'";
        let repository = sqlx::query_scalar(repository).fetch_one(&t.owner).await;
        let digest = Digest::of(Covered {
            repository: RepositoryId(repository.unwrap()),
            key: &ChangeKey::parse(&change.key).unwrap(),
            target: &Branch::parse("main").unwrap(),
            merge_base: &CommitSha::parse(&change.base).unwrap(),
            head: &CommitSha::parse(&change.head).unwrap(),
            patch: PatchHash::of(&change.patch),
        });
        assert_eq!(told.json["digest"], digest.to_string());
        let form = ben.reads(&change).await;
        assert_eq!(form.value("digest"), digest.to_string());
        let id = t.id_of(&change).await;
        let path = format!("/changes/{id}?file=0");
        let page = ben.browser.page(&t, &path).await;
        let at = page.find("class=\"file\"").unwrap_or(0);
        assert!(page[at..].contains(seen), "{line:?}: {page}");
        let other = Change {
            patch: patch("what nobody was shown"),
            ..change.clone()
        };
        let other = ci.try_to_submit(&other).await;
        assert_eq!(other.problem(), (409, "patch-differs"));
        let form = form.press(Kind::Approve);
        let refused = ben.sends(&form).await.outcome();
        assert_eq!(refused, Err(Problem::PatchInDoubt));
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b07_a_name_in_another_spelling_finds_the_same_policy_or_nothing(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    assert_eq!(
        t.demands("ACME/Payments", LEDGER).await,
        (200, json!("in_force"))
    );
    let spelled = |repository: &str, key: &str| {
        let over = json!({ "repository": repository });
        Change {
            patch: String::from_utf8(patch(key))
                .unwrap()
                .replace("notes.txt", "ledger/pay.rs")
                .into_bytes(),
            head: sha(key),
            ..change.clone().key(key)
        }
        .with(over)
    };
    let shouted = spelled("Acme/PAYMENTS", "7");
    ci.submit(&shouted).await;
    ben.approve(&shouted).await;
    let answer = ci.gate(&shouted.head).await;
    assert_eq!(answer.answer().1, "waiting");
    assert_eq!(answer.json["policy"]["id"], "acme/payments");
    for look_alike in [
        "acme/p\u{430}yments",
        "acme/payments\u{200b}",
        "acme/payments/",
    ] {
        let refused = ci.try_to_submit(&spelled(look_alike, "8")).await;
        assert_eq!(refused.problem(), (422, "field"), "{look_alike:?}");
    }
    // A whole ref would be a branch that no rule for `main` names.
    for whole in ["refs/heads/main", "refs/tags/main"] {
        let refused = ci.try_to_submit(&change.clone().to(whole)).await;
        assert_eq!(refused.problem(), (422, "field"), "{whole}");
        let asked = format!(
            "/api/v1/gate?repository=acme/payments&commit={}&target={whole}",
            change.head
        );
        assert_eq!(ci.get(&asked).await.problem(), (422, "field"), "{whole}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b10_an_old_revision_is_judged_by_what_is_demanded_today(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    ben.approve(&change).await;
    ci.submit(&change.clone().pushed("c2")).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved");
    let two = LEDGER.replace("approvals = 1", "approvals = 2");
    assert_eq!(
        t.demands("acme/payments", &two).await,
        (200, json!("in_force"))
    );
    let answer = ci.gate(&change.head).await;
    assert_eq!(answer.answer().1, "waiting");
    assert_eq!(
        answer.json["policy"],
        json!({ "id": "acme/payments", "version": 1 })
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b11_no_token_decides_anything(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let mighty = t.machine(&Scope::ALL, "acme/*").await;
    let sent = mighty
        .http
        .post(t.at("/fn/decide"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(form.encoded());
    assert_eq!(mighty.send(sent).await.status, 401);
    let id = t.id_of(&change).await;
    for path in [
        "/api/v1/decisions",
        &format!("/api/v1/changes/{id}/decisions"),
    ] {
        let body = json!({ "kind": "approve", "digest": form.value("digest") });
        assert_eq!(mighty.post(path, body).await.status, 405, "{path}");
    }
    assert_eq!(t.count("decision").await, 0);
    let as_a_token = sqlx::query(
        "insert into decision (repository_id, id, change_id, revision_id, digest, seq, person_id, form_key, kind, reason, teams, policy,
                               policy_version, at)
         select r.repository_id, gen_random_uuid(), r.change_id, r.id, r.digest, 1, $1, gen_random_uuid(), 'approve', '', '{}', 'default', 1, now()
         from revision r",
    );
    let refused = as_a_token.bind(mighty.id.0).execute(t.db.pool()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("decision_person_id_fkey"), "{refused}");
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(verdict(&ci, &change.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b12_nobody_approves_what_they_had_a_hand_in_in_whatever_way(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    let who = json!({ "name": "Ben", "email": "ben@halden.example" });
    let mut commits = change().json()["commits"].take();
    commits[0]["committer"] = who.clone();
    let trailer = "Fix\n\nCo-authored-by: Ben <ben@halden.example>\n";
    let devin = "Fix\n\nLink to Devin run: https://app.devin.ai/sessions/0123456789abcdef0123456789abcdef\nRequested by: Ben (@ben)\n";
    for (role, theirs) in [
        (
            Role::Author,
            change().by("ben").with(json!({ "author": null })),
        ),
        (Role::ChangeAuthor, change().with(json!({ "author": who }))),
        (
            Role::Committer,
            change().with(json!({ "commits": commits })),
        ),
        (Role::CoAuthor, change().message(trailer)),
        (Role::Requester, change().message(devin)),
    ] {
        let theirs = theirs.key(role.as_str());
        ci.submit(&theirs).await;
        for kind in [Kind::Approve, Kind::SetAside] {
            let refused = ben.presses(kind, &theirs, "it is fine").await;
            assert_eq!(refused, Err(Problem::Contributor(role)));
        }
        li.approve(&theirs).await;
    }
    assert_eq!(t.count("decision where kind = 'approve'").await, 5);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b13_what_was_merged_was_not_thereby_approved(pool: PgPool) {
    let (_t, ci, change, ben) = ready(pool).await;
    let merged = change.clone().with(json!({ "state": "merged" }));
    ci.submit(&merged).await;
    let answer = ci.gate(&change.head).await;
    assert_eq!(answer.answer(), (false, "waiting", vec!["approval_needed"]));
    assert_eq!(answer.json["changes"][0]["state"], "merged");
    ben.approve(&change).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b14_an_override_lets_one_revision_pass_for_a_while_and_nothing_beside_it(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let other = change.clone().key("143").pushed("other");
    ci.submit(&other).await;
    assert_eq!(ben.breaks_the_glass(&change, "INC-1").await, Ok(()));
    let answer = ci.gate(&change.head).await;
    assert_eq!(answer.answer(), (true, "overridden", vec!["overridden"]));
    assert_eq!(verdict(&ci, &other.head).await, "waiting");
    let next = change.clone().pushed("c2");
    ci.submit(&next).await;
    assert_eq!(verdict(&ci, &next.head).await, "waiting");
    assert_eq!(verdict(&ci, &change.head).await, "overridden");
    t.pass(Duration::DAY);
    assert_eq!(verdict(&ci, &change.head).await, "waiting", "over");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b15_whoever_lets_their_own_change_pass_is_on_record_and_owes_a_review(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let own = change().by("ben");
    ci.submit(&own).await;
    assert_eq!(
        ben.presses(Kind::Approve, &own, "").await,
        Err(Problem::Contributor(Role::ChangeAuthor))
    );
    assert_eq!(ben.breaks_the_glass(&own, "INC-1").await, Ok(()));
    let answer = ci.gate(&own.head).await;
    assert_eq!(answer.answer().1, "overridden");
    let reason = answer.json["reasons"][0]["sentence"].as_str().unwrap();
    assert!(
        reason.contains("INC-1") && reason.contains("a review is owed by 2026-11-23"),
        "{reason}"
    );
    let records = [
        "decision",
        "log_leaf",
        "event where kind = 'decision.recorded'",
    ];
    for table in records {
        assert_eq!(t.count(table).await, 1, "{table}");
    }
    t.senior("li").await.approve(&own).await;
    assert_eq!(verdict(&ci, &own.head).await, "approved", "reviewed");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b16_a_borrowed_address_gives_nothing_and_no_decision_can_be_edited(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let ben = ben.linked("ben").await;
    let unsaid = json!({ "author": null });
    let borrowed = change.clone().key("143").by("ben").pushed("c2");
    ci.submit(&borrowed.clone().with(unsaid.clone())).await;
    let answer = ci.gate(&borrowed.head).await.json;
    assert_eq!(answer["verdict"], "waiting", "Ben's address, by whomever");
    assert_eq!(answer["reasons"][1]["code"], "author_unsaid");
    let anas = change.clone().key("144").pushed("c3");
    let hers = json!({ "author": { "name": "Ana", "email": "ana@halden.example" } });
    ci.submit(&anas.clone().by("ben").with(hers)).await;
    assert_eq!(verdict(&ci, &anas.head).await, "waiting", "Ana's change");
    ci.submit(&borrowed).await;
    assert_eq!(
        verdict(&ci, &borrowed.head).await,
        "not_required",
        "as soon as it is said that it is Ben's"
    );
    ben.approve(&change).await;
    let id = t.id_of(&change).await;
    for path in [
        "/api/v1/decisions",
        &format!("/api/v1/changes/{id}/decisions"),
    ] {
        for method in ["PUT", "PATCH", "DELETE"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let request = ci.http.request(method, t.at(path));
            assert_eq!(ci.send(request).await.status, 405, "{path}");
        }
    }
    let edit = "update decision set kind = 'reject'";
    for pool in [&t.owner, t.db.pool()] {
        assert!(sqlx::query(edit).execute(pool).await.is_err());
    }
    let nobody = Machine {
        secret: "cs_not_a_token".to_owned(),
        ..ci.clone()
    };
    assert_eq!(nobody.gate(&change.head).await.status, 401);
    assert_eq!(verdict(&ci, &change.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b17_a_rejection_wins_at_once_over_all_approvals_before_and_after_it(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let li = t.senior("li").await;
    ben.approve(&change).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved");
    li.reject(&change, "pays twice").await;
    assert_eq!(verdict(&ci, &change.head).await, "rejected");
    ben.approve(&change).await;
    t.senior("cleo").await.approve(&change).await;
    assert_eq!(verdict(&ci, &change.head).await, "rejected");
    let next = change.clone().pushed("c2");
    ci.submit(&next).await;
    ben.approve(&next).await;
    assert_eq!(verdict(&ci, &next.head).await, "rejected");
    li.withdraw(&next).await;
    assert_eq!(verdict(&ci, &next.head).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b18_no_clock_decides_what_came_first(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    ben.approve(&change).await;
    // From here on each thing has an earlier time than the one before it.
    t.pass(-Duration::MINUTE);
    let next = change.clone().pushed("c2");
    ci.submit(&next).await;
    assert_eq!(verdict(&ci, &next.head).await, "waiting");
    t.pass(-Duration::MINUTE);
    ben.approve(&next).await;
    assert_eq!(verdict(&ci, &next.head).await, "approved");
    t.pass(-Duration::MINUTE);
    ben.withdraw(&next).await;
    assert_eq!(verdict(&ci, &next.head).await, "waiting");
    assert_eq!(verdict(&ci, &change.head).await, "waiting");
    t.pass(Duration::HOUR);
    assert_eq!(verdict(&ci, &next.head).await, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b19_whoever_leaves_leaves_their_decisions_as_they_were(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let li = t.senior("li").await;
    ben.approve(&change).await;
    let before = ci.streamed(1).await;
    ben.deactivated().await;
    assert_eq!(verdict(&ci, &change.head).await, "approved");
    assert_eq!(ci.streamed(1).await, before);
    let path = format!("/changes/{}", t.id_of(&change).await);
    let page = li.browser.page(&t, &path).await;
    assert!(page.contains("<bdi>ben</bdi>"), "{page}");
    for pool in [&t.owner, t.db.pool()] {
        let deleted = sqlx::query("delete from person where name = 'ben'");
        assert!(deleted.execute(pool).await.is_err());
    }
    let next = change.pushed("c2");
    ci.submit(&next).await;
    let form = li.reads(&next).await.press(Kind::Approve);
    assert_eq!(ben.calls(&form).await.said().0, 401, "and takes no more");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b20_one_person_counts_once_in_whatever_browser_and_by_whatever_account(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let two = LEDGER.replace("approvals = 1", "approvals = 2");
    assert_eq!(
        t.demands("acme/payments", &two).await,
        (200, json!("in_force"))
    );
    ben.approve(&change).await;
    let elsewhere = t.senior("ben").await.linked("bens-other-account").await;
    assert_eq!(elsewhere.id, ben.id);
    elsewhere.approve(&change).await;
    assert_eq!(t.count("decision").await, 2);
    let answer = ci.gate(&change.head).await;
    assert_eq!(answer.answer().1, "waiting");
    assert_eq!(answer.json["needs"][0]["count"], 1);
    t.senior("li").await.approve(&change).await;
    assert_eq!(verdict(&ci, &change.head).await, "approved");
    t.db.pool().close().await;
    let nobody_to_ask = ci.gate(&change.head).await;
    assert_eq!(nobody_to_ask.problem(), (503, "unavailable"), "is no yes");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b21_a_form_or_a_link_carries_nobodys_authority(pool: PgPool) {
    let (t, ci, change, ben) = ready(pool).await;
    let (li, mika) = (
        t.senior("li").await,
        t.human("mika", Some(Level::Mid)).await,
    );
    let bens = ben.reads(&change).await.press(Kind::Approve);
    let low = Problem::LevelTooLow {
        known: Some(Level::Mid),
        needed: Level::Senior,
    };
    assert_eq!(mika.sends(&bens).await.outcome(), Err(low));
    let nobody = t.before_a_browser(ben.id, "");
    assert_eq!(nobody.calls(&bens).await.said().0, 401);
    let followed = ben.browser.following(&t, &bens).await;
    assert!(followed.status.is_client_error(), "{followed:?}");
    assert_eq!(t.count("decision").await, 0);
    assert_eq!(li.sends(&bens).await.outcome(), Ok(()));
    let answer = ci.gate(&change.head).await;
    assert_eq!(answer.json["changes"][0]["decisions"][0]["by"], "li");
}
