//! What is merged at the host is the change that was signed off, however it became part of its target.

use super::{NAME, World, submitting::told};
use crate::support::changes::Change;
use fake_host::{Pull, Repository};
use serde_json::{Value, json};

type Way = fn(&Repository, &Pull);

const WAYS: [(&str, Way); 3] = [
    ("merge", |git, pull| {
        drop(git.merge(&pull.target, &pull.head))
    }),
    ("fast-forward", |git, pull| {
        git.force(&pull.target, &git.tip(&pull.head).unwrap());
    }),
    ("squash", |git, pull| {
        let tree = git.git(&["merge-tree", "--write-tree", &pull.target, &pull.head]);
        let parent = git.tip(&pull.target).unwrap();
        let squash = git.git(&["commit-tree", &tree, "-p", &parent, "-m", "One"]);
        git.force(&pull.target, &squash);
    }),
];

/// Opens a pull request with one commit, and says what it is as a pipeline would.
pub fn opens(w: &World, number: u64) -> Change {
    let (key, branch) = (number.to_string(), format!("topic-{number}"));
    let file = format!("{number}.txt");
    let head = w
        .repository
        .commit(&branch, &[(&file, Some(b"one\n"))], "One");
    w.host.pull(NAME, number, |pull| pull.head = branch);
    told(w, &key, &head)
}

/// The same, with the word of a pipeline that it became this commit.
pub fn squashed(w: &World, change: &Change, commit: &str, onto: &str) -> Change {
    let tree = format!("{commit}^{{tree}}");
    let tree = w.repository.git(&["rev-parse", &tree]);
    let landed = json!({ "sha": commit, "tree": tree, "parents": [onto] });
    let mut change = change.clone();
    change.over["merged_as"] =
        json!({ "kind": "squash", "commits": [landed], "onto": onto, "tree": tree });
    change
}

/// Has it merged, and told of.
async fn merges(w: &World, number: u64, merge: Way) {
    w.host.merge(NAME, number, merge);
    w.hears_of(&format!("merged-{number}"), number).await;
}

impl World {
    /// What the only change is.
    async fn shown(&self) -> Value {
        let [change] = &self.changes().await[..] else {
            panic!("there are several");
        };
        let revision = &change["revision"];
        json!([
            revision["number"],
            revision["head"],
            revision["base"],
            revision["files"],
            change["state"],
        ])
    }
}

pub async fn what_was_signed_off_stays_so_however_it_is_merged(w: World) {
    let ben = w.t.senior("ben").await;
    for (number, (way, merge)) in (1..).zip(WAYS) {
        let change = opens(&w, number);
        w.hears_of(way, number).await;
        assert_eq!(w.gate(&change.head).await.1, "waiting", "{way}");
        ben.approve(&change).await;
        merges(&w, number, merge).await;
        assert_eq!(w.gate(&change.head).await.1, "approved", "{way}");
        let revisions = w.t.count("revision").await;
        assert_eq!(revisions, i64::try_from(number).unwrap(), "{way}");
    }
}

pub async fn pushing_a_change_to_its_target_makes_nothing_of_it_less_than_it_was(w: World) {
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    let before = w.shown().await;
    // First the branch is where it was pushed to, and only then GitHub calls it merged.
    w.repository.force("main", &change.head);
    w.host
        .pull(NAME, 7, |pull| pull.title = "Another".to_owned());
    w.hears_of("pushed", 7).await;
    assert_eq!(w.shown().await, before);
    merges(&w, 7, |_, _| {}).await;
    let mut merged = before;
    merged[4] = json!("merged");
    assert_eq!(w.shown().await, merged);
    assert_eq!(w.gate(&change.head).await.1, "waiting");
}

pub async fn what_is_heard_of_after_it_was_merged_is_what_it_added(w: World) {
    for (number, (way, merge)) in (1..).zip(WAYS) {
        let change = opens(&w, number);
        merges(&w, number, merge).await;
        assert_eq!(w.gate(&change.head).await.1, "waiting", "{way}");
        let base = sqlx::query_scalar("select merge_base from revision where head = $1");
        let base: String = base.bind(&change.head).fetch_one(&w.t.owner).await.unwrap();
        assert_eq!(base, change.base, "{way}");
    }
    // Nobody says any more what was before it.
    let change = opens(&w, 7);
    w.repository.force("main", &change.head);
    merges(&w, 7, |_, _| {}).await;
    assert_eq!(w.gate(&change.head).await.1, "undecidable");
}

pub async fn a_change_became_what_the_host_says_and_nothing_that_a_pipeline_claims(w: World) {
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    let onto = w.repository.tip("main").unwrap();
    let evil = w
        .repository
        .commit("elsewhere", &[("7.txt", Some(b"evil\n"))], "Evil");
    let claims = |commit: &str| squashed(&w, &change, commit, &onto);
    let unconfirmed = (409, "unconfirmed");
    let refused = w.ci.try_to_submit(&claims(&evil)).await;
    assert_eq!(refused.problem(), unconfirmed, "before it is merged");
    merges(&w, 7, WAYS[2].1).await;
    let refused = w.ci.try_to_submit(&claims(&evil)).await;
    assert_eq!(refused.problem(), unconfirmed, "and after");
    assert_eq!(w.gate(&evil).await.1, "unheard");
    let squash = w.repository.tip("main").unwrap();
    assert_eq!(w.ci.try_to_submit(&claims(&squash)).await.status, 200);
    assert_eq!(w.gate(&squash).await.1, "waiting", "as the change is");
}
