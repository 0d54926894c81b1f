//! What people do with this repository, as commands: `cargo xtask run`, `test`, `bench`, …
//!
//! One file each. They call cargo, npm and pip as a person would, and print what they call.

#![allow(clippy::print_stdout, reason = "a command line tool talks to its user")]

mod bench;
mod browser;
mod client;
mod crash;
mod debian;
mod fill;
mod lint;
mod python;
mod run;
mod shell;
mod synapse;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What people do with this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds Orvale and starts it, with demo people and rooms if ./data is empty
    Run(run::Options),
    /// As run, but built without optimisation: quicker to build, for trying an edit
    Dev(run::Options),
    /// Installs what the tests need and runs them all
    Test(test::Options),
    /// Measures Orvale, and other servers in the same run
    Bench(bench::Options),
    /// Kills and cuts the power of the store and of the whole server under load, many times over
    Crash(crash::Options),
    /// Makes a large store and measures the server on it
    Fill(fill::Options),
    /// Formatting and lints
    Lint(lint::Options),
    /// Checks the licences of all dependencies and looks for known vulnerabilities (needs cargo-deny; installs it)
    Deny,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Run(options) => run::run(&options, true),
        Command::Dev(options) => run::run(&options, false),
        Command::Test(options) => test::test(&options),
        Command::Bench(options) => bench::bench(&options),
        Command::Crash(options) => crash::crash(&options),
        Command::Fill(options) => fill::fill(&options),
        Command::Lint(options) => lint::lint(&options),
        Command::Deny => lint::deny(),
    }
}
