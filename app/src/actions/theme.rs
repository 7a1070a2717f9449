//! Paper or ink: the one setting that belongs to a browser and not to a person, so it is a cookie and not a row.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// Where the choice is kept. It says nothing about anybody, so scripts may write it.
pub const COOKIE: &str = "theme";

/// Which colours a browser wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// What the system says.
    #[default]
    System,
    /// Paper by day.
    Light,
    /// Ink by night.
    Dark,
}

impl Theme {
    /// The word in the cookie and in `data-theme`.
    pub const fn word(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// The cookie that keeps it for a year.
    pub fn cookie(self) -> String {
        let (word, year) = (self.word(), 60 * 60 * 24 * 365);
        format!("{COOKIE}={word}; Path=/; Max-Age={year}; SameSite=Lax")
    }

    /// Anything unknown is the system's choice: a cookie is whatever its bearer wants it to be.
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::System,
        }
    }
}

/// Remembers the colours that this browser wants. Nobody is asked who they are: nothing but their own cookie changes.
#[server(prefix = "/fn", endpoint = "theme")]
pub async fn set_theme(theme: Theme) -> Result<(), ServerFnError> {
    use axum::http::{HeaderValue, header::SET_COOKIE};

    if let Ok(value) = HeaderValue::from_str(&theme.cookie()) {
        expect_context::<leptos_axum::ResponseOptions>().append_header(SET_COOKIE, value);
    }
    Ok(())
}
