//! `cargo xtask crash`

use anyhow::Result;
use clap::Args;

use crate::shell::{cargo, run};

#[derive(Args)]
pub(crate) struct Options {
    /// How many times of each kind
    #[arg(long, default_value_t = 100)]
    rounds: u32,
}

pub(crate) fn crash(options: &Options) -> Result<()> {
    for suite in ["crash"] {
        let mut tests = cargo(&[
            "test",
            "--release",
            "--package",
            "orvale-storage",
            "--test",
            suite,
            "--",
            "--nocapture",
        ]);
        tests.env("ORVALE_CRASH_ROUNDS", options.rounds.to_string());
        run(tests)?;
    }
    Ok(())
}
