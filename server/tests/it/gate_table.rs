//! What a gate may rely on, line by line: how the world came to be, what is asked, what is answered over REST, and with which
//! code `countersign gate` ends when it asks the same.

use crate::{
    cli::{countersign, outcome},
    support::{
        TestServer,
        changes::{Change, change, patch, sha},
        machines::{Machine, Reply},
        people::Human,
    },
};
use domain::decision::Kind;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{path::Path, time::Duration};

/// One line. An answer reads `status yes|no enforced verdict: reasons; needs who; changes`, of a release without the changes.
struct Row {
    line: &'static str,
    story: Vec<Act>,
    asks: Asks,
    /// What happens while the question waits.
    meanwhile: Vec<Act>,
    answer: &'static str,
    /// None where the command cannot ask this.
    exit: Option<i32>,
}

/// What happens before a question, in whichever row: `own` makes its changes and commits those of one row.
#[derive(Clone)]
enum Act {
    Submit(Change),
    /// The same revision with another patch.
    Bend(Change),
    /// Ben or Li decides about what is current.
    Decide(&'static str, Kind, Change),
    Pass(time::Duration),
}

#[derive(Clone)]
enum Asks {
    About(&'static str),
    GoingTo(&'static str, &'static str),
    Waiting(&'static str, u8),
    InRepository(&'static str),
    /// Something that is no commit id.
    Literally(&'static str),
    Release(Vec<&'static str>),
    /// As many commits that nobody told of.
    ReleaseOf(usize),
}

fn line(
    line: &'static str,
    story: Vec<Act>,
    asks: Asks,
    answer: &'static str,
    exit: impl Into<Option<i32>>,
) -> Row {
    Row {
        line,
        story,
        asks,
        meanwhile: vec![],
        answer,
        exit: exit.into(),
    }
}

fn rows() -> Vec<Row> {
    use Act::{Bend, Decide, Pass, Submit};
    use Asks::{About, GoingTo, InRepository, Literally, Release, ReleaseOf, Waiting};
    use Kind::{Approve, Override, Reject, Withdraw};

    let one = change;
    let pushed = || one().pushed("c2");
    let release = || one().key("143").to("release");
    let other = || one().key("143").pushed("c2");
    let is = |state: &str| Submit(one().with(json!({ "state": state })));
    let approved = || vec![Submit(one()), Decide("ben", Approve, one())];
    let superseded = || [approved(), vec![Submit(pushed())]].concat();
    let vetoed = || [superseded(), vec![Decide("li", Reject, one())]].concat();
    let then = |before: Vec<Act>, after: Vec<Act>| [before, after].concat();
    let both = || vec![Submit(one()), Submit(release())];
    let one_of_two = || then(both(), vec![Decide("ben", Approve, one())]);
    let half = || then(approved(), vec![Submit(other())]);

    vec![
        line(
            "an unheard commit is answered 200, no",
            vec![],
            About("c1"),
            "200 no enforced unheard: unheard; needs nobody; none",
            2,
        ),
        line(
            "404 is never an answer: a repository that nobody told of",
            vec![],
            InRepository("acme/nothing"),
            "200 no enforced unheard: unheard; needs nobody; none",
            2,
        ),
        line(
            "with wait an unheard commit is waited for, in vain",
            vec![],
            Waiting("c1", 1),
            "200 no enforced unheard: unheard; needs nobody; none",
            2,
        ),
        Row {
            meanwhile: approved(),
            ..line(
                "with wait it is heard of, and of its approval",
                vec![],
                Waiting("c1", 30),
                "200 yes enforced approved: approved; needs nobody; 142 main open 1 current approved",
                0,
            )
        },
        Row {
            meanwhile: vec![Decide("li", Reject, one())],
            ..line(
                "with wait a rejection ends the wait",
                vec![Submit(one())],
                Waiting("c1", 30),
                "200 no enforced rejected: rejected; needs nobody; 142 main open 1 current rejected",
                1,
            )
        },
        line(
            "a new change waits, and the answer names who could clear it: nobody inactive, no contributor",
            vec![Submit(one())],
            About("c1"),
            "200 no enforced waiting: approval_needed; needs ben, li; 142 main open 1 current waiting",
            2,
        ),
        line(
            "a contributor is no one who could clear it",
            vec![Submit(one()), Submit(one().by("ben").pushed("c2"))],
            About("c2"),
            "200 no enforced waiting: approval_needed; needs li; 142 main open 2 current waiting",
            2,
        ),
        line(
            "a senior's own change needs nobody",
            vec![Submit(one().by("ben"))],
            About("c1"),
            "200 yes enforced not_required: not_required; needs nobody; 142 main open 1 current not_required",
            0,
        ),
        line(
            "a senior whose claims are too old is no senior",
            vec![Pass(time::Duration::hours(13)), Submit(one().by("ben"))],
            About("c1"),
            "200 no enforced waiting: approval_needed; needs li; 142 main open 1 current waiting",
            2,
        ),
        line(
            "approved",
            approved(),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 current approved",
            0,
        ),
        line(
            "a rejection beats an approval",
            then(approved(), vec![Decide("li", Reject, one())]),
            About("c1"),
            "200 no enforced rejected: rejected; needs nobody; 142 main open 1 current rejected",
            1,
        ),
        line(
            "withdrawn, it is gone",
            then(
                approved(),
                vec![Decide("li", Reject, one()), Decide("li", Withdraw, one())],
            ),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 current approved",
            0,
        ),
        line(
            "an override allows",
            vec![Submit(one()), Decide("li", Override, one())],
            About("c1"),
            "200 yes enforced overridden: overridden; needs nobody; 142 main open 1 current overridden",
            0,
        ),
        line(
            "an override ends by itself",
            vec![
                Submit(one()),
                Decide("li", Override, one()),
                Pass(time::Duration::hours(24)),
            ],
            About("c1"),
            "200 no enforced waiting: approval_needed; needs ben, li; 142 main open 1 current waiting",
            2,
        ),
        line(
            "a patch in doubt is undecidable",
            then(approved(), vec![Bend(one())]),
            About("c1"),
            "200 no enforced undecidable: patch_disputed; needs nobody; 142 main open 1 current undecidable",
            3,
        ),
        line(
            "a new revision waits for itself",
            superseded(),
            About("c2"),
            "200 no enforced waiting: approval_needed; needs ben, li; 142 main open 2 current waiting",
            2,
        ),
        line(
            "an approved revision stays allowed when a newer one exists",
            superseded(),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 old approved",
            0,
        ),
        line(
            "unless a rejection of the change stands",
            vetoed(),
            About("c1"),
            "200 no enforced rejected: rejected; needs nobody; 142 main open 1 old rejected",
            1,
        ),
        line(
            "which once withdrawn stands no more",
            then(vetoed(), vec![Decide("li", Withdraw, one())]),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 old approved",
            0,
        ),
        line(
            "closed without merging it is denied",
            then(approved(), vec![is("closed")]),
            About("c1"),
            "200 no enforced waiting: change_closed; needs nobody; 142 main closed 1 current approved",
            2,
        ),
        line(
            "closed after a rejection it is rejected still",
            vec![Submit(one()), Decide("li", Reject, one()), is("closed")],
            About("c1"),
            "200 no enforced rejected: rejected; needs nobody; 142 main closed 1 current rejected",
            1,
        ),
        line(
            "reopened, the decisions about the same digest count again",
            then(approved(), vec![is("closed"), is("open")]),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 current approved",
            0,
        ),
        line(
            "merged it stays allowed",
            then(approved(), vec![is("merged")]),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main merged 1 current approved",
            0,
        ),
        line(
            "of several changes with this head every open one must allow; the verdict is the least",
            one_of_two(),
            About("c1"),
            "200 no enforced waiting: approval_needed; needs li, ben; 142 main open 1 current approved, 143 release open 1 current waiting",
            2,
        ),
        line(
            "and if all do, it is allowed",
            then(one_of_two(), vec![Decide("li", Approve, release())]),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 current approved, 143 release open 1 current approved",
            0,
        ),
        line(
            "a closed one among them has no say",
            then(
                one_of_two(),
                vec![Submit(release().with(json!({ "state": "closed" })))],
            ),
            About("c1"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 current approved, 143 release closed 1 current waiting",
            0,
        ),
        line(
            "on a target, those that go there",
            one_of_two(),
            GoingTo("c1", "main"),
            "200 yes enforced approved: approved; needs nobody; 142 main open 1 current approved",
            0,
        ),
        line(
            "on another target, the others",
            one_of_two(),
            GoingTo("c1", "release"),
            "200 no enforced waiting: approval_needed; needs li, ben; 143 release open 1 current waiting",
            2,
        ),
        line(
            "on a target to which none goes it is unheard",
            one_of_two(),
            GoingTo("c1", "next"),
            "200 no enforced unheard: unheard; needs nobody; none",
            2,
        ),
        line(
            "commit is a full id; anything else is 422: a short one",
            approved(),
            Literally("d0f631ca1ddb"),
            "422 field",
            3,
        ),
        line("a name", approved(), Literally("HEAD"), "422 field", 3),
        line("no id at all", approved(), Literally(""), "422 field", 3),
        line(
            "a release is allowed only if all are",
            half(),
            Release(vec!["c2", "c1", "c2"]),
            "200 no: no waiting, yes approved, no waiting",
            None,
        ),
        line(
            "and then it is",
            then(half(), vec![Decide("li", Approve, other())]),
            Release(vec!["c2", "c1"]),
            "200 yes: yes approved, yes approved",
            None,
        ),
        line(
            "one unheard commit in it is a no",
            approved(),
            Release(vec!["c1", "c9"]),
            "200 no: yes approved, no unheard",
            None,
        ),
        line(
            "a release has 500 commits at most",
            vec![],
            ReleaseOf(500),
            "200 no: 500 unheard",
            None,
        ),
        line(
            "more are refused",
            vec![],
            ReleaseOf(501),
            "422 commits",
            None,
        ),
        line(
            "a release of nothing is no question",
            vec![],
            ReleaseOf(0),
            "422 commits",
            None,
        ),
    ]
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn every_line_of_the_contract_holds(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.junior("ana").await.linked("ana").await;
    t.senior("gone").await.deactivated().await;
    let mut wrong = vec![];
    for (n, row) in rows().into_iter().enumerate() {
        // Of its own, each row: its limits, and people whose claims are of today.
        let world = World {
            n,
            ci: t.ci().await,
            ben: t.senior("ben").await.linked("ben").await,
            li: t.senior("li").await,
        };
        let seen = world.asked(&row).await;
        if seen != (row.answer.to_owned(), row.exit) {
            wrong.push(format!(
                "{}\n  expected {:?} {:?}\n  got      {:?} {:?}",
                row.line, row.answer, row.exit, seen.0, seen.1
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where one row's story happens.
struct World {
    n: usize,
    ci: Machine,
    ben: Human,
    li: Human,
}

impl World {
    async fn asked(&self, row: &Row) -> (String, Option<i32>) {
        self.live(&row.story).await;
        let asking = tokio::spawn({
            let (ci, asks, n) = (self.ci.clone(), row.asks.clone(), self.n);
            async move { asks.over_rest(&ci, n).await }
        });
        if !row.meanwhile.is_empty() {
            self.ci.t.somebody_waits().await;
            self.live(&row.meanwhile).await;
        }
        let reply = tokio::time::timeout(Duration::from_secs(20), asking).await;
        let told = self.told(&reply.unwrap().unwrap());
        let code = match row.asks.arguments(self.n) {
            Some(arguments) => self.ends_with(&arguments).await,
            None => None,
        };
        (told, code)
    }

    async fn live(&self, story: &[Act]) {
        for act in story {
            match act {
                Act::Submit(change) => {
                    self.ci.submit(&self.own(change)).await;
                }
                Act::Bend(change) => {
                    let bent = Change {
                        patch: patch("something else"),
                        ..self.own(change)
                    };
                    let refused = self.ci.try_to_submit(&bent).await;
                    assert_eq!(refused.problem(), (409, "patch-differs"));
                }
                Act::Decide(who, kind, change) => self.decides(who, *kind, &self.own(change)).await,
                Act::Pass(time) => {
                    self.ci.t.pass(*time);
                    // Whoever stays at work has signed in again meanwhile; Ben has not.
                    self.ci.t.senior("li").await;
                }
            }
        }
    }

    async fn decides(&self, who: &str, kind: Kind, change: &Change) {
        let who = if who == "ben" { &self.ben } else { &self.li };
        match kind {
            Kind::Override => who.decides(change, kind).await,
            _ => who.presses(kind, change, "because").await,
        }
        .unwrap();
    }

    /// The change of this row: rows share a repository, and must not share commits.
    fn own(&self, change: &Change) -> Change {
        Change {
            key: format!("{}-{}", self.n, change.key),
            head: own_commit(self.n, &change.head),
            ..change.clone()
        }
    }

    /// The exit code of the command.
    async fn ends_with(&self, arguments: &[String]) -> Option<i32> {
        let server = ["gate", "--server", &self.ci.t.at("")].map(str::to_owned);
        let arguments = [&server[..], arguments].concat();
        let mut command = countersign(Path::new("."), &arguments);
        outcome(command.env("COUNTERSIGN_TOKEN", &self.ci.secret))
            .await
            .code
    }

    fn told(&self, reply: &Reply) -> String {
        let status = reply.status.as_u16();
        if status != 200 {
            return format!("{status} {}", reply.problem().1);
        }
        match reply.json["answers"].as_array() {
            Some(answers) => format!("200 {}: {}", yes(&reply.json), of_release(answers)),
            None => format!("200 {}", self.of_commit(&reply.json)),
        }
    }

    fn of_commit(&self, answer: &Value) -> String {
        assert_whole(answer);
        let enforced = if answer["enforced"] == true {
            "enforced"
        } else {
            "observed"
        };
        let reasons = list(&answer["reasons"], |reason| text(&reason["code"]));
        let needs = list(&answer["needs"], |need| list(&need["people"], text));
        let changes = list(&answer["changes"], |change| self.of_change(change));
        let or = |text: String, nothing: &str| {
            if text.is_empty() {
                nothing.to_owned()
            } else {
                text
            }
        };
        format!(
            "{} {enforced} {}: {reasons}; needs {}; {}",
            yes(answer),
            text(&answer["verdict"]),
            or(needs, "nobody"),
            or(changes, "none")
        )
    }

    fn of_change(&self, change: &Value) -> String {
        let key = text(&change["key"]);
        let current = if change["current"] == true {
            "current"
        } else {
            "old"
        };
        format!(
            "{} {} {} {} {current} {}",
            key.strip_prefix(&format!("{}-", self.n)).unwrap(),
            text(&change["target"]),
            text(&change["state"]),
            change["revision"],
            text(&change["verdict"])
        )
    }
}

impl Asks {
    async fn over_rest(&self, ci: &Machine, n: usize) -> Reply {
        match self {
            Asks::Release(commits) => {
                let commits = commits.iter().map(|name| own_commit(n, &sha(name)));
                ask_all(ci, commits.collect()).await
            }
            Asks::ReleaseOf(count) => ask_all(ci, vec![sha("x"); *count]).await,
            _ => {
                let (repository, commit, more) = self.about(n);
                let path = format!("/api/v1/gate?repository={repository}&commit={commit}");
                let more = more.map(|(name, value)| format!("&{name}={value}"));
                ci.get(&(path + &more.unwrap_or_default())).await
            }
        }
    }

    /// The same question as the command takes it.
    fn arguments(&self, n: usize) -> Option<Vec<String>> {
        if matches!(self, Asks::Release(_) | Asks::ReleaseOf(_)) {
            return None;
        }
        let (repository, commit, more) = self.about(n);
        let mut arguments: Vec<String> = ["--repository", repository, "--commit", &commit]
            .map(str::to_owned)
            .to_vec();
        if let Some((name, value)) = more {
            let unit = if name == "wait" { "s" } else { "" };
            arguments.extend([format!("--{name}"), format!("{value}{unit}")]);
        }
        Some(arguments)
    }

    fn about(&self, n: usize) -> (&'static str, String, Option<(&'static str, String)>) {
        let own = |name: &str| own_commit(n, &sha(name));
        let payments = "acme/payments";
        match self {
            Asks::About(name) => (payments, own(name), None),
            Asks::GoingTo(name, target) => {
                (payments, own(name), Some(("target", (*target).to_owned())))
            }
            Asks::Waiting(name, seconds) => {
                (payments, own(name), Some(("wait", seconds.to_string())))
            }
            Asks::InRepository(repository) => (repository, own("c1"), None),
            Asks::Literally(commit) => (payments, (*commit).to_owned(), None),
            Asks::Release(_) | Asks::ReleaseOf(_) => unreachable!("not about one commit"),
        }
    }
}

async fn ask_all(ci: &Machine, commits: Vec<String>) -> Reply {
    let body = json!({ "repository": "acme/payments", "commits": commits });
    ci.post("/api/v1/gate", body).await
}

fn own_commit(n: usize, commit: &str) -> String {
    sha(&format!("{n} {commit}"))
}

/// Every field is there in every answer, whatever it says; the target of the question where it had one.
fn assert_whole(answer: &Value) {
    let names: Vec<&str> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "target")
        .collect();
    let always = [
        "allow",
        "as_of",
        "changes",
        "commit",
        "enforced",
        "needs",
        "policy",
        "reasons",
        "repository",
        "snapshot",
        "source_age",
        "verdict",
        "via",
    ];
    assert_eq!(names, always);
}

fn of_release(answers: &[Value]) -> String {
    let one = |answer: &Value| format!("{} {}", yes(answer), text(&answer["verdict"]));
    let unheard = answers.iter().all(|answer| one(answer) == "no unheard");
    if unheard {
        format!("{} unheard", answers.len())
    } else {
        answers.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn yes(answer: &Value) -> &'static str {
    if answer["allow"] == true { "yes" } else { "no" }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn list(values: &Value, one: impl Fn(&Value) -> String) -> String {
    let values = values.as_array().unwrap().iter().map(one);
    values.collect::<Vec<_>>().join(", ")
}
