//! Where tries take place: two servers over one Postgres, and what one change is asked there by clients whose clock runs.

use crate::{
    history::{Answer, Asked, History, Request, Watch},
    processes::{
        changes::Change,
        clients,
        cluster::Cluster,
        site::{Door, Site},
    },
};
use domain::{
    contributor::Key,
    ids::PersonId,
    names::RepositoryName,
    people::Level,
    policy::{Document, SHIPPED},
};
use reqwest::Response;
use serde_json::Value;
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{Db, Tx, people, policies};
use uuid::Uuid;

/// Quick, as nobody needs its data after a crash; and it remembers when each transaction was committed, for the checker.
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "full_page_writes=off",
    "track_commit_timestamp=on",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
    "max_connections=100",
];

/// Two servers, their Postgres, and ways in.
pub struct Stage {
    // Dropped in this order: the servers before their database.
    _sites: [Site; 2],
    _cluster: Cluster,
    pub doors: [Door; 2],
    pub secret: String,
    /// As the application's role.
    pub app: Db,
    /// As the owner, who may look at everything, and put right what a try left.
    pub owner: PgPool,
}

impl Stage {
    /// Starts all of it.
    pub async fn start() -> Self {
        let cluster = Cluster::start(&SETTINGS).await;
        let sites = [Site::start(&cluster).await, Site::start(&cluster).await];
        let app = Db::connect(&cluster.address("app"), 8).await.unwrap();
        let owner = PgPoolOptions::new()
            .max_connections(8)
            .connect(&cluster.address("postgres"))
            .await
            .unwrap();
        sqlx::query(
            "create function micros(timestamptz) returns bigint language sql immutable
             return coalesce((extract(epoch from $1) * 1000000)::bigint, 0)",
        )
        .execute(&owner)
        .await
        .unwrap();
        Self {
            doors: [sites[0].door.clone(), sites[1].door.clone()],
            secret: clients::token(&app).await,
            app,
            owner,
            _sites: sites,
            _cluster: cluster,
        }
    }

    /// A senior with a session.
    pub async fn senior(&self, name: &str) -> Senior {
        let id = clients::senior(&self.app, name).await;
        let session = clients::session(&self.app, id).await;
        Senior { id, session }
    }

    /// Begins a try with a change that was just submitted.
    pub async fn scene(&self, change: &Change) -> (Scene<'_>, Shown) {
        let people_version = sqlx::query_scalar("select version from people_version");
        let mut scene = Scene {
            stage: self,
            people_version: people_version.fetch_one(&self.owner).await.unwrap(),
            repository: repository(change),
            change: Uuid::nil(),
            watch: Watch::start(),
            requests: Mutex::default(),
            told: Mutex::default(),
            racing: AtomicBool::new(false),
        };
        let shown = scene.submits(0, change).await.unwrap();
        scene.change = shown.change;
        (scene, shown)
    }
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub struct Senior {
    pub id: PersonId,
    pub session: String,
}

/// What the form of a change shows.
#[derive(Debug, Clone)]
pub struct Shown {
    pub change: Uuid,
    pub digest: String,
}

/// One change, and the requests about it.
pub struct Scene<'s> {
    stage: &'s Stage,
    people_version: i64,
    repository: String,
    change: Uuid,
    pub watch: Watch,
    requests: Mutex<Vec<Request>>,
    told: Mutex<Vec<Value>>,
    racing: AtomicBool,
}

impl Scene<'_> {
    /// What is asked from now on races.
    pub fn races(&self, racing: bool) {
        self.racing.store(racing, Ordering::SeqCst);
    }

    /// How many milliseconds a server took for the first request, a hundred at most.
    pub fn pace(&self) -> usize {
        let requests = self.requests.lock().unwrap();
        let took = requests
            .first()
            .map_or(0, |first| first.ended - first.began);
        usize::try_from(took / 1000).unwrap().min(100)
    }

    /// All that was seen.
    pub fn history(self) -> History {
        History {
            change: self.change,
            people_version: self.people_version,
            epoch: self.watch.epoch,
            requests: self.requests.into_inner().unwrap(),
            told: self.told.into_inner().unwrap(),
        }
    }

    /// Submits a change at one of the servers.
    pub async fn submits(&self, server: usize, change: &Change) -> Option<Shown> {
        let state = if change.over["state"] == "closed" {
            "closed"
        } else {
            "open"
        };
        let asked = Asked::Submit {
            head: change.head.clone(),
            target: change.target.clone(),
            state,
        };
        let began = self.watch.now();
        let stage = self.stage;
        let answer = stage.doors[server].submits(&stage.secret, change).await;
        let (answer, json) = read(answer).await;
        self.saw(began, asked, answer);
        Some(Shown {
            change: json["change"].as_str()?.parse().ok()?,
            digest: json["digest"].as_str()?.to_owned(),
        })
    }

    /// Asks a gate.
    pub async fn asks(&self, server: usize, commit: &str) {
        let asked = Asked::Gate {
            commit: commit.to_owned(),
        };
        let door = &self.stage.doors[server];
        let address = door.at(&format!(
            "/api/v1/gate?repository={}&commit={commit}",
            self.repository
        ));
        let began = self.watch.now();
        let request = door.http.get(address).bearer_auth(&self.stage.secret);
        let (answer, json) = read(request.send().await).await;
        let said = json["allow"].as_bool().zip(json["verdict"].as_str());
        let answer = match (answer, said) {
            (Answer::Done, Some((allow, verdict))) => Answer::Gate {
                allow,
                verdict: verdict.to_owned(),
            },
            (answer, _) => answer,
        };
        if let Answer::Gate { .. } = answer {
            self.told.lock().unwrap().push(json);
        }
        self.saw(began, asked, answer);
    }

    /// Sends a form about what was shown.
    pub async fn decides(&self, server: usize, by: &Senior, form: &Form<'_>) {
        let asked = form.asked(by);
        let fields = [
            ("change", form.shown.change.to_string()),
            ("digest", form.shown.digest.clone()),
            ("form_key", form.key.to_string()),
            ("kind", form.kind.to_owned()),
            ("reason", "as it was read".to_owned()),
            ("incident", "INC-1".to_owned()),
            ("none_of_these_is_me", "true".to_owned()),
            ("about", form.about.to_string()),
        ];
        let began = self.watch.now();
        let answer = self.stage.doors[server].decides(&by.session, &fields).await;
        let (answer, _) = read(answer).await;
        self.saw(began, asked, answer);
    }

    /// Records a decision as no server would: by plain SQL of the application's role, whoever decides and whatever is shown by
    /// now. `step` is how far it counts on, `ago` how long ago it says that it was.
    pub async fn slips_in(&self, by: &Senior, form: &Form<'_>, step: i32, ago: Duration) {
        let began = self.watch.now();
        let done = sqlx::query(
            "with c as (update change set decisions = decisions + $1 where id = $2 returning repository_id, id, decisions),
                  gone as (delete from standing where change_id = $2)
             insert into decision (repository_id, id, change_id, revision_id, digest, seq, person_id, form_key, kind, reason, incident,
                                   about_seq, level, teams, policy, policy_version, at)
             select c.repository_id, $3, c.id, r.id, r.digest, c.decisions, $4, $5, $6, 'as it was read', case $6 when 'override' then 'INC-1' end,
                    case $6 when 'set_aside' then $9 end, 'senior', '{}', 'default', 1, now() - make_interval(secs => $7)
             from c join revision r on r.repository_id = c.repository_id and r.change_id = c.id and encode(r.digest, 'hex') = $8",
        )
        .bind(step)
        .bind(form.shown.change)
        .bind(store::ids::new())
        .bind(by.id.0)
        .bind(form.key)
        .bind(form.kind)
        .bind(ago.as_secs_f64())
        .bind(&form.shown.digest)
        .bind(form.about);
        let done = done.execute(self.stage.app.pool()).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        self.saw(began, form.asked(by), Answer::Done);
    }

    /// Does what an operator does with `countersign person`.
    pub async fn operates(&self, asked: Asked) {
        let began = self.watch.now();
        let mut tx = self.stage.app.begin().await.unwrap();
        match &asked {
            Asked::Deactivate { person } => {
                people::deactivate(&mut tx, PersonId(*person))
                    .await
                    .unwrap();
            }
            Asked::Demote { person } => {
                let level = Some(Level::Mid);
                people::set_level(&mut tx, PersonId(*person), level)
                    .await
                    .unwrap();
            }
            Asked::Link { person, key } => {
                let key = Key(key.clone());
                people::link(&mut tx, PersonId(*person), &key)
                    .await
                    .unwrap();
            }
            Asked::Demand { repository } => demands_two(&mut tx, repository).await,
            Asked::Gate { .. } | Asked::Submit { .. } | Asked::Decide { .. } => {
                panic!("no operator does that: {asked:?}")
            }
        }
        tx.commit().await.unwrap();
        self.saw(began, asked, Answer::Done);
    }

    /// Says that what was seen last began already then.
    pub fn began_earlier(&self, began: i64) {
        let mut requests = self.requests.lock().unwrap();
        requests.last_mut().unwrap().began = began;
    }

    /// Notes what a client saw, which ended now.
    pub fn saw(&self, began: i64, asked: Asked, answer: Answer) {
        let request = Request {
            began,
            // A clock that shows whole microseconds has shown the end only when the next one begins.
            ended: self.watch.now() + 1,
            raced: self.racing.load(Ordering::SeqCst),
            asked,
            answer,
        };
        self.requests.lock().unwrap().push(request);
    }
}

/// A form about what was shown.
#[derive(Debug, Clone)]
pub struct Form<'a> {
    pub shown: &'a Shown,
    pub key: Uuid,
    pub kind: &'static str,
    /// The number of the rejection that it would set aside.
    pub about: i32,
}

impl Form<'_> {
    /// What somebody asks by sending it.
    pub fn asked(&self, by: &Senior) -> Asked {
        Asked::Decide {
            person: by.id.0,
            form_key: self.key,
            kind: self.kind,
            digest: self.shown.digest.clone(),
        }
    }
}

/// Where a change is.
pub fn repository(change: &Change) -> String {
    change.json()["repository"].as_str().unwrap().to_owned()
}

/// What the default asks for, with two approvals for one.
pub fn two() -> String {
    let [default, ..] = SHIPPED;
    default.text.replace("approvals = 1", "approvals = 2")
}

async fn demands_two(tx: &mut Tx, repository: &str) {
    let name = RepositoryName::parse(repository.to_owned()).unwrap();
    let locked = policies::lock(tx, &name).await.unwrap().unwrap();
    let text = two();
    let new = policies::New {
        text: Some(&text),
        author: policies::Author::Configuration,
        note: "two are better than one",
    };
    let document = Document::parse(&text).unwrap();
    let age = time::Duration::hours(12);
    let set = policies::set(tx, &locked, &new, Some(document), age).await;
    let (outcome, _) = set.unwrap();
    assert_eq!(outcome, policies::Outcome::InForce(1));
}

/// What came back, to its end.
async fn read(answer: reqwest::Result<Response>) -> (Answer, Value) {
    let Ok(answer) = answer else {
        return (Answer::Unknown, Value::Null);
    };
    let status = answer.status().as_u16();
    let Ok(body) = answer.bytes().await else {
        return (Answer::Unknown, Value::Null);
    };
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    match status {
        200..=299 => (Answer::Done, json),
        500.. => (Answer::Unknown, json),
        _ => (Answer::Refused(status), json),
    }
}
