//! The command line: what operators run, and what pipelines run.
//!
//! Exit codes are a contract with pipelines: 0 is yes, everything else is no. `gate` answers 1 (rejected) and 2 (not
//! allowed when time ran out); 3 means, for every command of a pipeline, that there is no answer: it could not ask, or was
//! called wrongly. Clap's own exit code for a wrong call is 2, so it is never used.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line answers on stdout and explains itself on stderr"
)]

mod client;
mod demo;
mod deployment;
mod evidence;
mod gate;
mod git;
mod hosts;
mod landing;
mod marks;
mod migrate;
mod objects;
mod people;
mod person;
mod policy;
mod serve;
mod submit;
mod token;

use clap::{Parser, Subcommand};
use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

/// What a pipeline gets when there is no answer. Clap's 2 would say "not signed off yet".
const NO_ANSWER: u8 = 3;

#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    about = "Sign-off for AI-assisted changes: a senior's decision, and a gate that knows it.",
    after_help = "Settings are environment variables; each secret also as NAME_FILE. docs/OPERATIONS.md lists them."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve,
    /// Make or update the schema, and the role that `serve` connects as.
    Migrate,
    /// Make a believable week of a company that does not exist, to try Countersign out.
    Demo(demo::Options),
    /// Tell Countersign of a change: run in a git checkout, in CI.
    Submit(submit::Options),
    /// Show the marks of AI tools in a local repository: nothing is sent anywhere.
    Marks(marks::Options),
    /// Ask whether a commit may pass.
    Gate(gate::Options),
    /// Tell Countersign what was shipped where.
    #[command(subcommand)]
    Deployment(deployment::Options),
    /// Ask something of the code hosts that are connected.
    #[command(subcommand)]
    Hosts(hosts::Options),
    /// Make, list and revoke the tokens of pipelines.
    #[command(subcommand)]
    Token(token::Options),
    /// Check, push and show what a repository demands.
    #[command(subcommand)]
    Policy(policy::Options),
    /// Say by hand what somebody may do.
    #[command(subcommand)]
    Person(person::Options),
    /// Take over what a directory says of people: who they are, their levels, teams and accounts.
    #[command(subcommand)]
    People(people::Options),
}

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_call(&error),
    };
    // Two TLS libraries would be one too many, so reqwest has none built in and takes the one that is installed here.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return failed("TLS was set up twice", NO_ANSWER);
    }
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(cli.command.run()),
        Err(error) => failed(
            format_args!("this machine does not let a program start threads: {error}"),
            NO_ANSWER,
        ),
    }
}

impl Command {
    async fn run(self) -> ExitCode {
        match self {
            Command::Serve => done(serve::run().await, 1),
            Command::Migrate => done(migrate::run().await, 1),
            Command::Demo(options) => done(demo::run(options).await, 1),
            Command::Submit(options) => done(submit::run(options).await, NO_ANSWER),
            Command::Marks(options) => done(marks::run(&options), NO_ANSWER),
            Command::Gate(options) => gate::run(options).await,
            Command::Deployment(options) => done(deployment::run(options).await, NO_ANSWER),
            Command::Hosts(options) => done(hosts::run(options).await, 1),
            Command::Token(options) => done(token::run(options).await, 1),
            Command::Policy(options) => policy::run(options).await,
            Command::Person(options) => done(person::run(options).await, 1),
            Command::People(options) => done(people::run(options).await, 1),
        }
    }
}

/// Help and version are asked for; anything else that clap stops at is a wrong call.
fn wrong_call(error: &clap::Error) -> ExitCode {
    // Nobody is there to be told when stdout and stderr are closed.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(NO_ANSWER)
    } else {
        ExitCode::SUCCESS
    }
}

fn done(result: anyhow::Result<()>, otherwise: u8) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(format_args!("{error:#}"), otherwise),
    }
}

fn failed(why: impl Display, code: u8) -> ExitCode {
    warn(why);
    ExitCode::from(code)
}

/// Says so on stderr. Where that is closed, the exit code still says what it says.
fn warn(what: impl Display) {
    let _ = writeln!(io::stderr(), "countersign: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
