//! People: who they are, and what they decide.

use super::{
    TestServer,
    browsers::{Answer, Browser, Form},
    changes::Change,
};
use domain::{
    contributor::keys,
    decision::{Kind, Proposed, Reason},
    ids::{FormKey, PersonId},
    people::{Groups, Level, Role},
    problem::Problem,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{
    Tx, decisions,
    people::{self, Claims},
    sessions,
};

/// Somebody who has signed in, and sits before a browser.
#[derive(Clone)]
pub struct Human {
    pub t: TestServer,
    pub id: PersonId,
    pub browser: Browser,
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
        self.signs_in(name, level, &["payments"], vec![]).await
    }

    /// An admin without a level.
    pub async fn admin(&self, name: &str) -> Human {
        self.signs_in(name, None, &["payments"], vec![Role::Admin])
            .await
    }

    /// Somebody who signs in now, with what the groups say of them.
    pub async fn signs_in(
        &self,
        name: &str,
        level: Option<Level>,
        teams: &[&str],
        roles: Vec<Role>,
    ) -> Human {
        let mut tx = self.db.begin().await.unwrap();
        let claims = Claims {
            issuer: "https://sso.halden.example".to_owned(),
            subject: name.to_owned(),
            name: name.to_owned(),
            email: Some(format!("{name}@halden.example")),
            login: Some(name.to_owned()),
            levels: level.into_iter().collect(),
            teams: teams.iter().map(|&team| team.to_owned()).collect(),
            roles,
            groups: Groups::Read,
        };
        let id = people::upsert_at_sign_in(&mut tx, &claims).await.unwrap();
        tx.commit().await.unwrap();
        let session = self.session_of(id).await;
        self.before_a_browser(id, &session)
    }

    /// Somebody in whose browser this session is open.
    pub fn before_a_browser(&self, id: PersonId, session: &str) -> Human {
        Human {
            t: self.clone(),
            id,
            browser: Browser::with_session(session),
        }
    }

    /// Opens a session as the last step of signing in does, and says what its cookie holds.
    async fn session_of(&self, person: PersonId) -> String {
        let id = tower_sessions::session::Id::default();
        let hash = Sha256::digest(id.0.to_le_bytes()).into();
        let session = sessions::Session {
            person: Some(person),
            data: json!({ "person": person }).to_string().into_bytes(),
            expires_at: self.db.now() + time::Duration::DAY,
        };
        let mut conn = self.db.pool().acquire().await.unwrap();
        let opened = sessions::create(&mut conn, &hash, &session, self.db.now());
        assert!(opened.await.unwrap());
        id.to_string()
    }
}

impl Human {
    /// Approves what the page of the change shows, which must be recorded.
    pub async fn approve(&self, change: &Change) {
        self.presses(Kind::Approve, change, "").await.unwrap();
    }

    /// Rejects it.
    pub async fn reject(&self, change: &Change, why: &str) {
        self.presses(Kind::Reject, change, why).await.unwrap();
    }

    /// Takes back what they said before.
    pub async fn withdraw(&self, change: &Change) {
        self.presses(Kind::Withdraw, change, "").await.unwrap();
    }

    /// Opens the page of a change and presses a button of its form, whether it is disabled or not.
    ///
    /// # Errors
    /// The [`Problem`] with which it was refused.
    pub async fn presses(&self, kind: Kind, change: &Change, why: &str) -> Result<(), Problem> {
        let form = self.reads(change).await.press(kind).because(why);
        self.sends(&form).await.outcome()
    }

    /// Overrides what the page of the change shows, for an incident.
    ///
    /// # Errors
    /// The [`Problem`] with which it was refused.
    pub async fn breaks_the_glass(&self, change: &Change, incident: &str) -> Result<(), Problem> {
        let form = self.reads(change).await.press(Kind::Override);
        let form = form.because("payments are down").with("incident", incident);
        self.sends(&form).await.outcome()
    }

    /// Opens the page of a change of `acme/payments` and takes the form off it.
    pub async fn reads(&self, change: &Change) -> Form {
        let path = format!("/changes/{}", self.t.id_of(change).await);
        Form::on(&self.browser.page(&self.t, &path).await)
    }

    /// Sends a form as a browser without scripts does.
    pub async fn sends(&self, form: &Form) -> Answer {
        self.browser.send(&self.t, form).await
    }

    /// Sends a form as the island of the page does.
    pub async fn calls(&self, form: &Form) -> Answer {
        self.browser.call(&self.t, form).await
    }

    /// Has an operator deactivate them.
    pub async fn deactivated(&self) {
        let mut tx = self.t.db.begin().await.unwrap();
        people::deactivate(&mut tx, self.id).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Has an operator prove that the address `<name>@halden.example` is theirs.
    pub async fn linked(self, name: &str) -> Self {
        let mut tx = self.t.db.begin().await.unwrap();
        for key in keys(&format!("{name}@halden.example"), None) {
            people::link(&mut tx, self.id, &key).await.unwrap();
        }
        tx.commit().await.unwrap();
        self
    }

    /// Has an operator withdraw every link to that address.
    pub async fn unlinked(&self, name: &str) {
        let mut tx = self.t.db.begin().await.unwrap();
        for key in keys(&format!("{name}@halden.example"), None) {
            people::unlink(&mut tx, self.id, &key).await.unwrap();
        }
        tx.commit().await.unwrap();
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

    /// Decides about the current revision of a change of `acme/payments` as no form can: by an override, or without a page.
    ///
    /// # Errors
    /// The [`Problem`] with which it was refused.
    pub async fn decides(&self, change: &Change, kind: Kind) -> Result<(), Problem> {
        self.deciding(change, kind).await?.commit().await.unwrap();
        Ok(())
    }

    /// Decides, up to the commit.
    ///
    /// # Errors
    /// The [`Problem`] with which it was refused.
    pub async fn deciding(&self, change: &Change, kind: Kind) -> Result<Tx, Problem> {
        let id = self.t.id_of(change).await;
        let mut tx = self.t.db.begin().await.unwrap();
        let max_age = self.t.server.claims_max_age();
        let locked = decisions::locked_case(&mut tx, id, self.id, max_age).await;
        let locked = locked.unwrap().ok_or(Problem::NotFound)?;
        let decisions::Locked { case, seq, person } = locked;
        let proposed = Proposed {
            kind,
            seen: case.revision.digest,
            reason: Reason::parse("because").unwrap(),
            incident: (kind == Kind::Override).then(|| "INC-1".to_owned()),
            none_of_these_is_me: true,
            about: None,
            mark: None,
            stands_in_for: None,
            since: None,
            form_key: FormKey(store::ids::new()),
        };
        let decision = case.decide(&person, proposed, seq, tx.now())?;
        decisions::record(&mut tx, &decision, max_age)
            .await
            .unwrap();
        Ok(tx)
    }
}
