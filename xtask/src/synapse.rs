//! Synapse, to be measured beside Orvale and to be part of its tests' network: installed from PyPI into a virtual environment under target/bench, started on a
//! database of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    bench::{Process, Running, certificates_in, free_port, wait_until_up},
    python,
    shell::{command, output, run},
};

/// The release that BASELINE.md was measured with.
const VERSION: &str = "1.163.2";

pub(crate) fn start(place: &Path) -> Result<Running> {
    let python = install(place)?;
    let home = place.join("synapse");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    let database = Postgres::start(place)?;
    let label = if database.is_some() {
        "synapse on PostgreSQL"
    } else {
        "synapse on SQLite"
    };
    let (port, federation) = (free_port()?, free_port()?);
    let config = home.join("homeserver.yaml");
    let mut generate = command(
        &python,
        &[
            "-m",
            "synapse.app.homeserver",
            "--server-name",
            "bench.example",
        ],
    );
    generate
        .args(["--generate-config", "--report-stats", "no", "--config-path"])
        .arg(&config)
        .current_dir(&home);
    run(generate)?;
    fs::write(
        home.join("bench.yaml"),
        settings(&home, database.as_ref()) + &federated(&certificates_in(place), port, federation),
    )?;

    let mut synapse = command(&python, &["-m", "synapse.app.homeserver", "--config-path"]);
    synapse
        .arg(&config)
        .arg("--config-path")
        .arg(home.join("bench.yaml"));
    let log = fs::File::create(home.join("stdout.log"))?;
    synapse
        .current_dir(&home)
        .stdout(log.try_clone()?)
        .stderr(log);
    let mut processes = vec![Process(synapse.spawn().context("cannot start Synapse")?)];
    let mut pids = Vec::new();
    if let Some(database) = database {
        pids.push(database.pid);
        processes.push(database.process);
    }
    let running = Running {
        label: label.to_owned(),
        port,
        federation: Some(federation),
        processes,
        pids,
    };
    wait_until_up(&running)?;
    Ok(running)
}

/// Installs it under a place, unless it is there; gives its Python.
pub(crate) fn install(place: &Path) -> Result<PathBuf> {
    let (python, steps) = installation(place);
    steps.into_iter().try_for_each(run)?;
    Ok(python)
}

/// Its Python under a place, and what is to be run for Synapse to be there.
pub(crate) fn installation(place: &Path) -> (PathBuf, Vec<Command>) {
    let synapse = format!("matrix-synapse=={VERSION}");
    let environment = place.join("synapse-venv");
    python::installation(&environment, [synapse.as_ref(), "psycopg2-binary".as_ref()])
}

/// What a closed network may loosen, as for Orvale. Later files win.
fn settings(home: &Path, database: Option<&Postgres>) -> String {
    let database = match database {
        Some(postgres) => format!(
            "database: {{name: psycopg2, args: {{user: postgres, dbname: synapse, host: 127.0.0.1, port: {}, cp_min: 5, cp_max: 10}}}}\n",
            postgres.port
        ),
        None => format!(
            "database: {{name: sqlite3, args: {{database: {:?}}}}}\n",
            home.join("homeserver.db")
        ),
    };
    let limits = [
        "rc_message",
        "rc_registration",
        "rc_admin_redaction",
        "rc_presence",
        "rc_delayed_event_mgmt",
        "rc_room_creation",
        "rc_registration_token_validity",
        "rc_3pid_validation",
        "rc_media_create",
    ];
    let unlimited = "{per_second: 1000000, burst_count: 1000000}";
    let mut text = database;
    for limit in limits {
        text += &format!("{limit}: {unlimited}\n");
    }
    text += &format!(
        "rc_login: {{address: {unlimited}, account: {unlimited}, failed_attempts: {unlimited}}}\n"
    );
    text += &format!("rc_joins: {{local: {unlimited}, remote: {unlimited}}}\n");
    text += &format!("rc_joins_per_room: {unlimited}\n");
    text += &format!(
        "rc_invites: {{per_room: {unlimited}, per_user: {unlimited}, per_issuer: {unlimited}}}\n"
    );
    text += "enable_registration: true\nenable_registration_without_verification: true\ntrusted_key_servers: []\n";
    text
}

/// How it listens to clients, and to the servers of the load generator.
fn federated(certificates: &Path, port: u16, federation: u16) -> String {
    let file = |name: &str| certificates.join(name);
    let mut text = format!(
        "listeners: [{{port: {port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{{names: [client]}}]}}, \
         {{port: {federation}, type: http, tls: true, bind_addresses: ['127.0.0.1'], resources: [{{names: [federation]}}]}}]\n"
    );
    text += &format!(
        "tls_certificate_path: {:?}\ntls_private_key_path: {:?}\nfederation_custom_ca_list: [{:?}]\n",
        file("certificate.pem"),
        file("key.pem"),
        file("authority.pem")
    );
    text += "ip_range_blacklist: []\n";
    text + "rc_federation: {sleep_limit: 1000000, reject_limit: 1000000, concurrent: 100}\n"
}

/// A PostgreSQL of its own.
struct Postgres {
    port: u16,
    pid: u32,
    process: Process,
}

impl Postgres {
    /// None where it is not installed.
    fn start(place: &Path) -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            return Ok(None);
        };
        // PostgreSQL does not run as root, and its own user cannot look into everybody's target folder.
        let root = output(command("id", &["-u"]))?.trim() == "0";
        let data = if root {
            std::env::temp_dir().join("orvale-bench-postgres")
        } else {
            place.join("postgres")
        };
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        let as_user = |program: &str| -> Command {
            let program = programs.join(program);
            if root {
                let mut command = command(
                    "setpriv",
                    &[
                        "--reuid",
                        "postgres",
                        "--regid",
                        "postgres",
                        "--init-groups",
                    ],
                );
                command.arg(program).current_dir("/");
                command
            } else {
                command(program, &[])
            }
        };
        let mut init = as_user("initdb");
        init.args([
            "--auth",
            "trust",
            "--username",
            "postgres",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--pgdata",
        ]);
        init.arg(&data).stdout(Stdio::null());
        run(init)?;
        let port = free_port()?;
        let mut postgres = as_user("postgres");
        postgres
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k"])
            .arg(&data);
        let process = postgres
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start PostgreSQL")?;
        let (pid, process) = (process.id(), Process(process));
        let server = Running {
            label: "PostgreSQL".to_owned(),
            port,
            federation: None,
            processes: Vec::new(),
            pids: Vec::new(),
        };
        wait_until_up(&server)?;
        let at = ["-h", "127.0.0.1", "-U", "postgres", "-p", &port.to_string()];
        // It listens a moment before it answers.
        let mut ready = command(programs.join("pg_isready"), &at);
        ready.stdout(Stdio::null());
        while !ready.status()?.success() {
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut create = command(programs.join("createdb"), &at);
        create.arg("synapse");
        run(create)?;
        Ok(Some(Self { port, pid, process }))
    }
}

/// Where Debian keeps the newest PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    found.retain(|programs| programs.join("initdb").exists());
    found.sort();
    found.pop()
}
