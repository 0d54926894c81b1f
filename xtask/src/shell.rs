//! Calling other programs.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result, bail, ensure};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the repository")
        .to_owned()
}

/// A command in the root of the repository.
pub(crate) fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, the one that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command(
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        arguments,
    )
}

/// Runs a command to its end, shown as it is.
pub(crate) fn run(mut command: Command) -> Result<()> {
    println!("\n› {}", told(&command));
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", told(&command)))?;
    if !status.success() {
        bail!("{} failed ({status})", told(&command));
    }
    Ok(())
}

/// Runs commands one after the other beside something else; what they print is shown in one piece, when they are over.
pub(crate) fn beside(commands: Vec<Command>, other: impl FnOnce() -> Result<()>) -> Result<()> {
    thread::scope(|scope| {
        let these = scope.spawn(|| commands.into_iter().try_for_each(run_aside));
        let other = other();
        let these = these.join().expect("calling programs does not panic");
        other.and(these)
    })
}

fn run_aside(mut command: Command) -> Result<()> {
    let told = told(&command);
    let output = command
        .output()
        .with_context(|| format!("cannot start {told}"))?;
    let printed =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    println!("\n› {told}\n{}", printed.concat());
    ensure!(output.status.success(), "{told} failed ({})", output.status);
    Ok(())
}

/// What a command prints.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", told(&command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", told(&command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", told(&command)))
}

/// Whether a program can be started at all.
pub(crate) fn exists(program: &str, arguments: &[&str]) -> bool {
    let mut command = command(program, arguments);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn told(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
