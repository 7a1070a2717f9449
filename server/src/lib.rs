//! What runs only on the server.

pub mod api;
pub mod cli;
pub mod problem;
pub mod settings;
pub mod web;
