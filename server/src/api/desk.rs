//! Where questions to the gate are put. Those that come while others are being asked share the next statement: under load one
//! trip to the database answers many. Each is answered from a statement that began after it had arrived, as if it had come alone.

use crate::problem::Refusal;
use domain::problem::Problem;
use std::{mem, sync::Arc};
use store::{
    Db,
    gates::{self, Asked, Asking, Glance},
};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How many statements are under way at once: with one, a slow answer would hold up whoever comes after it.
const AT_ONCE: usize = 2;
/// The most questions of one statement.
const MOST: usize = 64;
/// The most that wait for one: a database that does not answer fills the desk, and whoever comes then is told so at once.
const WAITING: usize = 10_000;

/// Takes questions until the last handle is gone. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    questions: mpsc::Sender<Put>,
    db: Db,
    claims_max_age: time::Duration,
}

/// A question that was put, and who waits for its answer: dropped without one, they ask once more, alone.
#[derive(Debug)]
struct Put {
    asking: Asking,
    answer: Asker,
}

type Asker = oneshot::Sender<Result<Option<Asked>, Refusal>>;

impl Desk {
    /// A desk over this database.
    #[must_use]
    pub fn over(db: Db, claims_max_age: time::Duration) -> Self {
        let (questions, put) = mpsc::channel(WAITING);
        tokio::spawn(take(db.clone(), put));
        Self {
            questions,
            db,
            claims_max_age,
        }
    }

    /// What is known of one commit; none if there is no such token.
    ///
    /// # Errors
    /// 503 where the database cannot be asked, 500 where it holds what this version does not understand.
    pub async fn ask(&self, asking: Asking) -> Result<Option<Asked>, Refusal> {
        let (answer, answered) = oneshot::channel();
        let put = Put {
            asking: asking.clone(),
            answer,
        };
        self.questions
            .try_send(put)
            .map_err(|_| Problem::Unavailable)?;
        match answered.await {
            Ok(answer) => answer,
            Err(_) => {
                let asked = gates::ask_facts(&self.db, &[asking], self.claims_max_age).await?;
                Ok(asked.into_iter().next().flatten())
            }
        }
    }

    /// What is known of many commits, as one snapshot has it.
    ///
    /// # Errors
    /// Likewise.
    pub async fn ask_all(&self, asking: &[Asking]) -> Result<Vec<Option<Asked>>, Refusal> {
        Ok(gates::ask(&self.db, asking, self.claims_max_age).await?)
    }
}

/// Answers what is put until nobody can put anything any more.
async fn take(db: Db, mut put: mpsc::Receiver<Put>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut waiting = Vec::new();
    // The place first: who comes while all are taken goes with the next statement.
    while let Ok(place) = places.clone().acquire_owned().await {
        if put.recv_many(&mut waiting, MOST).await == 0 {
            return;
        }
        let (db, together) = (db.clone(), mem::take(&mut waiting));
        // A task of its own: a panic ends one statement and not the desk.
        tokio::spawn(async move {
            answer(&db, together).await;
            drop(place);
        });
    }
}

async fn answer(db: &Db, together: Vec<Put>) {
    let (questions, askers): (Vec<Asking>, Vec<Asker>) = together
        .into_iter()
        .filter(|put| !put.answer.is_closed())
        .map(|put| (put.asking, put.answer))
        .unzip();
    match gates::glance(db, &questions).await {
        Ok(glances) => {
            for (asker, glance) in askers.into_iter().zip(glances) {
                tell(asker, glance);
            }
        }
        Err(error) if error.is_unavailable() => {
            let refusal = Refusal::from(error);
            for asker in askers {
                let _ = asker.send(Err(refusal.clone()));
            }
        }
        // One row that nobody understands is one question's trouble.
        Err(error) => {
            tracing::warn!(%error, questions = askers.len(), "Questions that shared a statement are asked one by one");
        }
    }
}

/// Tells what one statement could say. Whoever is gone needs no answer; the facts of a change take longer than others who
/// came at the same time should wait.
fn tell(asker: Asker, glance: Glance) {
    let _ = match glance {
        Glance::NoToken => asker.send(Ok(None)),
        Glance::Fresh(asked) => asker.send(Ok(Some(*asked))),
        Glance::Stale => return,
    };
}
