//! `cargo xtask ci`, `lint`, `deny`

use anyhow::Result;

use crate::{
    client,
    shell::{beside, cargo, exists, run},
    test,
};

pub(crate) fn ci() -> Result<()> {
    lint()?;
    test::test(&test::Options::default())
}

pub(crate) fn lint() -> Result<()> {
    run(cargo(&["fmt", "--all", "--check"]))?;
    let rust_sdk = "tests/conformance/rust/Cargo.toml";
    run(cargo(&["fmt", "--manifest-path", rust_sdk, "--check"]))?;
    beside(client::lints()?, || {
        run(cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]))
    })
}

pub(crate) fn deny() -> Result<()> {
    if !exists("cargo-deny", &["--version"]) {
        run(cargo(&["install", "cargo-deny", "--locked"]))?;
    }
    run(cargo(&["deny", "check"]))
}
