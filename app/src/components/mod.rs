//! Pieces of HTML that pages share.

pub mod deployments;
pub mod diff;
pub mod digest;
pub mod exceptional;
pub mod frame;
pub mod history;
pub mod link;
pub mod marks;
pub mod merged;
pub mod mode;
pub mod policy;
pub mod readers;
pub mod remarks;
pub mod since;
pub mod slots;
pub mod source;
pub mod sprite;
pub mod stand_ins;
pub mod text;
pub mod time;
pub mod title;
pub mod tree;
pub mod unmarked;
pub mod verdict;
