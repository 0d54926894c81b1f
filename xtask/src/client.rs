//! The web client: npm and what it calls, from here so that nobody has to remember it.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};

use crate::shell::{command, exists, root, run};

/// Installs what the web client needs and builds it, for the next build of `orvale` to take in.
pub(crate) fn build() -> Result<()> {
    run(npm(&["run", "--silent", "build"])?)
}

/// Formatting and lints; types.
pub(crate) fn lints() -> Result<[Command; 2]> {
    Ok([
        npm(&["run", "--silent", "lint"])?,
        npm(&["run", "--silent", "types"])?,
    ])
}

/// The tests that need no server; those whose name contains this, if given.
pub(crate) fn tests(name: Option<&str>) -> Result<Command> {
    let mut tests = npm(&["run", "--silent", "test"])?;
    if let Some(name) = name {
        tests.args(["--", "--testNamePattern", name]);
    }
    Ok(tests)
}

/// npm in the folder of the web client, everything it needs installed as the lock file says.
fn npm(arguments: &[&str]) -> Result<Command> {
    let folder = root().join("client-web");
    install(&folder)?;
    let mut npm = command("npm", arguments);
    npm.current_dir(folder);
    Ok(npm)
}

/// `npm ci`, unless what is installed is what the lock file says.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let wanted = fs::read(folder.join("package-lock.json"))?;
    let mark = folder.join("node_modules/.installed-by-xtask");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    ensure!(
        exists("npm", &["--version"]),
        "the web client needs Node and npm: install them first"
    );
    let mut npm = command(
        "npm",
        &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    );
    npm.current_dir(folder);
    run(npm)?;
    fs::write(mark, wanted)?;
    Ok(())
}
