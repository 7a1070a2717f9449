//! Twenty seniors who press the same button until somebody says that it was recorded, and a reader who never stops.

use crate::processes::{chance::Chance, clients, site::Door};
use domain::ids::PersonId;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use store::Db;
use uuid::Uuid;

/// A change that is there, as its form shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    pub change: Uuid,
    pub head: String,
    pub digest: String,
}

/// What somebody was told is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    pub person: PersonId,
    pub form_key: Uuid,
    pub change: Uuid,
    pub kind: &'static str,
}

/// What all of them count together.
#[derive(Debug, Default)]
pub struct Counts {
    pub acknowledged: AtomicUsize,
    pub sent_again: AtomicUsize,
    pub over: AtomicBool,
}

/// Somebody with a session.
pub struct Senior {
    id: PersonId,
    session: String,
    door: Door,
}

impl Senior {
    /// Signs in as the last steps of the company's sign-in do.
    pub async fn signs_in(db: &Db, door: &Door, name: &str) -> Self {
        let id = clients::senior(db, name).await;
        Self {
            id,
            session: clients::session(db, id).await,
            door: door.clone(),
        }
    }

    /// Takes so many decisions about changes by chance, each until it is acknowledged; some forms are sent once more after that.
    pub async fn decides(
        self,
        count: usize,
        changes: Arc<Vec<Shown>>,
        mut chance: Chance,
        counts: Arc<Counts>,
    ) -> Vec<Acknowledged> {
        let mut all = vec![];
        for _ in 0..count {
            let shown = &changes[chance.below(changes.len())];
            let decision = Acknowledged {
                person: self.id,
                form_key: store::ids::new(),
                change: shown.change,
                kind: ["approve", "reject"][chance.below(2)],
            };
            self.sends(&decision, shown, &counts).await;
            counts.acknowledged.fetch_add(1, Ordering::SeqCst);
            if chance.below(4) == 0 {
                self.sends(&decision, shown, &counts).await;
            }
            all.push(decision);
        }
        all
    }

    /// Sends a form until it is acknowledged.
    async fn sends(&self, decision: &Acknowledged, shown: &Shown, counts: &Counts) {
        let form = [
            ("change", shown.change.to_string()),
            ("digest", shown.digest.clone()),
            ("form_key", decision.form_key.to_string()),
            ("kind", decision.kind.to_owned()),
            ("reason", "as it was read".to_owned()),
            ("none_of_these_is_me", "true".to_owned()),
        ];
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let answer = self.door.decides(&self.session, &form).await;
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(200) => return,
                // Nobody there, gone while it answered, or there without its database: all that a crash may look like.
                Err(_) | Ok(503) => {}
                Ok(status) => panic!("{status} for {decision:?}"),
            }
            assert!(Instant::now() < until, "never acknowledged: {decision:?}");
            counts.sent_again.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Reads the stream of decisions from its beginning until all is over and nothing new comes; how often each was read.
pub async fn reads_on(door: Door, secret: String, counts: Arc<Counts>) -> HashMap<Uuid, usize> {
    let (mut read, mut cursor) = (HashMap::new(), None::<String>);
    loop {
        let over = counts.over.load(Ordering::SeqCst);
        let after = cursor.iter().map(|cursor| format!("&after={cursor}"));
        let path = format!("/api/v1/decisions?limit=50{}", after.collect::<String>());
        let request = door.http.get(door.at(&path)).bearer_auth(&secret);
        let page: Option<Value> = match request.send().await {
            Ok(answer) if answer.status() == 200 => answer.json().await.ok(),
            Ok(answer) if answer.status() != 503 => panic!("{answer:?}"),
            _ => None,
        };
        let Some(page) = page else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let decisions = page["decisions"].as_array().unwrap();
        for one in decisions {
            let id = one["id"].as_str().unwrap().parse().unwrap();
            *read.entry(id).or_default() += 1;
        }
        cursor = page["cursor"].as_str().map(str::to_owned).or(cursor);
        if decisions.is_empty() {
            if over {
                return read;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
