//! `cargo xtask run`, `cargo xtask dev`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    client,
    shell::{cargo, command, root, run as shell},
};

#[derive(Args)]
pub(crate) struct Options {
    /// Settings; without, the defaults, with everything kept in ./data
    #[arg(long)]
    config: Option<PathBuf>,
}

pub(crate) fn run(options: &Options, optimised: bool) -> Result<()> {
    client::build()?;
    let profile = if optimised { "release" } else { "dev" };
    shell(cargo(&[
        "build",
        "--package",
        "orvale-server",
        "--profile",
        profile,
    ]))?;
    let folder = if optimised { "release" } else { "debug" };
    let mut orvale = command(
        target_dir().join(folder).join("orvale"),
        &["serve", "--demo"],
    );
    if let Some(config) = &options.config {
        orvale.arg("--config").arg(config);
    }
    shell(orvale)
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
