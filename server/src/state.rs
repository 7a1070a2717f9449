//! What every handler gets: the database, the settings, and what one process keeps for itself.

use crate::{
    api::{Desk, Intake, Noted},
    auth::Auth,
    forges::{Forges, hooks::Hooks},
    jobs::watch::Watch,
    settings::Settings,
    stop::Stop,
};
use std::sync::Arc;
use store::Db;

/// One server process. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    pub db: Db,
    pub settings: Arc<Settings>,
    /// Who may come in, and how often.
    pub auth: Auth,
    /// Where questions to the gate are put.
    pub desk: Desk,
    /// Wakes whoever waits for something to happen.
    pub watch: Watch,
    /// Whose use was noted a moment ago.
    pub noted: Noted,
    /// What submissions that are being taken in may hold.
    pub intake: Intake,
    /// The code hosts that are asked.
    pub forges: Forges,
    /// What the receiving of deliveries keeps.
    pub hooks: Hooks,
    /// Told when the process is to end.
    pub stop: Stop,
}

impl Server {
    /// A server over this database. Its watch begins with the first who waits, and the sign-in provider is asked when
    /// the first person signs in.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(db: Db, settings: Settings) -> anyhow::Result<Self> {
        Ok(Self {
            forges: Forges::new(&settings.hosts, &db)?,
            desk: Desk::over(db.clone(), settings.groups.max_age),
            watch: Watch::over(db.clone()),
            auth: Auth::new(db.clone(), &settings)?,
            db,
            settings: Arc::new(settings),
            noted: Noted::default(),
            intake: Intake::default(),
            hooks: Hooks::default(),
            stop: Stop::default(),
        })
    }

    /// How old the claims of a sign-in may be to grant something.
    #[must_use]
    pub fn claims_max_age(&self) -> time::Duration {
        self.settings.groups.max_age
    }
}
