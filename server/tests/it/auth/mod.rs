//! Signing in at a provider that lies, staying signed in, and being signed out.

mod groups;
mod id_tokens;
mod operator;
mod provider;
mod round_trip;
mod sessions;
pub mod site;
