//! The `orvale` binary: the whole product on one machine.
//!
//! | file | holds |
//! |---|---|
//! | `config.rs` | the settings: one file, read once |
//! | `build.rs` | putting the parts together, from the bottom up |
//! | `router.rs` | everything that is served, as one router |
//! | `listen.rs`, `tls.rs` | connections, and the certificates of those that have one |
//! | `serve.rs` | `orvale serve`: from the start to the end |
//! | `orders.rs`, `backup.rs`, `reindex.rs` | `orvale check`, `backup`, `restore`, `reindex`, also while it runs |
//! | `check.rs` | what `orvale check` verifies beside the store |
//! | `accounts.rs` | `orvale add-user` |
//! | `generate.rs` | `orvale generate-config` |
//! | `signing_key.rs`, `replace_key.rs` | the server's key; `orvale replace-key` |
//! | `observe.rs` | logs and figures |
//! | `landing/` | the page at `/connect` |
//! | `demo/` | people and rooms to try things with |

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod accounts;
mod backup;
mod build;
mod check;
mod config;
mod demo;
mod generate;
mod landing;
mod listen;
mod observe;
mod orders;
mod reindex;
mod replace_key;
mod router;
mod serve;
mod signing_key;
mod tls;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::{config::Config, orders::Order};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
#[command(
    version,
    about = "A Matrix homeserver for an organisation",
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Options,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the server (what happens without a command)
    Serve(serve::Options),
    /// Reads the whole store and says what is wrong with it, also while the server runs; all events and uploads too if it
    /// does not
    Check(Settings),
    /// Copies everything to a directory that does not exist yet, also while the server runs
    Backup {
        /// The directory
        to: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// Makes the data directory from a backup
    Restore {
        /// The backup
        from: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// Makes the index that searches use anew, also while the server runs
    Reindex(Settings),
    /// Prints a file of settings for the usual cases
    GenerateConfig(generate::Options),
    /// Has another key sign for the server while it does not run; the one before stays known for what it signed
    ReplaceKey(Settings),
    /// Makes an account while the server does not run, and prints its password
    AddUser(accounts::Options),
}

/// Where the settings are.
#[derive(Args)]
struct Settings {
    /// The file with the settings; without, the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Settings {
    fn load(&self) -> Result<Config> {
        Config::load(self.config.as_deref())
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let command = arguments.command.unwrap_or(Command::Serve(arguments.serve));
    let done = match command {
        Command::Serve(options) => return serve::serve(&options).await,
        Command::Check(settings) => orders::carry_out(&settings.load()?, &Order::Check).await?,
        Command::Reindex(settings) => orders::carry_out(&settings.load()?, &Order::Reindex).await?,
        Command::Backup { to, settings } => {
            // Relative to where the command is called, not to where the server runs.
            let order = Order::Backup(std::path::absolute(to)?);
            orders::carry_out(&settings.load()?, &order).await?
        }
        Command::Restore { from, settings } => backup::restore(&settings.load()?, &from).await?,
        Command::GenerateConfig(options) => generate::text(&options)?,
        Command::ReplaceKey(settings) => replace_key::replace(&settings).await?,
        Command::AddUser(options) => accounts::add(&options).await?,
    };
    println!("{done}");
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime can be started");
    let result = runtime.block_on(run(arguments));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orvale: {error:#}");
            ExitCode::FAILURE
        }
    }
}
