//! Answers that clients got, asked for once more when everything that they were judged on has become another.

use crate::stage::{Stage, two};
use domain::people::Level;
use futures::{StreamExt as _, stream};
use serde_json::Value;
use store::{people, policies};

/// How many are asked at a time.
const AT_ONCE: usize = 8;

impl Stage {
    /// Promotes, demotes and deactivates everybody, and asks for more approvals everywhere. Links were withdrawn and changes sent to
    /// another branch when each try was over.
    pub async fn turns(&self) {
        let mut tx = self.app.begin().await.unwrap();
        for (at, person) in people::all(tx.conn())
            .await
            .unwrap()
            .into_iter()
            .enumerate()
        {
            let level = [Level::Junior, Level::Mid, Level::Senior][at % 3];
            let promoted = people::set_level(&mut tx, person, Some(level));
            promoted.await.unwrap();
            people::deactivate(&mut tx, person).await.unwrap();
        }
        let version = policies::configure(&mut tx, &two()).await.unwrap();
        assert_eq!(version, Some(2), "another policy than before");
        tx.commit().await.unwrap();
    }

    /// Those of the answers that are given otherwise now, each with what is said instead.
    pub async fn tells_otherwise(&self, answers: &[Value]) -> Vec<String> {
        let asked = stream::iter(answers.iter().enumerate());
        let said = asked.map(|(at, answer)| async move {
            let then = self.tells_again(at % 2, answer).await;
            let is_same = without_names(then.clone()) == without_names(answer.clone());
            (!is_same).then(|| format!("was told:\n{answer}\nis told as of then:\n{then}"))
        });
        let said = said.buffer_unordered(AT_ONCE);
        said.filter_map(async |otherwise| otherwise).collect().await
    }

    async fn tells_again(&self, server: usize, answer: &Value) -> Value {
        let text = |name: &str| answer[name].as_str().unwrap();
        let door = &self.doors[server];
        let address = door.at(&format!(
            "/api/v1/gate/past?repository={}&commit={}&as_of={}",
            text("repository"),
            text("commit"),
            text("snapshot")
        ));
        let request = door.http.get(address).bearer_auth(&self.secret);
        let mut past: Value = request.send().await.unwrap().json().await.unwrap();
        if past["allow"] == false {
            past["then"].take()
        } else {
            past
        }
    }
}

/// An answer without those who could help: who has least to do stands first, and a standing has what they had to do when it was made.
fn without_names(mut answer: Value) -> Value {
    for need in answer["needs"].as_array_mut().into_iter().flatten() {
        need["people"].take();
    }
    answer
}
