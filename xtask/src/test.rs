//! `cargo xtask test`

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    browser, client, debian,
    shell::{cargo, command, exists, root, run},
};

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Leaves out the tests with clients from npm and PyPI, and those in a browser
    #[arg(long)]
    without_clients: bool,
    /// Only tests whose name contains this
    name: Option<String>,
}

pub(crate) fn test(options: &Options) -> Result<()> {
    if !options.without_clients {
        install_clients()?;
    }
    client::test(options.name.as_deref())?;
    client::build()?;
    // The tests of whole programs start the real binary.
    run(cargo(&[
        "build",
        "--package",
        "orvale-server",
        "--bin",
        "orvale",
    ]))?;
    if !options.without_clients {
        browser::test(options.name.as_deref())?;
    }
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.args(&options.name);
    if options.without_clients {
        tests.env("ORVALE_TEST_WITHOUT_CLIENTS", "1");
    } else {
        tests.env("ORVALE_TEST_PYTHON", python());
    }
    run(tests)
}

fn conformance() -> PathBuf {
    root().join("tests/conformance")
}

/// The Python that has what the tests need.
fn python() -> PathBuf {
    conformance().join(".venv/bin/python")
}

/// The clients that nobody here wrote: matrix-js-sdk from npm, matrix-nio from PyPI.
fn install_clients() -> Result<()> {
    let js = conformance().join("js");
    if js.join("package.json").exists() {
        ensure!(
            exists("npm", &["--version"]),
            "the tests with matrix-js-sdk need Node and npm: install them first"
        );
        let mut npm = command(
            "npm",
            &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
        );
        npm.current_dir(&js);
        run(npm)?;
    }
    let requirements =
        ["nio", "fuzz"].map(|suite| conformance().join(suite).join("requirements.txt"));
    if !python().exists() {
        if !exists("python3", &["-c", "import ensurepip, venv"]) {
            debian::install(&["python3", "python3-venv"], "testing with matrix-nio")?;
        }
        let mut venv = command("python3", &["-m", "venv"]);
        venv.arg(conformance().join(".venv"));
        run(venv)?;
    }
    let mut pip = command(
        python(),
        &[
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ],
    );
    for requirements in requirements {
        pip.arg("-r").arg(requirements);
    }
    run(pip)?;
    Ok(())
}
