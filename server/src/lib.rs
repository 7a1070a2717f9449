//! What runs only on the server.

pub mod api;
pub mod web;
