//! Pieces of HTML that pages share.

pub mod sprite;
pub mod title;
