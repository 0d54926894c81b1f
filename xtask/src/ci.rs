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
    // Its lock file knows what our crates need; told here, not after all other tests.
    run(cargo(&["fetch", "--locked", "--manifest-path", rust_sdk]))?;
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
