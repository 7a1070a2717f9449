//! The commit that ships, by the word of the host: it is what was signed off, or it is nobody's.

use super::{NAME, World, merging::squashed, submitting::told};
use crate::{policies::asking, support::changes::Change};
use domain::{host::Host, token::Scope};
use fake_host::{Pull, Repository};
use serde_json::{Value, json};

pub type Way = fn(&Repository, &Pull);

fn merge(git: &Repository, pull: &Pull) {
    git.merge(&pull.target, &pull.head);
}

/// One commit with whatever is merged, and another message.
pub fn squash(git: &Repository, pull: &Pull) {
    let tree = git.git(&["merge-tree", "--write-tree", &pull.target, &pull.head]);
    becomes(git, pull, &tree, &[]);
}

fn rebase(git: &Repository, pull: &Pull) {
    let mut onto = git.tip(&pull.target).unwrap();
    let range = format!("{}..{}", pull.target, pull.head);
    for commit in git.git(&["rev-list", "--reverse", &range]).lines() {
        let base = format!("--merge-base={commit}^");
        let tree = git.git(&["merge-tree", "--write-tree", &base, &onto, commit]);
        onto = git.git(&["commit-tree", &tree, "-p", &onto, "-m", "Again"]);
    }
    git.force(&pull.target, &onto);
}

/// The same, but that one file has more to it.
pub fn more(git: &Repository, pull: &Pull, parents: &[&str]) {
    let merged = git.git(&["merge-tree", "--write-tree", &pull.target, &pull.head]);
    let parent = git.git(&["commit-tree", &merged, "-m", "Merged"]);
    let evil = git.commit_over(Some(&parent), &[("one.txt", Some(b"one\nand more\n"))], "x");
    let tree = git.git(&["rev-parse", &format!("{evil}^{{tree}}")]);
    becomes(git, pull, &tree, parents);
}

fn becomes(git: &Repository, pull: &Pull, tree: &str, others: &[&str]) {
    let target = git.tip(&pull.target).unwrap();
    let mut asked = vec!["commit-tree", tree, "-p", &target, "-m", "Of another name"];
    for other in others {
        asked.extend(["-p", other]);
    }
    let commit = git.git(&asked);
    git.force(&pull.target, &commit);
}

impl World {
    /// A pull request of three commits, after which its target moves on elsewhere.
    pub async fn opens_three(&self, number: u64) -> Change {
        let branch = format!("topic-{number}");
        let file = format!("{number}.txt");
        let mut head = String::new();
        for (file, text) in [
            ("one.txt", "one\n"),
            (file.as_str(), "two\n"),
            ("three.txt", "three\n"),
        ] {
            let text = format!("{text}{number}\n");
            head = self
                .repository
                .commit(&branch, &[(file, Some(text.as_bytes()))], "Part");
        }
        let change = told(self, &number.to_string(), &head);
        self.host.pull(NAME, number, |pull| pull.head = branch);
        self.hears_of(&format!("opened-{number}"), number).await;
        let elsewhere = format!("elsewhere-{number}.txt");
        self.repository
            .commit("main", &[(&elsewhere, Some(b"else\n"))], "Elsewhere");
        change
    }

    /// Has it merged so, and asks about the commit that is deployed then.
    async fn ships(&self, number: u64, way: Way) -> Value {
        self.host.merge(NAME, number, way);
        self.hears_of(&format!("merged-{number}"), number).await;
        self.answered().await
    }

    /// What a gate answers about the commit that is deployed now.
    async fn answered(&self) -> Value {
        let tip = self.repository.tip("main").unwrap();
        let asked = format!("/api/v1/gate?repository={NAME}&commit={tip}");
        self.ci.get(&asked).await.json
    }
}

pub const WAYS: [(&str, Way); 3] = [("merge", merge), ("squash", squash), ("rebase", rebase)];

/// Those that are known where this host merged: GitLab rebases what is not merged yet, and of Gitea's rebases of several commits nothing
/// is known.
fn ways(w: &World) -> &'static [(&'static str, Way)] {
    match w.kind {
        Host::GitLab | Host::Gitea => &WAYS[..2],
        Host::GitHub => &WAYS,
    }
}

pub async fn what_was_signed_off_ships_whichever_way_it_was_merged(w: World) {
    let ben = w.t.senior("ben").await;
    let start = w.repository.tip("main").unwrap();
    for (number, (kind, way)) in (1..).zip(ways(&w).iter().copied()) {
        w.repository.force("main", &start);
        let change = w.opens_three(number).await;
        ben.approve(&change).await;
        let answer = w.ships(number, way).await;
        assert_eq!(
            (
                &answer["allow"],
                &answer["verdict"],
                &answer["via"]["kind"],
                &answer["via"]["evidence"]
            ),
            (
                &json!(true),
                &json!("approved"),
                &json!(kind),
                &json!("host")
            ),
            "{answer}"
        );
        assert_eq!(answer["changes"][0]["key"], number.to_string());
        let digest = &answer["changes"][0]["digest"];
        assert_eq!(answer["via"]["digests"], json!([digest]));
        // Told of once more it is no other.
        let landings = w.t.count("landing").await;
        w.host
            .pull(NAME, number, |pull| pull.title = "Edited".to_owned());
        w.hears_of(&format!("edited-{number}"), number).await;
        assert_eq!(w.t.count("landing").await, landings);
    }
    let commits: Vec<(String, i64)> =
        sqlx::query_as("select kind, count(*) from landing group by kind order by kind")
            .fetch_all(&w.t.owner)
            .await
            .unwrap();
    let expected = ways(&w).iter().map(|(kind, _)| (*kind).to_owned());
    let mut expected: Vec<_> = expected
        .map(|kind| {
            if kind == "rebase" {
                (kind, 3)
            } else {
                (kind, 1)
            }
        })
        .collect();
    expected.sort();
    assert_eq!(commits, expected);
}

pub async fn what_nobody_signed_off_does_not_ship_because_the_host_merged_it(w: World) {
    let ben = w.t.senior("ben").await;
    let start = w.repository.tip("main").unwrap();
    for (number, (kind, way)) in (1..).zip(ways(&w).iter().copied()) {
        w.repository.force("main", &start);
        w.opens_three(number).await;
        let answer = w.ships(number, way).await;
        assert_eq!(
            (&answer["allow"], &answer["verdict"], &answer["via"]["kind"]),
            (&json!(false), &json!("waiting"), &json!(kind))
        );
    }
    // What was signed off, and something more: by a squash, by a merge that somebody made by hand, and pushed beside it.
    let with_more: [(&str, Way); 4] = [
        ("squash", |git, pull| more(git, pull, &[])),
        ("merge", |git, pull| {
            more(git, pull, &[&git.tip(&pull.head).unwrap()]);
        }),
        ("after", |git, pull| {
            squash(git, pull);
            git.commit("main", &[("evil.txt", Some(b"evil\n"))], "Push");
        }),
        ("rebase", |git, pull| {
            git.commit("main", &[("evil.txt", Some(b"evil\n"))], "Push");
            rebase(git, pull);
            git.commit("main", &[("one.txt", Some(b"evil\n"))], "Push");
        }),
    ];
    for (number, (name, way)) in (11..).zip(with_more) {
        w.repository.force("main", &start);
        let change = w.opens_three(number).await;
        ben.approve(&change).await;
        let answer = w.ships(number, way).await;
        assert_eq!(
            (&answer["allow"], &answer["verdict"], &answer["via"]),
            (&json!(false), &json!("unheard"), &Value::Null),
            "{name}"
        );
        let (change, key) = (w.changes().await, number.to_string());
        let state = change.iter().find(|one| one["key"].as_str() == Some(&key));
        assert_eq!(state.unwrap()["state"], "merged", "{name}");
    }
}

/// Whether it is allowed, the verdict, the code of the first reason, and on what evidence.
fn said(answer: &Value) -> Value {
    let code = &answer["reasons"][0]["code"];
    let evidence = &answer["via"]["evidence"];
    json!([answer["allow"], answer["verdict"], code, evidence])
}

impl World {
    async fn asks_for_proof(&self) {
        let text = format!("{}[landing]\nevidence = \"tree\"\n", asking(1, "senior"));
        self.demands(text).await;
    }

    /// What is said of the last commit of the target where it is deployed now.
    async fn deploys(&self, key: &str) -> Value {
        let deployer = self.t.machine(&[Scope::Incidents], "hosted/*").await;
        let commits = [self.repository.tip("main").unwrap()];
        let report = json!({ "repository": NAME, "environment": "production", "commits": commits, "key": key });
        let reply = deployer.post("/api/v1/deployments", report).await;
        reply.json["commits"][0]["sanction"].clone()
    }
}

pub async fn where_the_policy_asks_for_proof_the_word_of_the_host_lets_nothing_pass(w: World) {
    w.asks_for_proof().await;
    let change = w.opens_three(1).await;
    w.t.senior("ben").await.approve(&change).await;
    let onto = w.repository.tip("main").unwrap();
    let answer = w.ships(1, squash).await;
    let unproved = json!([false, "unheard", "landing_unproved", "host"]);
    assert_eq!(said(&answer), unproved, "{answer}");
    assert_eq!(w.deploys("before").await, "unsanctioned");
    let tip = w.repository.tip("main").unwrap();
    let proof = squashed(&w, &change, &tip, &onto);
    let proved = w.ci.try_to_submit(&proof).await;
    assert_eq!(proved.status, 200, "{proved:?}");
    let answer = w.answered().await;
    let passes = json!([true, "approved", "approved", "tree"]);
    assert_eq!(said(&answer), passes, "{answer}");
    assert_eq!(answer["via"]["digests"].as_array().unwrap().len(), 1);
    assert_eq!(w.deploys("after").await, "allowed");
}
