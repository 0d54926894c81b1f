//! Synapse: the homeserver that most of the Matrix network runs, to see whether it understands ours.
//!
//! `cargo xtask test` installs it from PyPI and names its Python in `ORVALE_TEST_SYNAPSE`.

use std::{
    fs::File,
    io::Read as _,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{Server, federation::Place, ports::free_port, server::Running};

/// How long it may take to start: it makes its database first.
const PATIENCE: Duration = Duration::from_secs(120);

/// It ends when whoever started it is gone, killed or not: then nobody holds the other end of its input any more.
const START: &str = "
import os, shutil, signal, threading

def watch():
    os.read(0, 1)
    for directory in filter(None, os.environ.get('REMOVE', '').split(os.pathsep)):
        shutil.rmtree(directory, ignore_errors=True)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=watch, daemon=True).start()
from synapse.app.homeserver import main
main()
";

/// The Python that has Synapse; `None` where the tests are to do without.
///
/// # Panics
/// If it is not there and nobody said to do without.
pub(crate) fn python() -> Option<PathBuf> {
    if std::env::var_os("ORVALE_TEST_WITHOUT_CLIENTS").is_some() {
        return None;
    }
    let python = std::env::var_os("ORVALE_TEST_SYNAPSE").map_or_else(
        || {
            let own = std::env::current_exe().expect("a test knows where it is");
            let target = own.ancestors().nth(3).expect("tests are in target");
            target.join("bench/synapse-venv/bin/python")
        },
        PathBuf::from,
    );
    assert!(
        python.exists(),
        "{python:?} is not there: `cargo xtask test` installs it"
    );
    Some(python)
}

/// Starts it. The directories in `remove` go when it is left alone.
pub(crate) fn spawn(
    home: &Path,
    place: &Place,
    log: File,
    remove: &[&Path],
) -> Result<Running, String> {
    let python = python().ok_or("these tests are to do without Synapse")?;
    let config = home.join("homeserver.yaml");
    // Its port stays the same when it is started again.
    let port = std::fs::read_to_string(home.join("port"))
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or_else(free_port);
    let written = std::fs::write(home.join("port"), port.to_string())
        .and_then(|()| std::fs::write(&config, settings(home, place, port).to_string()));
    written.map_err(|error| error.to_string())?;
    let key = home.join("signing.key");
    if !key.exists() {
        let seed = STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>());
        std::fs::write(&key, format!("ed25519 a_test {seed}\n"))
            .map_err(|error| error.to_string())?;
    }
    let mut command = Command::new(python);
    command
        .args(["-c", START, "--config-path"])
        .arg(&config)
        .current_dir(home)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env(
            "REMOVE",
            std::env::join_paths(remove).map_err(|error| error.to_string())?,
        )
        .stdin(Stdio::piped())
        .stdout(log.try_clone().map_err(|error| error.to_string())?)
        .stderr(log);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    wait(&mut child, port)?;
    Ok(Running {
        child: Some(child),
        base: format!("http://127.0.0.1:{port}"),
    })
}

fn wait(child: &mut Child, port: u16) -> Result<(), String> {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("it ended with {status}"));
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            return Err("it does not listen".to_owned());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A closed network may loosen much. JSON is YAML too.
fn settings(home: &Path, place: &Place, port: u16) -> Value {
    let unlimited = json!({ "per_second": 1_000_000, "burst_count": 1_000_000 });
    let mut settings = Map::new();
    for limit in [
        "rc_message",
        "rc_registration",
        "rc_admin_redaction",
        "rc_presence",
        "rc_room_creation",
        "rc_joins_per_room",
        "rc_key_requests",
        "rc_media_create",
    ] {
        settings.insert(limit.to_owned(), unlimited.clone());
    }
    let more = json!({
        "rc_login": { "address": unlimited, "account": unlimited, "failed_attempts": unlimited },
        "rc_joins": { "local": unlimited, "remote": unlimited },
        "rc_invites": { "per_room": unlimited, "per_user": unlimited, "per_issuer": unlimited },
        "rc_federation": { "sleep_limit": 1_000_000, "reject_limit": 1_000_000, "concurrent": 100 },
        "server_name": place.name,
        "report_stats": false,
        "pid_file": home.join("pid"),
        "signing_key_path": home.join("signing.key"),
        "media_store_path": home.join("media"),
        "macaroon_secret_key": "of the tests",
        "form_secret": "of the tests",
        "database": { "name": "sqlite3", "args": { "database": home.join("homeserver.db") } },
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "bcrypt_rounds": 4,
        "allow_public_rooms_over_federation": true,
        "allow_public_rooms_without_auth": true,
        "trusted_key_servers": [],
        "suppress_key_server_warning": true,
        "tls_certificate_path": place.certificate,
        "tls_private_key_path": place.key,
        "federation_custom_ca_list": [place.authority],
        "ip_range_blacklist": [],
        "ip_range_whitelist": ["127.0.0.0/8", "::1/128"],
        "federation": {
            "client_timeout": "10s",
            "max_short_retries": 1,
            "max_short_retry_delay": "1s",
            "destination_min_retry_interval": 500,
            "destination_max_retry_interval": 2000,
            "destination_retry_multiplier": 2
        },
        "listeners": [
            { "port": port, "type": "http", "bind_addresses": ["127.0.0.1"], "resources": [{ "names": ["client"] }] },
            { "port": place.listens, "type": "http", "tls": true, "bind_addresses": ["127.0.0.1"],
              "resources": [{ "names": ["federation", "media"] }] }
        ]
    });
    if let Value::Object(more) = more {
        settings.extend(more);
    }
    Value::Object(settings)
}

/// The Synapse that the tests of a process share. It ends with the process, as its input does.
pub(crate) struct Shared {
    home: TempDir,
    place: Place,
    running: Mutex<Running>,
}

impl Shared {
    pub(crate) async fn start(home: TempDir, place: Place) -> Self {
        let (path, at) = (home.path().to_owned(), place.clone());
        let spawned = tokio::task::spawn_blocking(move || {
            let log = File::create(path.join("log")).map_err(|error| error.to_string())?;
            let authority = at.authority.parent().unwrap_or(&path);
            spawn(&path, &at, log, &[&path, authority])
        })
        .await
        .expect("spawning does not panic");
        let running = spawned.unwrap_or_else(|why| {
            let mut log = String::new();
            let _ = File::open(home.path().join("log")).map(|mut f| f.read_to_string(&mut log));
            panic!("Synapse did not start: {why}\n{log}")
        });
        Self {
            home,
            place,
            running: Mutex::new(running),
        }
    }

    /// A handle on it for one test.
    pub(crate) fn server(&self) -> Server {
        let base = self
            .running
            .lock()
            .expect("no test panics with it")
            .base
            .clone();
        Server::elsewhere(self.home.path().to_owned(), self.place.clone(), base)
    }
}
