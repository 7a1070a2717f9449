//! The interactive pieces: the only code that reaches the browser. Each works as a plain form or link without it.

mod decide;
mod keys;
mod theme;

pub use decide::{DecisionForm, May};
pub use keys::{Jump, Keys};
pub use theme::ThemeSwitch;
