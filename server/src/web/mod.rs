//! What a browser gets: the pages of `app`, the calls of its forms, the built site, and the headers that guard them.

pub mod assets;
mod docs;
mod guard;
mod headers;
mod pages;
mod patch;
mod problem;
mod trace;

pub use app::caller::RequestId;
pub use docs::{openapi, openapi_for_tokens, reference};
pub use guard::browser;
pub use headers::Site;
pub use pages::{listing, pages};
pub use patch::patch;
pub use trace::outermost;
