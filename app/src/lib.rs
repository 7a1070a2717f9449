//! What a person sees: pages made on the server, islands that run in the browser, and the actions they can call.
//!
//! The browser gets [`islands`] and the client half of [`actions`]; everything else compiles only with `ssr`.

pub mod actions;
pub mod islands;

#[cfg(feature = "ssr")]
pub mod caller;
#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod shell;
