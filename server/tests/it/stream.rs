//! Reading on: the stream of decisions, which loses nothing, the list of changes, and what is not for a token to see.

use crate::support::{
    TestServer,
    changes::{Change, change},
    machines::{Machine, Reply},
};
use domain::{decision::Kind, token::Scope};
use serde_json::json;
use sqlx::PgPool;
use std::collections::HashSet;

/// Somebody who reads the stream from its beginning, a page at a time.
struct Reader {
    ci: Machine,
    limit: usize,
    cursor: Option<String>,
}

impl Reader {
    fn new(ci: &Machine, limit: usize) -> Self {
        Self {
            ci: ci.clone(),
            limit,
            cursor: None,
        }
    }

    /// The changes and numbers of the decisions of the next page.
    async fn page(&mut self) -> Vec<(String, i64)> {
        let after = self.cursor.iter().map(|cursor| format!("&after={cursor}"));
        let path = format!("/api/v1/decisions?limit={}", self.limit);
        let reply = self.ci.get(&(path + &after.collect::<String>())).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let place = |one: &serde_json::Value| {
            let change = one["change"].as_str().unwrap().to_owned();
            (change, one["seq"].as_i64().unwrap())
        };
        let page: Vec<_> = list(&reply, "decisions").iter().map(place).collect();
        assert_eq!(next(&reply).is_some(), page.len() == self.limit);
        if let Some(cursor) = reply.json["cursor"].as_str() {
            assert!(!page.is_empty() || self.cursor.as_deref() == Some(cursor));
            self.cursor = Some(cursor.to_owned());
        }
        page
    }

    /// The next so many, as soon as they may be read: that waits also for what is open in other databases of the cluster.
    async fn next(&mut self, count: usize) -> Vec<(String, i64)> {
        let read = async {
            let mut all = vec![];
            while all.len() < count {
                all.extend(self.page().await);
            }
            all
        };
        let patience = std::time::Duration::from_secs(20);
        tokio::time::timeout(patience, read).await.unwrap()
    }
}

fn list<'a>(reply: &'a Reply, part: &str) -> &'a Vec<serde_json::Value> {
    reply.json[part]
        .as_array()
        .unwrap_or_else(|| panic!("no {part} in {reply:?}"))
}

/// The address of the next page, if there is one.
fn next(reply: &Reply) -> Option<&str> {
    let link = reply.headers.get("link")?.to_str().unwrap();
    Some(
        link.strip_prefix('<')
            .unwrap()
            .strip_suffix(">; rel=\"next\"")
            .unwrap(),
    )
}

/// A number of changes, each submitted, with its id.
async fn submitted(ci: &Machine, keys: std::ops::Range<usize>) -> Vec<(Change, String)> {
    let mut all = vec![];
    for key in keys {
        let change = change().key(&key.to_string()).pushed(&format!("c{key}"));
        let reply = ci.submit(&change).await;
        all.push((change, reply.json["change"].as_str().unwrap().to_owned()));
    }
    all
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_reader_loses_nothing_while_a_decision_is_held_open_across_several_polls(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    let changes = submitted(&ci, 0..3).await;
    let place = |n: usize, seq: i64| (changes[n].1.clone(), seq);
    let mut reader = Reader::new(&ci, 100);
    assert_eq!(reader.page().await, []);
    assert_eq!(reader.cursor, None, "there is no place to read on from yet");
    ben.approve(&changes[0].0).await;
    assert_eq!(reader.page().await, [place(0, 1)]);

    let held = ben.deciding(&changes[1].0, Kind::Approve).await.unwrap();
    for change in [&changes[0].0, &changes[2].0] {
        li.reject(change, "no test").await;
        assert_eq!(
            reader.page().await,
            [],
            "the one held open comes before these"
        );
    }
    let gate = ci.gate(&changes[2].0.head).await;
    assert_eq!(
        gate.answer().1,
        "rejected",
        "only the stream waits, and no gate"
    );
    held.commit().await.unwrap();
    assert_eq!(
        reader.next(3).await,
        [place(1, 1), place(0, 2), place(2, 1)]
    );
    assert_eq!(reader.page().await, []);
    let mut again = Reader::new(&ci, 1);
    let all = [place(0, 1), place(1, 1), place(0, 2), place(2, 1)];
    assert_eq!(again.next(4).await, all, "and so it stays");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_decision_that_is_taken_back_before_it_was_one_is_never_read(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    let changes = submitted(&ci, 0..2).await;
    let held = ben.deciding(&changes[0].0, Kind::Approve).await.unwrap();
    li.approve(&changes[1].0).await;
    let mut reader = Reader::new(&ci, 100);
    assert_eq!(reader.page().await, []);
    drop(held);
    assert_eq!(reader.next(1).await, [(changes[1].1.clone(), 1)]);
    assert_eq!(reader.page().await, []);
}

/// Six seniors at once, whose transactions begin, write and end in every order there is; a reader that never stops.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_reader_of_a_busy_stream_gets_every_decision_once(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let changes = submitted(&ci, 0..4).await;
    let mut deciders = tokio::task::JoinSet::new();
    for name in 0..6 {
        let human = t.senior(&format!("senior{name}")).await;
        let changes = changes.clone();
        deciders.spawn(async move {
            for (round, (change, _)) in changes.iter().cycle().skip(name).take(8).enumerate() {
                let held = human.deciding(change, Kind::Approve).await.unwrap();
                for _ in 0..(name * 37 + round * 101) % 200 {
                    tokio::task::yield_now().await;
                }
                held.commit().await.unwrap();
            }
        });
    }
    let (mut reader, mut read) = (Reader::new(&ci, 3), vec![]);
    while !deciders.is_empty() {
        read.extend(reader.page().await);
        while let Some(done) = deciders.try_join_next() {
            done.unwrap();
        }
    }
    read.extend(reader.next(48 - read.len()).await);
    let once: HashSet<_> = read.iter().collect();
    assert_eq!((read.len(), once.len()), (48, 48), "none twice");
    for (_, change) in &changes {
        // Of two at one moment either may come first: their numbers are their order.
        let mut numbers: Vec<i64> = read
            .iter()
            .filter(|(of, _)| of == change)
            .map(|(_, seq)| *seq)
            .collect();
        numbers.sort_unstable();
        let count = i64::try_from(numbers.len()).unwrap();
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn links_lead_through_all_pages_of_decisions_and_of_changes(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let changes = submitted(&ci, 0..5).await;
    for (change, _) in &changes {
        ben.decides(change, Kind::Approve).await.unwrap();
    }
    Reader::new(&ci, 10).next(changes.len()).await;
    for (part, id) in [("decisions", "change"), ("changes", "id")] {
        let (mut address, mut read, mut sizes) =
            (format!("/api/v1/{part}?limit=2"), vec![], vec![]);
        loop {
            let reply = ci.get(&address).await;
            let page = list(&reply, part);
            sizes.push(page.len());
            read.extend(page.iter().map(|one| one[id].as_str().unwrap().to_owned()));
            match next(&reply) {
                Some(following) => address = following.to_owned(),
                None => break,
            }
        }
        let all: Vec<String> = changes.iter().map(|(_, id)| id.clone()).collect();
        assert_eq!((read, sizes), (all, vec![2, 2, 1]), "{part}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_of_another_repository_is_not_there(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let ours = ci.submit(&change()).await.json["change"]
        .as_str()
        .unwrap()
        .to_owned();
    ben.approve(&change()).await;
    let theirs = change().with(json!({ "repository": "acme/secret" }));
    let theirs = ci.submit(&theirs).await.json["change"]
        .as_str()
        .unwrap()
        .to_owned();

    Reader::new(&ci, 10).next(1).await;
    let read = &[Scope::Read][..];
    let narrow = t.machine(read, "acme/payments").await;
    let elsewhere = t.machine(read, "globex/*").await;
    let sibling = t.machine(read, "acme/pay").await;
    for (who, changes, decisions) in [
        (&ci, vec![&ours, &theirs], 1),
        (&narrow, vec![&ours], 1),
        (&elsewhere, vec![], 0),
        (&sibling, vec![], 0),
    ] {
        let reply = who.get("/api/v1/changes").await;
        let seen: Vec<_> = list(&reply, "changes")
            .iter()
            .map(|one| one["id"].as_str().unwrap())
            .collect();
        assert_eq!(seen, changes);
        let reply = who.get("/api/v1/decisions").await;
        assert_eq!(list(&reply, "decisions").len(), decisions);
    }
    let nobodys = store::ids::new().to_string();
    for part in ["", "/revisions", "/decisions", "/marks"] {
        let path = |id: &str| format!("/api/v1/changes/{id}{part}");
        assert_eq!(narrow.get(&path(&ours)).await.status, 200);
        let hidden = narrow.get(&path(&theirs)).await;
        assert_eq!(hidden.problem(), (404, "not-found"), "{part}");
        let missing = narrow.get(&path(&nobodys)).await;
        assert_eq!(missing.problem(), (404, "not-found"), "{part}");
        assert_eq!(
            hidden.json["detail"], missing.json["detail"],
            "nobody can tell the two apart"
        );
        assert_eq!(
            narrow.get(&path("142")).await.problem(),
            (404, "not-found"),
            "{part}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn reading_takes_a_token_that_may_read(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let reader = t.machine(&[Scope::Read], "acme/*").await;
    let gate = t.machine(&[Scope::Gate, Scope::Submit], "acme/*").await;
    let stranger = Machine {
        secret: "cs_nonsense".to_owned(),
        ..reader.clone()
    };
    let nobodys = store::ids::new();
    for path in [
        "/api/v1/decisions".to_owned(),
        "/api/v1/changes".to_owned(),
        format!("/api/v1/changes/{nobodys}"),
        format!("/api/v1/changes/{nobodys}/marks"),
    ] {
        assert_eq!(gate.get(&path).await.problem(), (403, "scope"), "{path}");
        assert_eq!(
            stranger.get(&path).await.problem(),
            (401, "token"),
            "{path}"
        );
        assert!(matches!(reader.get(&path).await.status.as_u16(), 200 | 404));
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_no_place_in_the_stream_is_told_so(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let id = store::ids::new();
    for (query, kind) in [
        ("after=1", "after"),
        ("after=.", "after"),
        (&format!("after={id}"), "after"),
        (&format!("after=x.{id}"), "after"),
        (&format!("after=-1.{id}"), "after"),
        (&format!("after=18446744073709551616.{id}"), "after"),
        ("after=1.142", "after"),
        (&format!("after=1.{id}.1"), "after"),
        (&format!("after=1.{id}%20or%201=1"), "after"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "query"),
        ("before=1", "query"),
    ] {
        let reply = ci.get(&format!("/api/v1/decisions?{query}")).await;
        assert_eq!(reply.problem(), (422, kind), "{query}");
    }
    for list in ["decisions", "changes"] {
        let empty = ci.get(&format!("/api/v1/{list}?after=&limit=5")).await;
        assert_eq!(empty.status, 200, "{list}: as if it were not there");
    }
    let far = format!("{}.{id}", u64::MAX);
    let reply = ci
        .get(&format!("/api/v1/decisions?after={far}&limit=500"))
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.json["cursor"].as_str()),
        (200, Some(far.as_str()))
    );
    for (query, kind) in [
        ("after=142", "query"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("page=2", "query"),
    ] {
        let reply = ci.get(&format!("/api/v1/changes?{query}")).await;
        assert_eq!(reply.problem(), (422, kind), "{query}");
    }
}
