//! The tests in a real browser against the real server: `tests/browser`.

use anyhow::Result;

use crate::{
    client, debian,
    run::target_dir,
    shell::{command, exists, root, run},
};

/// Names under which Debian and others install Chromium.
const BROWSERS: [&str; 3] = ["chromium-headless-shell", "chromium", "chromium-browser"];

/// The halves of `playwright.config.ts`.
const PROJECTS: [&str; 2] = ["stories", "figures"];

/// Runs them; those whose name contains this, if given.
pub(crate) fn test(name: Option<&str>) -> Result<()> {
    let browser = browser()?;
    let folder = root().join("tests/browser");
    client::install(&folder)?;
    // What measures time has the machine to itself, also when a story before it failed.
    let told = PROJECTS.map(|project| {
        let mut playwright = command(
            "npx",
            &["--no-install", "playwright", "test", "--project", project],
        );
        if let Some(name) = name {
            playwright.args(["--grep", name, "--pass-with-no-tests"]);
        }
        playwright
            .current_dir(&folder)
            .env("ORVALE_TEST_BROWSER", browser)
            .env("ORVALE_TEST_BINARY", target_dir().join("debug/orvale"));
        run(playwright)
    });
    told.into_iter().collect()
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
