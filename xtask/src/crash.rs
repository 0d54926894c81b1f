//! `cargo xtask crash`

use anyhow::Result;
use clap::Args;

use crate::{
    run::target_dir,
    shell::{cargo, run},
};

#[derive(Args)]
pub(crate) struct Options {
    /// How many times of each kind
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Leaves out the power cuts, which only root can simulate, on a machine with loop devices
    #[arg(long)]
    without_power_cuts: bool,
}

pub(crate) fn crash(options: &Options) -> Result<()> {
    run(cargo(&["build", "--release", "--package", "orvale-server"]))?;
    let rounds = options.rounds.to_string();
    // The store alone, then the whole server.
    let store = ["test", "--release", "--package", "orvale-storage"];
    let server = ["test", "--package", "orvale-tests"];
    let suites: [(&[&str], _, _); 2] = [(&store, "crash", ""), (&server, "it", "crash::")];
    for (tests, suite, name) in suites {
        let mut tests = cargo(tests);
        tests.args(["--test", suite, "--", name]);
        tests.args(["--nocapture", "--test-threads=1"]);
        tests.env("ORVALE_TEST_BINARY", target_dir().join("release/orvale"));
        tests.env("ORVALE_CRASH_ROUNDS", &rounds);
        if !options.without_power_cuts {
            tests.env("ORVALE_POWER_ROUNDS", &rounds);
        }
        run(tests)?;
    }
    Ok(())
}
