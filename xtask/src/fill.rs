//! `cargo xtask fill`: a large store, and how the server starts and lives on it.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    run::target_dir,
    shell::{cargo, command, run},
};

#[derive(Args)]
pub(crate) struct Options {
    /// How many events
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Where; what is there already is added to
    #[arg(long)]
    directory: Option<PathBuf>,
}

pub(crate) fn fill(options: &Options) -> Result<()> {
    run(cargo(&[
        "build",
        "--release",
        "--package",
        "orvale-server",
        "--package",
        "orvale-fill",
    ]))?;
    let named = || target_dir().join(format!("fill-{}", options.events));
    let directory = options.directory.clone().unwrap_or_else(named);
    let fill = target_dir().join("release/fill");
    let mut make = command(&fill, &["make", "--events", &options.events.to_string()]);
    make.arg(&directory);
    run(make)?;
    let mut measure = command(&fill, &["measure"]);
    measure.arg(&directory);
    measure.env("ORVALE_TEST_BINARY", target_dir().join("release/orvale"));
    run(measure)
}
