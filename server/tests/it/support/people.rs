//! People: who they are, and what they decide.

use super::{TestServer, changes::Change};
use domain::{
    contributor::keys,
    decision::{Kind, Proposed, Reason},
    ids::{FormKey, PersonId},
    people::{Groups, Level},
    problem::Problem,
};
use store::{
    decisions,
    people::{self, Claims},
};

/// Somebody who has signed in.
#[derive(Clone)]
pub struct Human {
    pub t: TestServer,
    pub id: PersonId,
}

impl TestServer {
    pub async fn senior(&self, name: &str) -> Human {
        self.human(name, Some(Level::Senior)).await
    }

    pub async fn junior(&self, name: &str) -> Human {
        self.human(name, Some(Level::Junior)).await
    }

    /// Somebody who signs in now with this level, and whose address is `<name>@halden.example`.
    pub async fn human(&self, name: &str, level: Option<Level>) -> Human {
        let mut tx = self.db.begin().await.unwrap();
        let claims = Claims {
            issuer: "https://sso.halden.example".to_owned(),
            subject: name.to_owned(),
            name: name.to_owned(),
            email: Some(format!("{name}@halden.example")),
            login: Some(name.to_owned()),
            levels: level.into_iter().collect(),
            teams: vec!["payments".to_owned()],
            roles: vec![],
            groups: Groups::Read,
        };
        let id = people::upsert_at_sign_in(&mut tx, &claims).await.unwrap();
        tx.commit().await.unwrap();
        Human {
            t: self.clone(),
            id,
        }
    }
}

impl Human {
    /// Has an operator prove that the address `<name>@halden.example` is theirs.
    pub async fn linked(self, name: &str) -> Self {
        let mut tx = self.t.db.begin().await.unwrap();
        for key in keys(&format!("{name}@halden.example"), None) {
            people::link(&mut tx, self.id, &key).await.unwrap();
        }
        tx.commit().await.unwrap();
        self
    }
}

impl Human {
    /// The same person at another server.
    pub fn at(&self, t: &TestServer) -> Self {
        Self {
            t: t.clone(),
            ..self.clone()
        }
    }

    /// Decides about the current revision of a change of `acme/payments`, as the form of its page does.
    ///
    /// # Errors
    /// The [`Problem`] with which it was refused.
    pub async fn decides(&self, change: &Change, kind: Kind) -> Result<(), Problem> {
        let mut tx = self.t.db.begin().await.unwrap();
        let id = self.t.id_of(change).await;
        let max_age = self.t.server.claims_max_age();
        let (case, seq) = decisions::locked_case(&mut tx, id, max_age)
            .await
            .unwrap()
            .unwrap();
        let person = people::load(tx.conn(), self.id).await.unwrap().unwrap();
        let proposed = Proposed {
            kind,
            seen: case.revision.digest,
            reason: Reason::parse("because").unwrap(),
            incident: (kind == Kind::Override).then(|| "INC-1".to_owned()),
            form_key: FormKey(store::ids::new()),
        };
        let decision = case.decide(&person, proposed, seq, tx.now())?;
        decisions::record(&mut tx, &decision, max_age)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Ok(())
    }
}
