//! `cargo xtask test`

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    browser, client, debian, python,
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
    let name = options.name.as_deref();
    let mut aside = vec![client::tests(name)?];
    let mut clients = None;
    if !options.without_clients {
        let (python, install) = sdk()?;
        aside.extend(install);
        let (homeserver, install) = synapse::installation(&target_dir().join("bench"));
        aside.extend(install);
        clients = Some((python, homeserver, browser::tests(name)?));
    }
    client::build()?;
    // The programs that tests start, built together with the tests: another choice of packages would have other features, and
    // everything would be built twice.
    beside(aside, || {
        run(cargo(&["build", "--workspace", "--all-targets"]))
    })?;
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.args(name);
    let recorded = target_dir().join("operations");
    if recorded.exists() {
        std::fs::remove_dir_all(&recorded)?;
    }
    tests.env("ORVALE_RECORD", &recorded);
    tests.env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
    let Some((python, homeserver, [stories, figures])) = clients else {
        tests.env("ORVALE_TEST_WITHOUT_CLIENTS", "1");
        return run(tests);
    };
    tests.env("ORVALE_TEST_PYTHON", python);
    tests.env("ORVALE_TEST_SYNAPSE", homeserver);
    // Those in a browser compute, those over HTTP mostly wait: each fills the other's gaps. What measures time has the machine to itself,
    // also when one of them failed.
    let told = beside(vec![stories], || {
        run(tests)?;
        run(rust_sdk(&["--no-run"]))
    });
    let measured = run(figures);
    told.and(measured)?;
    if name.is_none() {
        run(operations(&recorded))?;
    }
    run(rust_sdk(name.as_slice()))
}

/// Holds the table of operations against what the tests called.
fn operations(recorded: &Path) -> Command {
    let mut table = cargo(&["test", "--workspace", TABLE]);
    table.env("ORVALE_RECORDED", recorded);
    table.env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
    table
}

/// The journeys with matrix-rust-sdk: a workspace of their own, in the same folder for what is built.
fn rust_sdk(how: &[&str]) -> Command {
    let mut tests = cargo(&["test", "--locked", "--ignore-rust-version"]);
    let manifest = conformance().join("rust/Cargo.toml");
    tests.arg("--manifest-path").arg(manifest);
    tests.arg("--target-dir").arg(target_dir());
    tests.env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
    tests.args(how);
    tests
}

fn conformance() -> PathBuf {
    root().join("tests/conformance")
}

/// The clients that nobody here wrote, matrix-js-sdk from npm, matrix-nio and mautrix from PyPI: the Python of the latter, and how they
/// are installed.
fn sdk() -> Result<(PathBuf, Vec<Command>)> {
    ensure!(
        exists("npm", &["--version"]),
        "the tests with matrix-js-sdk need Node and npm: install them first"
    );
    let mut npm = command(
        "npm",
        &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    );
    npm.current_dir(conformance().join("js"));
    if !exists("python3", &["-c", "import ensurepip, venv"]) {
        debian::install(
            &["python3", "python3-venv"],
            "testing with matrix-nio and mautrix",
        )?;
    }
    let wanted =
        ["nio", "mautrix", "fuzz"].map(|suite| conformance().join(suite).join("requirements.txt"));
    let told = wanted
        .iter()
        .flat_map(|file| ["-r".as_ref(), file.as_os_str()]);
    let (python, mut steps) = python::installation(&conformance().join(".venv"), told);
    steps.push(npm);
    Ok((python, steps))
}
