//! What a fresh Debian machine lacks.

use anyhow::{Result, bail};

use crate::shell::{command, exists, output, run};

/// Installs packages of Debian, or says which to install where that is not ours to do.
pub(crate) fn install(packages: &[&str], purpose: &str) -> Result<()> {
    let names = packages.join(" ");
    let root = output(command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    if !root || !exists("apt-get", &["--version"]) {
        bail!(
            "{purpose} needs {names}: install them first (on Debian: sudo apt-get install {names})"
        );
    }
    run(command("apt-get", &["update", "--quiet", "--quiet"]))?;
    let mut install = command(
        "apt-get",
        &[
            "install",
            "--yes",
            "--quiet",
            "--quiet",
            "--no-install-recommends",
        ],
    );
    install
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(install)
}
