//! The tests in a real browser against the real server: `tests/browser`.

use std::process::Command;

use anyhow::Result;

use crate::{
    client, debian,
    run::target_dir,
    shell::{command, exists, root},
};

/// Names under which Debian and others install Chromium.
const BROWSERS: [&str; 3] = ["chromium-headless-shell", "chromium", "chromium-browser"];

/// The halves of `playwright.config.ts`: stories, and what measures time, which wants the machine to itself. Those whose name contains
/// this, if given.
pub(crate) fn tests(name: Option<&str>) -> Result<[Command; 2]> {
    let browser = browser()?;
    let folder = root().join("tests/browser");
    client::install(&folder)?;
    Ok(["stories", "figures"].map(|project| {
        let mut playwright = command("npx", &["--no-install", "playwright", "test"]);
        playwright.args(["--project", project]);
        if let Some(name) = name {
            playwright.args(["--grep", name, "--pass-with-no-tests"]);
        }
        playwright
            .current_dir(&folder)
            .env("ORVALE_TEST_BROWSER", browser)
            .env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
        playwright
    }))
}

/// A Chromium; Debian's is installed where there is none.
fn browser() -> Result<&'static str> {
    let found = || {
        BROWSERS
            .into_iter()
            .find(|name| exists(name, &["--version"]))
    };
    if let Some(name) = found() {
        return Ok(name);
    }
    debian::install(&["chromium-headless-shell"], "the tests in a browser")?;
    found().ok_or_else(|| anyhow::anyhow!("Chromium was installed but does not start"))
}
