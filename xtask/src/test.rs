//! `cargo xtask test`

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    browser, client, debian,
    run::target_dir,
    shell::{beside, cargo, command, exists, root, run},
    synapse,
};

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Leaves out the tests with clients and a homeserver from npm and PyPI, and those in a browser
    #[arg(long)]
    without_clients: bool,
    /// Only tests whose name contains this
    name: Option<String>,
}

/// The test that knows the operations of the specification.
const TABLE: &str = "operations::table_of_operations_tells_what_is_implemented_and_what_proves_it";

pub(crate) fn test(options: &Options) -> Result<()> {
    let mut homeserver = None;
    if !options.without_clients {
        install_clients()?;
        homeserver = Some(synapse::install(&target_dir().join("bench"))?);
    }
    client::build()?;
    // The programs that tests start, built together with the tests: another choice of packages would have other features, and
    // everything would be built twice.
    beside(vec![client::tests(options.name.as_deref())?], || {
        run(cargo(&["build", "--workspace", "--bins", "--tests"]))
    })?;
    if !options.without_clients {
        browser::test(options.name.as_deref())?;
    }
    let recorded = target_dir().join("operations");
    if recorded.exists() {
        std::fs::remove_dir_all(&recorded)?;
    }
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.args(&options.name);
    tests.env("ORVALE_RECORD", &recorded);
    tests.env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
    if options.without_clients {
        tests.env("ORVALE_TEST_WITHOUT_CLIENTS", "1");
    } else {
        tests.env("ORVALE_TEST_PYTHON", python());
        tests.envs(homeserver.map(|python| ("ORVALE_TEST_SYNAPSE", python)));
    }
    run(tests)?;
    if options.name.is_none() {
        run(operations(&recorded))?;
    }
    if !options.without_clients {
        run(rust_sdk(options.name.as_deref()))?;
    }
    Ok(())
}

/// Holds the table of operations against what the tests called.
fn operations(recorded: &Path) -> Command {
    let mut table = cargo(&["test", "--workspace", TABLE]);
    table.env("ORVALE_RECORDED", recorded);
    table.env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
    table
}

/// The journeys with matrix-rust-sdk: a workspace of their own, in the same folder for what is built.
fn rust_sdk(name: Option<&str>) -> Command {
    let mut tests = cargo(&["test", "--locked", "--ignore-rust-version"]);
    let manifest = conformance().join("rust/Cargo.toml");
    tests.arg("--manifest-path").arg(manifest);
    tests.arg("--target-dir").arg(target_dir());
    tests.env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
    tests.args(name);
    tests
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
