//! `cargo xtask lint`, `deny`

use anyhow::Result;
use clap::Args;

use crate::{
    client,
    shell::{beside, cargo, exists, run},
};

#[derive(Args)]
pub(crate) struct Options {
    /// Leaves out Clippy: where it is the compiler, as in CI, it speaks when the tests are built
    #[arg(long)]
    without_clippy: bool,
}

pub(crate) fn lint(options: &Options) -> Result<()> {
    run(cargo(&["fmt", "--all", "--check"]))?;
    let rust_sdk = "tests/conformance/rust/Cargo.toml";
    run(cargo(&["fmt", "--manifest-path", rust_sdk, "--check"]))?;
    // Its lock file knows what our crates need; told here, not after all other tests.
    run(cargo(&["fetch", "--locked", "--manifest-path", rust_sdk]))?;
    let [style, types] = client::lints()?;
    beside(vec![style], || {
        run(types)?;
        if options.without_clippy {
            return Ok(());
        }
        let mut clippy = cargo(&["clippy", "--workspace", "--all-targets"]);
        clippy.args(["--", "--deny", "warnings"]);
        run(clippy)
    })
}

pub(crate) fn deny() -> Result<()> {
    if !exists("cargo-deny", &["--version"]) {
        run(cargo(&["install", "cargo-deny", "--locked"]))?;
    }
    run(cargo(&["deny", "check"]))
}
