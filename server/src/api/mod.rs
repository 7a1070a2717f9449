//! REST under `/api/v1`.

mod parse;
pub mod wire;
