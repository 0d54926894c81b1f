//! Clients nobody here wrote: the suites of `tests/conformance`, each against an `orvale` of its own whose life they hold in
//! their hands.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use orvale_tests::{Server, Settings};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
    time::timeout,
};

/// A suite that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(900);

/// Short-lived tokens, so that the suites see them expire.
const SETTINGS: &str = "[users.tokens]\nrefreshable_access_seconds = 2\n";

#[tokio::test(flavor = "multi_thread")]
async fn people_use_it_through_matrix_js_sdk() {
    if without_clients() {
        return;
    }
    let suite = conformance().join("js");
    assert!(
        suite.join("node_modules/matrix-js-sdk").exists(),
        "matrix-js-sdk is not installed: run `npm ci` in {suite:?}"
    );
    let mut node = Command::new("node");
    node.args([
        "--import",
        "./support/platform.mjs",
        "--test",
        "--test-force-exit",
        "--test-concurrency=1",
    ]);
    passes(node.arg("--test-reporter=spec").current_dir(suite))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_and_people_use_it_through_matrix_nio() {
    if without_clients() {
        return;
    }
    passes(&mut pytest("nio")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bridges_use_it_through_mautrix() {
    if without_clients() {
        return;
    }
    passes(&mut pytest("mautrix")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_specification_stands_hostile_requests() {
    if without_clients() {
        return;
    }
    passes(&mut pytest("fuzz")).await.unwrap();
}

fn pytest(suite: &str) -> Command {
    let python = python();
    assert!(
        python.exists(),
        "{python:?} is not there: `cargo xtask test` installs it"
    );
    let mut pytest = Command::new(python);
    pytest
        .args(["-m", "pytest", "-p", "no:cacheprovider"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(conformance().join(suite));
    pytest
}

/// Runs a suite against a server of its own.
async fn passes(suite: &mut Command) -> Result<()> {
    let server = Server::with(Settings::default().and(SETTINGS)).await;
    let keeper = TcpListener::bind("127.0.0.1:0").await?;
    suite.env("HOMESERVER_URL", server.base());
    suite.env(
        "HOMESERVER_CONTROL",
        format!("http://{}", keeper.local_addr()?),
    );
    suite
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let child = suite
        .spawn()
        .with_context(|| format!("cannot start {suite:?}"))?;
    let output = tokio::select! {
        output = timeout(PATIENCE, child.wait_with_output()) => output.context("the suite takes too long")??,
        error = keep(&keeper, &server) => return Err(error),
    };
    let told = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .join("\n");
    ensure!(
        output.status.success(),
        "{told}\n{suite:?} failed against the server that logged:\n{}",
        server.log()
    );
    ensure!(
        !server.log().contains("panicked"),
        "{suite:?} made the server panic:\n{}",
        server.log()
    );
    Ok(())
}

/// Ends and starts the server as the suite asks: `POST /kill`, `POST /start`.
async fn keep(keeper: &TcpListener, server: &Server) -> anyhow::Error {
    loop {
        let served = async {
            let (mut connection, _) = keeper.accept().await?;
            match asked(&mut connection).await?.as_str() {
                "POST /kill" => server.kill(),
                "POST /start" => server.start_again().await,
                other => anyhow::bail!("the suite asks its server's keeper for {other:?}"),
            }
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            Ok(connection.write_all(answer).await?)
        };
        if let Err(error) = served.await {
            return error;
        }
    }
}

/// Method and path of a request without a body, its head read to the end.
async fn asked(connection: &mut TcpStream) -> Result<String> {
    let mut lines = BufReader::new(connection).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    while lines
        .next_line()
        .await?
        .is_some_and(|line| !line.is_empty())
    {}
    Ok(first.split(" HTTP/").next().unwrap_or_default().to_owned())
}

/// `cargo xtask test --without-clients`.
fn without_clients() -> bool {
    std::env::var_os("ORVALE_TEST_WITHOUT_CLIENTS").is_some()
}

fn python() -> PathBuf {
    std::env::var_os("ORVALE_TEST_PYTHON")
        .map_or_else(|| conformance().join(".venv/bin/python"), PathBuf::from)
}

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}
