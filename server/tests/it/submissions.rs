//! Taking in changes: what is recorded, what is not, and what is refused.

use crate::support::{
    TestServer,
    changes::{Change, change, patch, sha},
};
use domain::{contributor::Role, decision::Kind, problem::Problem, token::Scope};
use reqwest::multipart::{Form, Part};
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_same_again_is_a_no_op(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let first = ci.try_to_submit(&change()).await;
    assert_eq!(
        (first.status.as_u16(), &first.json["new"]),
        (201, &json!(true))
    );
    let events = t.count("event").await;
    let again = ci.try_to_submit(&change()).await;
    assert_eq!(
        (again.status.as_u16(), &again.json["new"]),
        (200, &json!(false))
    );
    assert_eq!(again.json["digest"], first.json["digest"]);
    assert_eq!(
        (t.count("revision").await, t.count("event").await),
        (1, events)
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_new_head_becomes_current_and_a_late_retry_does_not_turn_back(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let (one, two) = (change(), change().pushed("c2"));
    ci.submit(&one).await;
    assert_eq!(ci.submit(&two).await.json["number"], 2);
    let retried = ci.submit(&one).await.json;
    assert_eq!(
        (&retried["number"], &retried["current"]),
        (&json!(1), &json!(false))
    );
    let forced_back = ci.submit(&one.with(json!({ "current": true }))).await.json;
    assert_eq!(
        (&forced_back["number"], &forced_back["current"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        ci.submit(&two).await.json["current"],
        false,
        "and now the other is the old one"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn retargeting_with_the_same_head_takes_another_approval(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    let retargeted = ci.submit(&change().to("release")).await.json;
    assert_eq!(
        (&retargeted["number"], &retargeted["current"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn another_merge_base_under_the_same_head_takes_another_approval(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    ci.submit(&Change {
        patch: patch("less"),
        ..change().over("later")
    })
    .await;
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn another_patch_under_an_approved_head_is_refused_recorded_and_bars_approval(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    let other = Change {
        patch: patch("other"),
        ..change()
    };
    assert_eq!(
        ci.try_to_submit(&other).await.problem(),
        (409, "patch-differs")
    );
    assert_eq!(
        (t.count("patch_dispute").await, t.count("revision").await),
        (1, 1)
    );
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "undecidable");
    assert_eq!(
        ben.presses(Kind::Approve, &change(), "").await,
        Err(Problem::PatchInDoubt)
    );
    assert!(
        ben.presses(Kind::Reject, &change(), "no test")
            .await
            .is_ok()
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn contributors_are_a_union_that_never_shrinks(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change().by("ben")).await;
    ci.submit(&change().by("ana").pushed("rebased-by-ana"))
        .await;
    let refused = ben.presses(Kind::Approve, &change(), "").await;
    assert_eq!(
        refused,
        Err(Problem::Contributor(Role::ChangeAuthor)),
        "a rebase by somebody else frees nobody"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_submission_can_say_that_a_machine_took_part_and_never_that_none_did(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let plain = change().message("Retry settlement");
    let id = ci.submit(&plain).await.json["change"]
        .as_str()
        .unwrap()
        .to_owned();
    let provenance =
        async || ci.get(&format!("/api/v1/changes/{id}")).await.json["provenance"].clone();
    assert_eq!(provenance().await, "unknown");
    ci.submit(&plain.clone().with(json!({ "ai": { "tool": "Cursor" } })))
        .await;
    assert_eq!(provenance().await, "assisted");
    ci.submit(&plain).await;
    assert_eq!(provenance().await, "assisted");
    let marks = ci.get(&format!("/api/v1/changes/{id}/marks")).await.json;
    assert_eq!(
        marks["marks"],
        json!([{ "tool": "cursor", "model": null, "strength": "declared", "place": "submission", "commit": null, "line": null, "text": "" }])
    );
    for word in [json!(false), json!({ "human": true }), json!("none")] {
        assert_eq!(
            ci.try_to_submit(&plain.clone().with(json!({ "ai": word })))
                .await
                .problem(),
            (422, "change")
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn later_marks_come_behind_those_that_are_there(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let with = |tool: &str| change().with(json!({ "ai": { "tool": tool } }));
    let id = ci.submit(&with("Cursor")).await.json["change"].clone();
    // What a version before left, which took a commit twice: one mark more than there are different ones.
    sqlx::query("insert into mark select repository_id, revision_id, ordinal + 2, tool, model, strength, place, commit_sha, line, text, at from mark where ordinal = 1")
        .execute(&t.owner)
        .await
        .unwrap();
    ci.submit(&with("Codex")).await;
    ci.submit(&with("Codex")).await;
    let path = format!("/api/v1/changes/{}/marks", id.as_str().unwrap());
    let marks = ci.get(&path).await.json["marks"].clone();
    let tools: Vec<_> = marks
        .as_array()
        .unwrap()
        .iter()
        .map(|mark| mark["tool"].as_str().unwrap())
        .collect();
    assert_eq!(tools, ["cursor", "claude-code", "cursor", "codex"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_mark_says_where_it_was_found(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let id = ci.submit(&change()).await.json["change"]
        .as_str()
        .unwrap()
        .to_owned();
    let mark = ci.get(&format!("/api/v1/changes/{id}/marks")).await.json["marks"][0].clone();
    assert_eq!(
        (&mark["tool"], &mark["place"], &mark["line"]),
        (&json!("claude-code"), &json!("trailer"), &json!(3))
    );
    assert_eq!(mark["commit"], sha("c1"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn whoever_may_not_submit_leaves_nothing_behind(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let reader = t.machine(&[Scope::Read, Scope::Gate], "acme/*").await;
    assert_eq!(
        reader.try_to_submit(&change()).await.problem(),
        (403, "scope")
    );
    let elsewhere = t.machine(&[Scope::Submit], "globex/*").await;
    assert_eq!(
        elsewhere.try_to_submit(&change()).await.problem(),
        (403, "repository")
    );
    let nobody = crate::support::machines::Machine {
        secret: String::new(),
        ..elsewhere
    };
    assert_eq!(
        nobody.try_to_submit(&change()).await.problem(),
        (401, "token")
    );
    assert_eq!(
        (t.count("repository").await, t.count("change").await),
        (0, 0)
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn every_field_is_bounded_and_named_when_it_is_wrong(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let commit = |field: &str, value: serde_json::Value| {
        let mut commits = change().json()["commits"].clone();
        commits[0][field] = value;
        json!({ "commits": commits })
    };
    for (over, says) in [
        (
            json!({ "repository": "payments" }),
            "`repository` is not written as owner/name",
        ),
        (json!({ "key": "" }), "`key` is empty"),
        (json!({ "key": "a b" }), "`key` has a character"),
        (json!({ "target": "a..b" }), "`target` is not a branch name"),
        (json!({ "head": "HEAD" }), "`head` is not a full commit id"),
        (json!({ "base": "main" }), "`base` is not a full commit id"),
        (
            json!({ "head": sha("c9") }),
            "`commits` do not include the head",
        ),
        (json!({ "commits": [] }), "`commits` are missing"),
        (
            commit("parents", json!([])),
            "`commits` do not lead from the head down to the base",
        ),
        (
            commit("parents", json!([sha("hidden")])),
            "`commits` do not lead from the head down to the base",
        ),
        (
            json!({ "commits": [change().json()["commits"][0], change().json()["commits"][0]] }),
            &format!("`commits` name {} twice", sha("c1")),
        ),
        (
            json!({ "title": "x".repeat(1001) }),
            "`title` is longer than 1000 characters",
        ),
        (
            json!({ "url": "javascript:alert(1)" }),
            "`url` is not an http or https address",
        ),
        (
            json!({ "author": { "login": "x".repeat(501) } }),
            "`author.login` is longer",
        ),
        (
            commit("message", json!({ "base64": "***" })),
            "`commits[0].message` is not base64",
        ),
        (
            commit("message", json!("x".repeat(1_000_001))),
            "`commits[0].message` is longer",
        ),
        (
            commit("tree", json!("x")),
            "`commits[0].tree` is not a full commit id",
        ),
        (
            commit("author", json!({ "name": "x".repeat(501), "email": "" })),
            "`commits[0].author.name` is longer",
        ),
    ] {
        let reply = ci.try_to_submit(&change().with(over)).await;
        assert_eq!(reply.problem(), (422, "field"), "{says}");
        assert!(
            reply.json["detail"].as_str().unwrap().starts_with(says),
            "{says}: {}",
            reply.json["detail"]
        );
    }
    assert_eq!(t.count("change").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn more_contributors_than_anybody_can_answer_for_are_refused_and_many_are_shown_in_part(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let by = |count: usize| {
        let mut message = "Shorter waiting\n\n".to_owned();
        for n in 1..count {
            message.push_str(&format!("Co-authored-by: N{n} <n{n}@x.example>\n"));
        }
        change().message(&message)
    };
    let reply = ci.try_to_submit(&by(5_001)).await;
    assert_eq!(reply.problem(), (422, "commits"));
    assert_eq!(t.count("change").await, 0);
    ci.submit(&by(4_900)).await;
    let page = ben
        .browser
        .page(&t, &format!("/changes/{}", t.id_of(&change()).await))
        .await;
    assert!(page.contains(" more</li>"), "no more than are read");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_not_utf_8_or_not_allowed_in_a_database_is_taken_all_the_same(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let mut commits = change().json()["commits"].clone();
    commits[0]["message"] = json!({ "base64": "R3L832UK" });
    commits[0]["author"] = json!({ "name": { "base64": "SvxyZ2Vu" }, "email": "j\u{0}@x" });
    ci.submit(&change().with(json!({ "commits": commits, "title": "a\u{0}b\u{202e}c" })))
        .await;
    let message: Vec<u8> = sqlx::query_scalar("select message from commit")
        .fetch_one(&t.owner)
        .await
        .unwrap();
    assert_eq!(message, b"Gr\xfc\xdfe\n");
    let name: String = sqlx::query_scalar("select author_name from commit")
        .fetch_one(&t.owner)
        .await
        .unwrap();
    assert_eq!(name, "J\u{fffd}rgen");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_no_patch_or_no_form_is_told_so(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let not_a_patch = Change {
        patch: b"hello\n".to_vec(),
        ..change()
    };
    let reply = ci.try_to_submit(&not_a_patch).await;
    assert_eq!(reply.problem(), (422, "not-a-patch"));
    assert!(
        reply.json["detail"].as_str().unwrap().contains("line 1"),
        "{}",
        reply.json["detail"]
    );
    let json = || Part::text(change().json().to_string());
    for (form, kind) in [
        (Form::new().part("change", json()), "multipart"),
        (
            Form::new().part("patch", Part::bytes(change().patch)),
            "multipart",
        ),
        (
            Form::new().part("change", json()).part("else", json()),
            "multipart",
        ),
        (
            Form::new().part("change", json()).part("change", json()),
            "multipart",
        ),
        (
            Form::new()
                .part("change", Part::text("["))
                .part("patch", Part::bytes(change().patch)),
            "change",
        ),
        (
            Form::new().part("change", json()).part(
                "patch",
                Part::bytes(b"x".to_vec())
                    .mime_str("application/zstd")
                    .unwrap(),
            ),
            "patch",
        ),
    ] {
        assert_eq!(ci.put(form).await.problem(), (422, kind));
    }
    assert_eq!(t.count("change").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_packed_patch_is_unpacked_no_further_than_is_accepted(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let form = |patch: &[u8]| {
        let packed = zstd::bulk::compress(patch, 3).unwrap();
        let part = Part::bytes(packed).mime_str("application/zstd").unwrap();
        Form::new()
            .part("change", Part::text(change().json().to_string()))
            .part("patch", part)
    };
    assert_eq!(
        ci.put(form(&vec![b'\n'; 100_000_000])).await.problem(),
        (413, "too-large")
    );
    let taken = ci.put(form(&change().patch)).await;
    assert_eq!(taken.status.as_u16(), 201);
    assert_eq!(
        ci.submit(&change()).await.json["digest"],
        taken.json["digest"],
        "packed or not, it is one patch"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_patch_over_the_limit_and_a_fifth_large_one_are_refused(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let too_large = Change {
        patch: vec![b'+'; domain::patch::MAX_BYTES + 1],
        ..change()
    };
    assert_eq!(
        ci.try_to_submit(&too_large).await.problem(),
        (413, "too-large")
    );
    let large = Change {
        patch: big_patch(1_500_000),
        ..change()
    };
    let packed = || {
        let part = Part::bytes(zstd::bulk::compress(&large.patch, 3).unwrap());
        let json = Part::text(large.json().to_string());
        Form::new()
            .part("change", json)
            .part("patch", part.mime_str("application/zstd").unwrap())
    };
    let places = t
        .server
        .intake
        .large
        .clone()
        .acquire_many_owned(4)
        .await
        .unwrap();
    let reply = ci.try_to_submit(&large).await;
    assert_eq!(reply.problem(), (503, "busy"));
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(
        ci.put(packed()).await.problem(),
        (503, "busy"),
        "packed or not"
    );
    let long = change().message(&"x".repeat(1_000_000));
    assert_eq!(
        ci.try_to_submit(&long).await.problem(),
        (503, "busy"),
        "whichever part it is"
    );
    ci.submit(&change().key("small")).await;
    drop(places);
    ci.submit(&large).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn many_small_submissions_hold_no_more_together_than_there_is_room_for(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let small = || t.server.intake.small.clone();
    let room = small().available_permits();
    let half = Change {
        patch: big_patch(500_000),
        ..change()
    };
    let others = u32::try_from(room - 20).unwrap();
    let others = small().acquire_many_owned(others).await.unwrap();
    let reply = ci.try_to_submit(&half).await;
    assert_eq!(reply.problem(), (503, "busy"));
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(
        small().available_permits(),
        20,
        "who is refused gives back what they had"
    );
    ci.submit(&change().key("small")).await;
    drop(others);
    ci.submit(&half).await;
    assert_eq!(
        small().available_permits(),
        room,
        "and so does who was taken in"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn as_many_bytes_and_files_as_are_accepted_pass_and_one_more_does_not(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let (bytes, files) = (domain::patch::MAX_BYTES, domain::patch::MAX_FILES);
    let of = |key: &str, patch: Vec<u8>| Change {
        patch,
        ..change().key(key).pushed(key)
    };
    let most = of("bytes", exactly(bytes));
    assert_eq!(most.patch.len(), bytes);
    ci.submit(&most).await;
    ci.submit(&of("files", many_files(files))).await;
    for (one_more, kind) in [
        (exactly(bytes + 1), "too-large"),
        (many_files(files + 1), "too-many-files"),
    ] {
        let reply = ci.try_to_submit(&of("more", one_more)).await;
        assert_eq!(reply.problem(), (413, kind));
    }
    assert_eq!(t.count("change").await, 2);
    assert_eq!(
        t.count("patch_file").await,
        1 + i64::try_from(files).unwrap()
    );
}

/// One file, its last line as long as it takes to have that many bytes.
fn exactly(bytes: usize) -> Vec<u8> {
    let mut patch = big_patch(bytes - 1_000);
    let missing = bytes - patch.len();
    let end = patch.pop();
    patch.resize(patch.len() + missing, b'x');
    patch.extend(end);
    patch
}

/// So many new files of one line.
fn many_files(n: usize) -> Vec<u8> {
    let one = String::from_utf8(patch("one")).unwrap();
    (0..n)
        .flat_map(|n| one.replace("notes", &format!("notes{n}")).into_bytes())
        .collect()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_stored_is_what_was_sent(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let sent = Change {
        patch: big_patch(300_000),
        ..change()
    };
    ci.submit(&sent).await;
    let (repository, revision) = sqlx::query_as("select repository_id, id from revision")
        .fetch_one(&t.owner)
        .await
        .unwrap();
    let mut conn = t.db.pool().acquire().await.unwrap();
    let bodies = store::patches::bodies(
        &mut conn,
        domain::ids::RepositoryId(repository),
        domain::ids::RevisionId(revision),
    )
    .await
    .unwrap();
    assert!(bodies.concat() == sent.patch);
}

/// One file of that many bytes, in lines of ten.
fn big_patch(bytes: usize) -> Vec<u8> {
    let lines = bytes / 10;
    let (zero, blob) = ("0".repeat(40), sha("big"));
    let mut patch = format!("diff --git a/big.txt b/big.txt\nnew file mode 100644\nindex {zero}..{blob}\n--- /dev/null\n+++ b/big.txt\n@@ -0,0 +1,{lines} @@\n").into_bytes();
    for i in 0..lines {
        patch.extend_from_slice(format!("+{i:08}\n").as_bytes());
    }
    patch
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn many_submissions_at_once_of_one_revision_make_one(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let all = futures::future::join_all((0..20).map(|_| {
        let ci = ci.clone();
        async move { ci.submit(&change()).await.json }
    }))
    .await;
    assert_eq!(all.iter().filter(|json| json["new"] == true).count(), 1);
    assert!(
        all.windows(2)
            .all(|pair| pair[0]["digest"] == pair[1]["digest"])
    );
    assert_eq!(
        (
            t.count("repository").await,
            t.count("change").await,
            t.count("revision").await
        ),
        (1, 1, 1)
    );
}

/// An answer about a commit speaks for all revisions with this head.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn one_commit_is_the_head_of_a_hundred_revisions_and_of_no_more(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    for key in 1..=100 {
        ci.submit(&change().key(&key.to_string())).await;
    }
    let refused = ci.try_to_submit(&change().key("101")).await;
    assert_eq!(refused.problem(), (409, "crowded-head"));
    assert_eq!(t.count("change").await, 100, "nothing is half stored");
    ci.submit(&change().key("100")).await;
    ci.submit(&change().key("101").pushed("a head of its own"))
        .await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_token_reads_the_repositories_below_its_owner_and_no_others(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let submitter = t.machine(&[Scope::Submit], "acme/*").await;
    for repository in ["acme/payments", "acme/team/ledger", "acme/teams"] {
        submitter
            .submit(&change().with(json!({ "repository": repository })))
            .await;
    }
    for (pattern, sees) in [
        ("acme/*", 3),
        ("acme/team/*", 1),
        ("Acme/Teams", 1),
        ("acm/*", 0),
    ] {
        let reader = t.machine(&[Scope::Read], pattern).await;
        let listed = reader.get("/api/v1/changes").await.json;
        assert_eq!(
            listed["changes"].as_array().map(Vec::len),
            Some(sees),
            "{pattern}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn pipelines_that_finish_in_another_order_leave_the_newest_head_current(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let (c1, c2) = (change(), change().pushed("c2"));
    let mut commits = c1.json()["commits"].as_array().unwrap().clone();
    commits.extend(c2.json()["commits"].as_array().unwrap().clone());
    ci.submit(&c2.clone().with(json!({ "commits": commits })))
        .await;
    let late = ci.submit(&c1).await.json;
    assert_eq!(
        (&late["new"], &late["current"]),
        (&json!(true), &json!(false))
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_name_as_long_as_a_book_is_taken_and_cut(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let long: String = (0..6_000u32)
        .map(|i| char::from_u32(0x4e00 + i * 7 % 20_000).unwrap())
        .collect();
    let message = format!("Retry\n\nCo-authored-by: {long} <{long}@x>\n");
    ci.submit(&change().message(&message)).await;
    let author = json!({ "name": long.chars().take(500).collect::<String>(), "email": long.chars().take(500).collect::<String>() });
    ci.submit(&change().pushed("c2").with(json!({ "author": author })))
        .await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn whoever_opened_a_change_and_is_known_by_name_only_is_nobody(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    t.senior("ben").await.linked("ben").await;
    ci.submit(&change().by("ben")).await;
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "not_required");
    ci.submit(
        &change()
            .key("2")
            .by("ben")
            .pushed("c2")
            .with(json!({ "author": { "name": "Jo" } })),
    )
    .await;
    assert_eq!(ci.gate(&sha("c2")).await.answer().1, "waiting");
}
