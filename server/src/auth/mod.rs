//! Who is asking: people by the company's sign-in and a session, machines by a token.
//!
//! A person's way in: `/sign-in` (a page) → `/auth/start` → the provider → `/auth/callback` → a session →
//! [`app::caller::SignedIn`] on each request. Nothing about a person, a session or a token is remembered between two requests.

mod attempt;
mod claims;
mod cookies;
mod http;
mod provider;
mod routes;
pub mod secret;
mod sessions;
mod signed_in;

// Only `web::docs` knows what a token may see of the pages.
pub(crate) use signed_in::ByToken;

use crate::{
    limits::Limits,
    settings::{self, Settings},
};
use axum::{Router, middleware::from_fn_with_state};
use cookies::CookieNames;
use domain::ids::PersonId;
use provider::Provider;
use std::{ops::Deref, sync::Arc};
use store::Db;

/// What browsers reach: these pages and calls for people who are signed in, and the way in and out. Needs the guard against
/// forms of other sites around it, as everything does that a cookie opens.
pub fn guarded(auth: &Auth, pages: Router) -> Router {
    pages
        .merge(routes::router(auth.clone()))
        .layer(from_fn_with_state(auth.clone(), signed_in::required))
        .layer(sessions::layer(
            auth.db.clone(),
            auth.sessions,
            auth.cookies,
        ))
}

/// All that signing in needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Auth(Arc<Inner>);

/// What [`Auth`] holds.
#[derive(Debug)]
pub struct Inner {
    pub db: Db,
    pub limits: Limits,
    site: settings::Site,
    sessions: settings::Sessions,
    cookies: CookieNames,
    provider: Provider,
}

impl Auth {
    /// Reads what it needs of the settings. The provider is not asked before somebody signs in.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(db: Db, settings: &Settings) -> Result<Self, reqwest::Error> {
        let provider = Provider::new(
            settings.provider.clone(),
            settings.groups.clone(),
            settings.site.at("/auth/callback"),
        )?;
        Ok(Self(Arc::new(Inner {
            db,
            limits: Limits::new(settings.limits, settings.listen.trusted_proxies.clone()),
            site: settings.site.clone(),
            sessions: settings.sessions,
            cookies: CookieNames::new(settings.site.is_https()),
            provider,
        })))
    }

    /// Whether somebody may come in now.
    async fn is_active(&self, person: PersonId) -> Result<bool, store::Error> {
        let mut conn = self.db.pool().acquire().await?;
        store::people::is_active(&mut conn, person).await
    }
}

impl Deref for Auth {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
