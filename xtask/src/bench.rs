//! `cargo xtask bench`: the load generator of tests/bench against Orvale, and against Synapse on the same machine in the same
//! run, as one table.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value};

use crate::{
    run::target_dir,
    shell::{cargo, command, run},
    synapse,
};

#[derive(Args)]
pub(crate) struct Options {
    /// About a tenth of the size
    #[arg(long)]
    quick: bool,
    /// Also measures Synapse, installed from PyPI: on PostgreSQL where it is installed, else on SQLite
    #[arg(long)]
    synapse: bool,
    /// Settings of Orvale instead of those of a closed test network
    #[arg(long)]
    config: Option<PathBuf>,
    /// What the load generator shall do instead of everything: a workload and its options
    #[arg(last = true)]
    workload: Vec<String>,
}

/// A server that is being measured.
pub(crate) struct Running {
    pub(crate) label: String,
    pub(crate) port: u16,
    /// Where other servers find it, if they do.
    pub(crate) federation: Option<u16>,
    /// Its processes; the first is the server.
    pub(crate) processes: Vec<Process>,
    /// More processes that are not ours to end but work for it.
    pub(crate) pids: Vec<u32>,
}

/// A process that ends with its owner.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM first, by kill(1): the standard library knows only SIGKILL.
        let _ = command("kill", &["-TERM", &self.0.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if matches!(self.0.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn bench(options: &Options) -> Result<()> {
    run(cargo(&[
        "build",
        "--release",
        "--package",
        "orvale-server",
        "--package",
        "loadgen",
    ]))?;
    let place = target_dir().join("bench");
    std::fs::create_dir_all(&place)?;
    let mut certificates = command(target_dir().join("release/loadgen"), &["certificates"]);
    certificates.arg(certificates_in(&place));
    run(certificates)?;
    let mut columns = Vec::new();
    {
        let orvale = start_orvale(&place, options.config.as_deref())?;
        columns.push((orvale.label.clone(), measure(&orvale, options)?));
    }
    if options.synapse {
        let synapse = synapse::start(&place)?;
        columns.push((synapse.label.clone(), measure(&synapse, options)?));
    }
    println!("\n{}", table(&columns));
    let failed = columns
        .iter()
        .flat_map(|(_, lines)| lines)
        .any(|line| line.contains_key("failed"));
    ensure!(!failed, "some workload failed");
    Ok(())
}

/// The directory of what the servers of the load generator and those that are measured trust.
pub(crate) fn certificates_in(place: &Path) -> PathBuf {
    place.join("certificates")
}

/// Everything that a closed network may loosen; nothing about durability or passwords.
const SETTINGS: &str = r#"
server_name = "bench.example"
[rate_limits]
enabled = false
[users.registration]
mode = "open"
[log]
level = "warn"
"#;

fn start_orvale(place: &Path, config: Option<&Path>) -> Result<Running> {
    let data = place.join("orvale");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    std::fs::create_dir_all(&data)?;
    let port = free_port()?;
    let (settings, federation) = match config {
        Some(config) => (std::fs::read_to_string(config)?, None),
        None => {
            let port = free_port()?;
            let federation = federation(&certificates_in(place), port);
            (SETTINGS.to_owned() + &federation, Some(port))
        }
    };
    let top = format!(
        "data_dir = {:?}\nlisteners = [{{ address = \"127.0.0.1\", port = {port} }}]\n",
        data.join("data")
    );
    let file = data.join("orvale.toml");
    std::fs::write(&file, top + &settings)?;
    let mut orvale = command(target_dir().join("release/orvale"), &["serve", "--config"]);
    orvale.arg(&file).stdout(Stdio::null());
    let process = Process(orvale.spawn().context("cannot start orvale")?);
    let running = Running {
        label: "orvale".to_owned(),
        port,
        federation,
        processes: vec![process],
        pids: Vec::new(),
    };
    wait_until_up(&running)?;
    Ok(running)
}

/// How Orvale listens to the servers of the load generator.
fn federation(certificates: &Path, port: u16) -> String {
    let file = |name: &str| certificates.join(name);
    format!(
        "[federation]\nenabled = true\nextra_ca_file = {:?}\nallowed_private_ranges = [\"127.0.0.0/8\"]\n\
         listeners = [{{ address = \"127.0.0.1\", port = {port}, certificate = {:?}, key = {:?} }}]\n",
        file("authority.pem"),
        file("certificate.pem"),
        file("key.pem")
    )
}

/// A port nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

pub(crate) fn wait_until_up(server: &Running) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", server.port)).is_err() {
        ensure!(Instant::now() < until, "{} does not listen", server.label);
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

type Line = Map<String, Value>;

/// Runs the load generator; its lines are shown as they come, and returned.
fn measure(server: &Running, options: &Options) -> Result<Vec<Line>> {
    let own = server.processes.iter().map(|process| process.0.id());
    let pids: Vec<String> = own
        .chain(server.pids.iter().copied())
        .map(|pid| pid.to_string())
        .collect();
    let mut loadgen = command(
        target_dir().join("release/loadgen"),
        &["--label", &server.label],
    );
    loadgen.args([
        "--base",
        &format!("http://127.0.0.1:{}", server.port),
        "--pid",
        &pids.join(","),
    ]);
    if let Some(port) = server.federation {
        loadgen.args(["--federation", &format!("https://localhost:{port}")]);
        let certificates = certificates_in(&target_dir().join("bench"));
        loadgen.arg("--certificates").arg(certificates);
    }
    if options.workload.is_empty() {
        loadgen.arg("all");
        if options.quick {
            loadgen.arg("--quick");
        }
    } else {
        loadgen.args(&options.workload);
    }
    println!("\n› measuring {}", server.label);
    let mut child = loadgen
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the load generator")?;
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        let line = line?;
        println!("{line}");
        match serde_json::from_str(&line) {
            Ok(Value::Object(line)) => lines.push(line),
            _ => bail!("the load generator printed {line:?}"),
        }
    }
    child.wait()?;
    Ok(lines)
}

fn table(columns: &[(String, Vec<Line>)]) -> String {
    let labels: Vec<&str> = columns.iter().map(|(label, _)| label.as_str()).collect();
    let mut table = format!(
        "| workload | {} |\n|---|{}\n",
        labels.join(" | "),
        "---|".repeat(labels.len())
    );
    for line in &columns[0].1 {
        let workload = line.get("workload");
        let cells = columns.iter().map(|(_, lines)| {
            lines
                .iter()
                .find(|line| line.get("workload") == workload)
                .map_or_else(|| "—".to_owned(), cell)
        });
        let name = workload.and_then(Value::as_str).unwrap_or("?");
        table += &format!("| {name} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    table
}

fn cell(line: &Line) -> String {
    if let Some(failed) = line.get("failed") {
        return format!(
            "failed: {}",
            failed.as_str().unwrap_or_default().replace('|', "/")
        );
    }
    let number = |key: &str| line.get(key).and_then(Value::as_f64);
    let mut parts = Vec::new();
    if let (Some(rate), Some(unit)) = (number("rate"), line.get("unit").and_then(Value::as_str)) {
        parts.push(format!("{rate} {unit}"));
    }
    if let (Some(p50), Some(p95), Some(p99)) =
        (number("p50_ms"), number("p95_ms"), number("p99_ms"))
    {
        parts.push(format!("{p50} / {p95} / {p99} ms"));
    }
    for (key, what) in [
        ("server_cpu_ms_each", "CPU ms each"),
        ("kib_each", "KiB a client"),
        ("missed", "missed"),
        ("others_cores", "noise"),
    ] {
        if let Some(value) = number(key) {
            parts.push(format!("{value} {what}"));
        }
    }
    if let Some(errors) = number("errors").filter(|errors| *errors > 0.0) {
        parts.push(format!("{errors} errors"));
    }
    parts.join("; ")
}
