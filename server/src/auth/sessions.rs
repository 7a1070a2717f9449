//! Sessions of browsers, in Postgres: what the cookie holds is kept only as a hash, and what was revoked stays revoked.

use super::cookies::CookieNames;
use crate::settings;
use domain::{Timestamp, ids::PersonId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use store::{
    Db,
    sessions::{self, IdHash},
};
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// The key under which a session holds its person.
pub(super) const PERSON: &str = "person";

/// The key under which it holds the ID token, to end the session at the provider too.
pub(super) const ID_TOKEN: &str = "id_token";

/// Sessions of this database that last as the settings say.
#[derive(Debug, Clone)]
pub struct PostgresSessions {
    db: Db,
    last: settings::Sessions,
}

/// The layer that finds and keeps the session of each request. The cookie is `Lax`: people come from links in mail and chat.
#[must_use]
pub fn layer(
    db: Db,
    last: settings::Sessions,
    names: CookieNames,
) -> SessionManagerLayer<PostgresSessions> {
    SessionManagerLayer::new(PostgresSessions { db, last })
        .with_name(names.session())
        .with_path("/")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(names.secure())
        // How long the browser keeps the cookie. How long it opens anything is up to the store.
        .with_expiry(Expiry::OnInactivity(last.absolute))
}

#[async_trait::async_trait]
impl SessionStore for PostgresSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let now = self.db.now();
        let session = sessions::Session {
            person: person(&record.data),
            data: written(&record.data)?,
            expires_at: now + self.last.absolute,
        };
        let mut conn = self.connection().await?;
        while !sessions::create(&mut conn, &hash(&record.id), &session, now)
            .await
            .map_err(backend)?
        {
            record.id = Id::default();
        }
        Ok(())
    }

    /// Writes nothing if the session was revoked meanwhile, and that is no error: the request that is running was allowed
    /// when it began, and the next one will not be.
    async fn save(&self, record: &Record) -> Result<()> {
        let mut conn = self.connection().await?;
        let data = written(&record.data)?;
        sessions::save(
            &mut conn,
            &hash(&record.id),
            person(&record.data),
            &data,
            self.db.now(),
        )
        .await
        .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let mut conn = self.connection().await?;
        let found = sessions::load(&mut conn, &hash(id), self.last.idle, self.db.now())
            .await
            .map_err(backend)?;
        found
            .map(|session| read(*id, &session.data, session.expires_at))
            .transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let mut tx = self.db.begin().await.map_err(backend)?;
        sessions::revoke(&mut tx, &hash(id))
            .await
            .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}

impl PostgresSessions {
    async fn connection(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>> {
        self.db
            .pool()
            .acquire()
            .await
            .map_err(|error| backend(error.into()))
    }
}

fn hash(id: &Id) -> IdHash {
    Sha256::digest(id.0.to_le_bytes()).into()
}

fn person(data: &HashMap<String, Value>) -> Option<PersonId> {
    data.get(PERSON)?.as_str()?.parse().ok()
}

fn written(data: &HashMap<String, Value>) -> Result<Vec<u8>> {
    serde_json::to_vec(data).map_err(|error| Error::Encode(error.to_string()))
}

fn read(id: Id, data: &[u8], expiry_date: Timestamp) -> Result<Record> {
    let data = serde_json::from_slice(data).map_err(|error| Error::Decode(error.to_string()))?;
    Ok(Record {
        id,
        data,
        expiry_date,
    })
}

fn backend(error: store::Error) -> Error {
    Error::Backend(error.to_string())
}
