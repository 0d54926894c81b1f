//! The `orvale` binary: the whole product on one machine.
//!
//! | file | holds |
//! |---|---|
//! | `config.rs` | the settings: one file, read once |
//! | `build.rs` | putting the parts together, from the bottom up |
//! | `router.rs` | everything that is served, as one router |
//! | `listen.rs` | connections |
//! | `serve.rs` | `orvale serve`: from the start to the end |
//! | `signing_key.rs` | the server's key |
//! | `observe.rs` | logs and figures |
//! | `landing/` | the page at `/` |
//! | `demo.rs` | people and rooms to try things with |

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod build;
mod config;
mod landing;
mod listen;
mod observe;
mod router;
mod serve;
mod signing_key;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::config::Config;

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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime can be started");
    let result = runtime.block_on(async {
        match arguments.command {
            None => serve::serve(&arguments.serve).await,
            Some(Command::Serve(options)) => serve::serve(&options).await,
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orvale: {error:#}");
            ExitCode::FAILURE
        }
    }
}
