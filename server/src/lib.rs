//! What runs only on the server: the REST gate, sign-in, the pages' host, jobs, and the command line.

pub mod api;
pub mod auth;
pub mod cli;
pub mod connections;
pub mod forges;
mod health;
pub mod jobs;
pub mod limits;
pub mod problem;
pub mod serve;
pub mod settings;
pub mod state;
pub mod stop;
pub mod web;
