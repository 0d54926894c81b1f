//! The web client: npm and what it calls, from here so that nobody has to remember it.

use std::{fs, path::PathBuf};

use anyhow::{Result, ensure};

use crate::shell::{command, exists, root, run};

/// Installs what the web client needs and builds it, for the next build of `orvale` to take in.
pub(crate) fn build() -> Result<()> {
    npm(&client(), &["run", "--silent", "build"])
}

/// Formatting, lints, types.
pub(crate) fn lint() -> Result<()> {
    npm(&client(), &["run", "--silent", "lint"])?;
    npm(&client(), &["run", "--silent", "types"])
}

/// The tests that need no server; those whose name contains this, if given.
pub(crate) fn test(name: Option<&str>) -> Result<()> {
    let mut arguments = vec!["run", "--silent", "test"];
    if let Some(name) = name {
        arguments.extend(["--", "--testNamePattern", name]);
    }
    npm(&client(), &arguments)
}

fn client() -> PathBuf {
    root().join("client-web")
}

/// npm in a folder with a package of ours, everything it needs installed as the lock file says.
pub(crate) fn npm(folder: &PathBuf, arguments: &[&str]) -> Result<()> {
    install(folder)?;
    let mut npm = command("npm", arguments);
    npm.current_dir(folder);
    run(npm)
}

/// `npm ci`, unless what is installed is what the lock file says.
pub(crate) fn install(folder: &PathBuf) -> Result<()> {
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
