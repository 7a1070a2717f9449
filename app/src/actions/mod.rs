//! Every call that a browser can make; writes only. Who reads this folder knows who can do what.

mod theme;

pub use theme::{SetTheme, Theme, set_theme};

#[cfg(feature = "ssr")]
pub use theme::COOKIE as THEME_COOKIE;
