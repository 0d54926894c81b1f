//! Programs in Python, each in a virtual environment of its own.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::shell::command;

/// The Python of an environment, and what is to be run for the environment to have some packages: as pip is told of them.
pub(crate) fn installation<'a>(
    environment: &Path,
    packages: impl IntoIterator<Item = &'a OsStr>,
) -> (PathBuf, Vec<Command>) {
    let python = environment.join("bin/python");
    let mut steps = Vec::new();
    if !python.exists() {
        let mut create = command("python3", &["-m", "venv"]);
        create.arg(environment);
        steps.push(create);
    }
    let mut pip = command(&python, &["-m", "pip", "install", "--quiet"]);
    pip.arg("--disable-pip-version-check").args(packages);
    steps.push(pip);
    (python, steps)
}
