//! Small worlds of one change, in which a few things happen at the same time.

use crate::{
    checker::{self, Report},
    history::{Asked, History},
    processes::{
        chance::Chance,
        changes::{self, Change},
        clients,
    },
    stage::{Form, Scene, Senior, Shown, Stage, repository},
};
use domain::{contributor::Key, ids::PersonId};
use futures::future::{BoxFuture, FutureExt as _, join_all};
use serde_json::{Value, json};
use std::time::Duration;
use store::people;
use uuid::Uuid;

/// What happens before, and what then happens at the same time while gates are asked.
#[derive(Debug)]
pub struct World {
    pub name: &'static str,
    before: &'static [Act],
    raced: &'static [Act],
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Another revision.
    Arrives,
    /// The same patch, with another head over another merge base.
    Rebases,
    /// The same commit, to another branch.
    Retargets,
    Closes,
    /// The policy asks for two approvals instead of one.
    Demands,
    Decides {
        who: usize,
        kind: &'static str,
        /// Which of the forms on the table.
        form: usize,
        /// The number of the rejection that it would set aside.
        about: i32,
    },
    /// Somebody broke the glass a day ago, but for so many milliseconds.
    BrokeTheGlass {
        who: usize,
        left: u64,
    },
    Deactivates(usize),
    Demotes(usize),
    /// The author's address turns out to be theirs.
    Links(usize),
}

impl Act {
    fn is_an_operators(self) -> bool {
        match self {
            Self::Deactivates(_) | Self::Demotes(_) | Self::Links(_) | Self::Demands => true,
            Self::Arrives
            | Self::Rebases
            | Self::Retargets
            | Self::Closes
            | Self::Decides { .. }
            | Self::BrokeTheGlass { .. } => false,
        }
    }
}

const BEN: usize = 0;
const LI: usize = 1;
const CAST: [&str; 2] = ["ben", "li"];
const FORMS: usize = 4;
/// How many tries the same people play: what each has decided is counted with every case, and that takes longer and longer.
const SEASON: usize = 50;

const fn decides(who: usize, kind: &'static str, form: usize) -> Act {
    Act::Decides {
        who,
        kind,
        form,
        about: 0,
    }
}

/// The second decision of the change.
const fn sets_aside(who: usize, form: usize) -> Act {
    Act::Decides {
        who,
        kind: "set_aside",
        form,
        about: 2,
    }
}

pub const WORLDS: [World; 34] = [
    World {
        name: "a revision arrives, and an approval",
        before: &[],
        raced: &[Act::Arrives, decides(BEN, "approve", 0)],
    },
    World {
        name: "a revision arrives, and two approvals",
        before: &[],
        raced: &[
            Act::Arrives,
            decides(BEN, "approve", 0),
            decides(LI, "approve", 1),
        ],
    },
    World {
        name: "a revision arrives, and a rejection",
        before: &[decides(BEN, "approve", 0)],
        raced: &[Act::Arrives, decides(LI, "reject", 1)],
    },
    World {
        name: "another branch, and an approval",
        before: &[],
        raced: &[Act::Retargets, decides(BEN, "approve", 0)],
    },
    World {
        name: "a change is closed, and an approval",
        before: &[],
        raced: &[Act::Closes, decides(BEN, "approve", 0)],
    },
    World {
        name: "a change is closed, after an approval",
        before: &[decides(BEN, "approve", 0)],
        raced: &[Act::Closes],
    },
    World {
        name: "an approval and its withdrawal",
        before: &[decides(BEN, "approve", 0)],
        raced: &[decides(BEN, "withdraw", 1), decides(BEN, "approve", 2)],
    },
    World {
        name: "a withdrawal, and somebody else's approval",
        before: &[decides(BEN, "approve", 0)],
        raced: &[decides(BEN, "withdraw", 1), decides(LI, "approve", 2)],
    },
    World {
        name: "a rejection and its withdrawal",
        before: &[decides(LI, "approve", 0), decides(BEN, "reject", 1)],
        raced: &[decides(BEN, "withdraw", 2)],
    },
    World {
        name: "two people fill the last need",
        before: &[],
        raced: &[decides(BEN, "approve", 0), decides(LI, "approve", 1)],
    },
    World {
        name: "a rejection and an approval by one person",
        before: &[],
        raced: &[decides(BEN, "approve", 0), decides(BEN, "reject", 1)],
    },
    World {
        name: "a deactivation, and an approval",
        before: &[],
        raced: &[Act::Deactivates(BEN), decides(BEN, "approve", 0)],
    },
    World {
        name: "a demotion, and an approval",
        before: &[],
        raced: &[Act::Demotes(BEN), decides(BEN, "approve", 0)],
    },
    World {
        name: "an override and a rejection",
        before: &[],
        raced: &[decides(BEN, "override", 0), decides(LI, "reject", 1)],
    },
    World {
        name: "an override ends",
        before: &[Act::BrokeTheGlass { who: BEN, left: 20 }],
        raced: &[],
    },
    World {
        name: "an override ends, and an approval",
        before: &[Act::BrokeTheGlass { who: BEN, left: 20 }],
        raced: &[decides(LI, "approve", 0)],
    },
    World {
        name: "a link, after an approval",
        before: &[decides(BEN, "approve", 0)],
        raced: &[Act::Links(BEN)],
    },
    World {
        name: "a link, and an approval",
        before: &[],
        raced: &[Act::Links(BEN), decides(BEN, "approve", 0)],
    },
    World {
        name: "a rejection, after an approval",
        before: &[decides(BEN, "approve", 0)],
        raced: &[decides(LI, "reject", 1)],
    },
    World {
        name: "a form twice, at two servers",
        before: &[],
        raced: &[decides(BEN, "approve", 0), decides(BEN, "approve", 0)],
    },
    World {
        name: "a form twice with two buttons",
        before: &[],
        raced: &[decides(BEN, "approve", 0), decides(BEN, "reject", 0)],
    },
    World {
        name: "two are asked for, and an approval",
        before: &[],
        raced: &[Act::Demands, decides(BEN, "approve", 0)],
    },
    World {
        name: "two are asked for, after an approval",
        before: &[decides(BEN, "approve", 0)],
        raced: &[Act::Demands],
    },
    World {
        name: "two are asked for, and two approvals",
        before: &[],
        raced: &[
            Act::Demands,
            decides(BEN, "approve", 0),
            decides(LI, "approve", 1),
        ],
    },
    World {
        name: "a rejection set aside, and who rejected is deactivated",
        before: &[decides(LI, "approve", 0), decides(BEN, "reject", 1)],
        raced: &[Act::Deactivates(BEN), sets_aside(LI, 2)],
    },
    World {
        name: "a rejection set aside, and a link",
        before: &[decides(BEN, "reject", 0), Act::Deactivates(BEN)],
        raced: &[
            Act::Links(LI),
            Act::Decides {
                who: LI,
                kind: "set_aside",
                form: 1,
                about: 1,
            },
            decides(LI, "approve", 2),
        ],
    },
    World {
        name: "a rejection set aside, and that taken back",
        before: &[
            decides(LI, "approve", 0),
            decides(BEN, "reject", 1),
            Act::Deactivates(BEN),
            sets_aside(LI, 2),
        ],
        raced: &[decides(LI, "withdraw", 3)],
    },
    World {
        name: "a word for human, and a demotion",
        before: &[],
        raced: &[Act::Demotes(BEN), decides(BEN, "human", 0)],
    },
    World {
        name: "a word for human, and a rejection",
        before: &[],
        raced: &[decides(BEN, "human", 0), decides(LI, "reject", 1)],
    },
    World {
        name: "a word for human, its withdrawal, and a link",
        before: &[decides(BEN, "human", 0), decides(LI, "human", 1)],
        raced: &[decides(BEN, "withdraw", 2), Act::Links(LI)],
    },
    World {
        name: "the same change over another base, and an approval",
        before: &[],
        raced: &[Act::Rebases, decides(BEN, "approve", 0)],
    },
    World {
        name: "the same change over another base, after an approval",
        before: &[decides(BEN, "approve", 0)],
        raced: &[Act::Rebases],
    },
    World {
        name: "the same change over another base, and a withdrawal",
        before: &[decides(BEN, "approve", 0)],
        raced: &[Act::Rebases, decides(BEN, "withdraw", 1)],
    },
    World {
        name: "the same change over another base, and a link",
        before: &[decides(BEN, "approve", 0)],
        raced: &[Act::Rebases, Act::Links(BEN)],
    },
];

/// Plays worlds one after another, with people of its own.
pub struct Lane<'s> {
    stage: &'s Stage,
    name: String,
    cast: Vec<Senior>,
    chance: Chance,
    tries: usize,
}

/// A try in progress.
struct Play<'p> {
    scene: &'p Scene<'p>,
    cast: &'p [Senior],
    change: &'p Change,
    shown: &'p Shown,
    forms: [Uuid; FORMS],
}

impl<'s> Lane<'s> {
    /// A lane in which nobody has played yet.
    pub fn new(stage: &'s Stage, name: &str, chance: Chance) -> Self {
        Self {
            stage,
            name: name.to_owned(),
            cast: vec![],
            chance,
            tries: 0,
        }
    }

    /// Plays a world once, and has it checked. What was `kept` of it goes to another branch when it is over.
    pub async fn plays(&mut self, world: &World, kept: bool) -> (History, Report) {
        if self.tries.is_multiple_of(SEASON) {
            self.others_come().await;
        }
        self.tries += 1;
        let key = format!("{}-{}", self.name, self.tries);
        let change = change(&key);
        let (scene, shown) = self.stage.scene(&change).await;
        let play = Play {
            scene: &scene,
            cast: &self.cast,
            change: &change,
            shown: &shown,
            forms: std::array::from_fn(|_| store::ids::new()),
        };
        for act in world.before {
            play.does(*act, self.chance.below(2), 0).await;
        }
        scene.races(true);
        join_all(at_once(&mut self.chance, &play, world)).await;
        scene.races(false);
        scene.asks(self.chance.below(2), &change.head).await;
        let history = scene.history();
        let mut conn = self.stage.owner.acquire().await.unwrap();
        let report = checker::check(&mut conn, &history).await;
        self.tidies(&history).await;
        if kept {
            self.retargets(&change).await;
        }
        (history, report)
    }

    /// Lets those who have played go, and others sign in.
    async fn others_come(&mut self) {
        for gone in std::mem::take(&mut self.cast) {
            let mut tx = self.stage.app.begin().await.unwrap();
            people::deactivate(&mut tx, gone.id).await.unwrap();
            tx.commit().await.unwrap();
        }
        for who in CAST {
            let name = format!("{who}-{}-{}", self.name, self.tries);
            self.cast.push(self.stage.senior(&name).await);
        }
    }

    /// Puts right what would outlast the try: so nobody is barred, and nothing that is over is renewed again and again.
    async fn tidies(&mut self, history: &History) {
        for request in &history.requests {
            match &request.asked {
                Asked::Deactivate { person } => self.lets_in_again(*person).await,
                Asked::Demote { person } => {
                    let mut tx = self.stage.app.begin().await.unwrap();
                    let person = PersonId(*person);
                    people::set_level(&mut tx, person, None).await.unwrap();
                    tx.commit().await.unwrap();
                }
                Asked::Link { person, key } => {
                    let mut tx = self.stage.app.begin().await.unwrap();
                    let (person, key) = (PersonId(*person), Key(key.clone()));
                    people::unlink(&mut tx, person, &key).await.unwrap();
                    tx.commit().await.unwrap();
                }
                Asked::Gate { .. }
                | Asked::Submit { .. }
                | Asked::Decide { .. }
                | Asked::Demand { .. } => {}
            }
        }
        let change = history.change.to_string();
        for forget in [
            "delete from standing where change_id = $1::uuid",
            "delete from queue where change_id = $1::uuid",
        ] {
            self.as_owner(forget, &change).await;
        }
    }

    async fn retargets(&self, change: &Change) {
        let elsewhere = and(&change.clone().to("elsewhere"), json!({ "current": true }));
        let [door, _] = &self.stage.doors;
        let answer = door.submits(&self.stage.secret, &elsewhere).await;
        assert_eq!(answer.unwrap().status(), 201);
    }

    async fn lets_in_again(&mut self, person: Uuid) {
        let person = PersonId(person);
        let mut tx = self.stage.app.begin().await.unwrap();
        people::activate(&mut tx, person).await.unwrap();
        tx.commit().await.unwrap();
        let session = clients::session(&self.stage.app, person).await;
        let mut cast = self.cast.iter_mut();
        if let Some(senior) = cast.find(|senior| senior.id == person) {
            senior.session = session;
        }
    }

    async fn as_owner(&self, sql: &'static str, value: &str) {
        let done = sqlx::query(sql).bind(value).execute(&self.stage.owner);
        done.await.unwrap();
    }
}

impl Play<'_> {
    async fn does(&self, act: Act, server: usize, wait: usize) {
        rests(wait).await;
        let person = |who: usize| self.cast[who].id.0;
        match act {
            Act::Arrives => drop(self.scene.submits(server, &next(self.change)).await),
            Act::Rebases => drop(self.scene.submits(server, &rebased(self.change)).await),
            Act::Retargets => {
                let elsewhere = self.change.clone().to("release");
                self.scene.submits(server, &elsewhere).await;
            }
            Act::Closes => {
                let closed = and(self.change, json!({ "state": "closed" }));
                self.scene.submits(server, &closed).await;
            }
            Act::Demands => {
                let repository = repository(self.change);
                self.scene.operates(Asked::Demand { repository }).await;
            }
            Act::Decides {
                who,
                kind,
                form,
                about,
            } => {
                let form = Form {
                    about,
                    ..self.form(kind, form)
                };
                self.scene.decides(server, &self.cast[who], &form).await;
            }
            Act::BrokeTheGlass { who, left } => {
                let form = self.form("override", 0);
                let ago = Duration::from_hours(24) - Duration::from_millis(left);
                self.scene.slips_in(&self.cast[who], &form, 1, ago).await;
            }
            Act::Deactivates(who) => {
                let person = person(who);
                self.scene.operates(Asked::Deactivate { person }).await;
            }
            Act::Demotes(who) => {
                let person = person(who);
                self.scene.operates(Asked::Demote { person }).await;
            }
            Act::Links(who) => {
                let person = person(who);
                let key = key_of(self.change);
                self.scene.operates(Asked::Link { person, key }).await;
            }
        }
    }

    async fn asks(&self, questions: Vec<(usize, usize, String)>) {
        for (server, wait, commit) in questions {
            rests(wait).await;
            self.scene.asks(server, &commit).await;
        }
    }

    fn form(&self, kind: &'static str, form: usize) -> Form<'_> {
        Form {
            shown: self.shown,
            key: self.forms[form],
            kind,
            about: 0,
        }
    }
}

/// What races, each at one of the servers after a moment, and those who ask meanwhile.
fn at_once<'f>(chance: &mut Chance, play: &'f Play<'f>, world: &World) -> Vec<BoxFuture<'f, ()>> {
    let mut commits = vec![play.change.head.clone()];
    if world.raced.contains(&Act::Arrives) {
        commits.push(next(play.change).head);
    }
    if world.raced.contains(&Act::Rebases) {
        commits.push(rebased(play.change).head);
    }
    let mut all = vec![];
    for act in world.raced {
        // An operator is at the database at once; who asks a server gets there only after a while.
        let moment = if act.is_an_operators() {
            4 + play.scene.pace()
        } else {
            4
        };
        let (server, wait) = (chance.below(2), chance.below(moment));
        all.push(play.does(*act, server, wait).boxed());
    }
    for _ in 0..2 {
        let mut questions = vec![];
        for _ in 0..3 {
            let commit = commits[chance.below(commits.len())].clone();
            questions.push((chance.below(2), chance.below(5), commit));
        }
        all.push(play.asks(questions).boxed());
    }
    all
}

/// The first revision of a change, by somebody whom nobody knows, in a repository of its own, so that its policy is its own, too.
pub fn change(key: &str) -> Change {
    // Without a mark, or nobody's word would make it human.
    changes::change()
        .unmarked()
        .key(key)
        .by(&format!("author-{key}"))
        .pushed(&format!("{key}-1"))
        .with(json!({ "repository": format!("acme/{key}") }))
}

/// The same with one more thing said of it.
fn and(change: &Change, more: Value) -> Change {
    let mut over = change.over.clone();
    for (name, value) in more.as_object().unwrap() {
        over[name] = value.clone();
    }
    change.clone().with(over)
}

/// The next one.
pub fn next(change: &Change) -> Change {
    change.clone().pushed(&format!("{}-2", change.key))
}

/// The first one over another base.
fn rebased(change: &Change) -> Change {
    let head = changes::sha(&format!("{}-3", change.key));
    let over = change.clone().over(&format!("{}-base", change.key));
    Change { head, ..over }
}

/// By what its author is known.
pub fn key_of(change: &Change) -> String {
    format!("email:{}", change.author.1)
}

async fn rests(milliseconds: usize) {
    if milliseconds > 0 {
        let rest = Duration::from_millis(milliseconds.try_into().unwrap());
        tokio::time::sleep(rest).await;
    }
}
