//! Large stores, and how the server starts and lives on them.
//!
//! ```text
//! fill make    <directory> --events 1000000   rooms and people with so many events; ends as kill -9 does
//! fill crowd   <directory> --share 10         one person in thousands of rooms, one of them huge: what the browser is tried with
//! fill measure <directory>                    starts the server on it, works with it, kills it, starts it again
//! ```
//!
//! Events take the one way in, `Rooms::append`, without HTTP in front. Few rooms are large and busy, many are small and quiet.
//! `cargo xtask fill` does both and looks after the builds.

#![expect(clippy::print_stdout, reason = "it is here to print")]

mod crowd;
mod make;
mod measure;
mod sizes;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
#[command(about = "Large stores, and how the server starts and lives on them")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes one, or adds to one
    Make(make::Options),
    /// Makes the one that the tests in a browser use: ada, her rooms, and a room with a crowd
    Crowd(crowd::Options),
    /// Starts the server on one
    Measure {
        /// What `make` was given
        directory: PathBuf,
        /// How often it is killed
        #[arg(long, default_value_t = 3)]
        kills: u32,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Make(options) => make::make(options).await,
        Command::Crowd(options) => crowd::make(&options).await,
        Command::Measure { directory, kills } => measure::measure(&directory, kills).await,
    }
}
