//! The interactive pieces: the only code that reaches the browser. Each works as a plain form or link without it.

mod theme;

pub use theme::ThemeSwitch;
