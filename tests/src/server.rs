//! The server as a process.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, OnceLock},
    time::Instant,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Answer, Client, federation::Place, ports::free_port, record, synapse, waiting::PATIENCE,
};

/// The settings a test starts its server with.
#[derive(Debug, Clone)]
pub struct Settings {
    text: String,
}

impl Default for Settings {
    /// Everybody may register, nobody is limited, passwords cost nothing.
    fn default() -> Self {
        Self::new(
            r#"
            [rate_limits]
            enabled = false
            [users.registration]
            mode = "open"
            [users.passwords]
            argon2_memory_kib = 64
            argon2_iterations = 1
            "#,
        )
    }
}

impl Settings {
    /// These and no others, but for the name, the directory and the port.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }

    /// The same and more. Sections that are there already are not to be named again.
    #[must_use]
    pub fn and(&self, text: &str) -> Self {
        Self {
            text: format!("{}\n{text}", self.text),
        }
    }
}

/// A server of its own: a process, a port, a directory. Cheap to clone. Ends with the last clone.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    home: PathBuf,
    /// Removes the home with the server, if it is the server's own.
    _own: Option<TempDir>,
    program: Program,
    /// Where other servers find it, if it is part of a network.
    place: Option<Place>,
    /// A free one at first, and the same ever after: clients come back to where it was.
    port: u16,
    running: Mutex<Option<Running>>,
    http: reqwest::Client,
}

/// What runs.
pub(crate) enum Program {
    Orvale(Settings),
    Synapse,
}

pub(crate) struct Running {
    /// `None` for one that is not ours to end.
    pub(crate) child: Option<Child>,
    pub(crate) base: String,
}

impl Server {
    /// A server with the default settings of tests, empty.
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// A server with these settings, empty.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn with(settings: Settings) -> Self {
        let home = tempfile::Builder::new()
            .prefix("orvale-test-")
            .tempdir()
            .expect("a temporary directory can be made");
        let program = Program::Orvale(settings);
        Self::at(home.path().to_owned(), Some(home), program, None).await
    }

    /// A server on a directory that another one of this kind had as its home; it is there still when the server is gone.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn in_directory(home: &Path, settings: Settings) -> Self {
        Self::at(home.to_owned(), None, Program::Orvale(settings), None).await
    }

    pub(crate) async fn at(
        home: PathBuf,
        own: Option<TempDir>,
        program: Program,
        place: Option<Place>,
    ) -> Self {
        let server = Self::new(home, own, program, place, None);
        server.start_again().await;
        server
    }

    /// One that runs already, and that somebody else ends.
    pub(crate) fn elsewhere(home: PathBuf, place: Place, base: String) -> Self {
        let running = Running { child: None, base };
        Self::new(home, None, Program::Synapse, Some(place), Some(running))
    }

    fn new(
        home: PathBuf,
        own: Option<TempDir>,
        program: Program,
        place: Option<Place>,
        running: Option<Running>,
    ) -> Self {
        provider();
        let http = reqwest::Client::builder()
            .build()
            .expect("a client can be made");
        Self {
            inner: Arc::new(Inner {
                home,
                _own: own,
                program,
                place,
                port: free_port(),
                running: Mutex::new(running),
                http,
            }),
        }
    }

    /// Starts on what an earlier process left in the directory.
    ///
    /// # Panics
    /// If one still runs, or the new one does not start.
    pub async fn start_again(&self) {
        assert!(
            self.inner
                .running
                .lock()
                .expect("no test panics with it")
                .is_none(),
            "it still runs"
        );
        let inner = self.inner.clone();
        let running = tokio::task::spawn_blocking(move || inner.spawn())
            .await
            .expect("spawning does not panic");
        let running =
            running.unwrap_or_else(|why| panic!("the server did not start: {why}\n{}", self.log()));
        *self.inner.running.lock().expect("no test panics with it") = Some(running);
    }

    /// Where it listens: `http://127.0.0.1:…`
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn base(&self) -> String {
        let running = self.inner.running.lock().expect("no test panics with it");
        running.as_ref().expect("the server runs").base.clone()
    }

    /// The name in everybody's user ID.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// The directory with its settings, data and log.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.inner.home
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home().join("log")).unwrap_or_default()
    }

    /// Its process.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.inner
            .running
            .lock()
            .expect("no test panics with it")
            .as_ref()
            .expect("the server runs")
            .child
            .as_ref()
            .expect("it is ours")
            .id()
    }

    /// Ends it as `kill -9` does: at once, in the middle of whatever it does.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill(&self) {
        let mut child = self.inner.take().child.expect("it is ours to end");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Asks it to end, as `systemctl stop` does, and waits until it has.
    ///
    /// # Panics
    /// If it does not.
    pub async fn stop(&self) -> ExitStatus {
        let child = self.inner.take().child.expect("it is ours to end");
        let ended = tokio::task::spawn_blocking(move || terminate(child));
        ended
            .await
            .expect("waiting does not panic")
            .unwrap_or_else(|| panic!("it does not stop\n{}", self.log()))
    }

    /// Ends it well and starts it again.
    ///
    /// # Panics
    /// If it fails at either.
    pub async fn restart(&self) {
        let status = self.stop().await;
        assert!(status.success(), "it ended with {status}\n{}", self.log());
        self.start_again().await;
    }

    /// A client with a new account, whose password is "the password of" its name.
    pub async fn register(&self, name: &str) -> Client {
        let body = json!({
            "username": name,
            "password": format!("the password of {name}"),
            "auth": { "type": "m.login.dummy" },
        });
        Client::from_login(self, &self.stranger().post("register", body).await.ok())
    }

    /// A client on a new device of an account that [`Server::register`] made.
    pub async fn log_in(&self, name: &str) -> Client {
        let body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": name },
            "password": format!("the password of {name}"),
        });
        Client::from_login(self, &self.stranger().post("login", body).await.ok())
    }

    /// Somebody who has not logged in.
    #[must_use]
    pub fn stranger(&self) -> Client {
        Client::from_login(self, &Value::Null)
    }

    /// The port where other servers find it.
    pub(crate) fn place_port(&self) -> u16 {
        let place = self.inner.place.as_ref();
        place.expect("it is part of a network").port
    }

    /// Stops its process where it is, or lets it go on: to others it is there, but says nothing.
    ///
    /// # Panics
    /// If it does not run.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal");
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.inner.http
    }

    pub(crate) async fn send(&self, asked: String, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().expect("a test asks for what can be asked");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        match self.http().execute(request).await {
            Ok(response) => {
                record("it", method.as_str(), &path, response.status().as_u16());
                Answer::of(asked, response).await
            }
            Err(error) => panic!("{asked}: no answer: {error:?}"),
        }
    }
}

impl Inner {
    fn take(&self) -> Running {
        self.running
            .lock()
            .expect("no test panics with it")
            .take()
            .expect("the server runs")
    }

    fn name(&self) -> &str {
        self.place
            .as_ref()
            .map_or("test.example", |place| &place.name)
    }

    fn spawn(&self) -> Result<Running, String> {
        let home = &self.home;
        let log = File::options()
            .create(true)
            .append(true)
            .open(home.join("log"))
            .map_err(|error| error.to_string())?;
        let settings = match (&self.program, &self.place) {
            (Program::Orvale(settings), _) => settings,
            (Program::Synapse, Some(place)) => return synapse::spawn(home, place, log, &[]),
            (Program::Synapse, None) => return Err("it has no place in a network".to_owned()),
        };
        let top = format!(
            "server_name = \"{}\"\ndata_dir = {:?}\nlisteners = [{{ address = \"127.0.0.1\", port = {} }}]\n",
            self.name(),
            home.join("data"),
            self.port
        );
        let federation = self.place.as_ref().map(Place::settings).unwrap_or_default();
        let config = home.join("orvale.toml");
        std::fs::write(&config, top + &settings.text + &federation)
            .map_err(|error| error.to_string())?;
        let mut command = Command::new(binary());
        command
            .args(["serve", "--config"])
            .arg(&config)
            .current_dir(home);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        while output
            .read_line(&mut line)
            .map_err(|error| error.to_string())?
            > 0
        {
            if let Some((_, address)) = line.trim().split_once(" at http://") {
                let base = format!("http://{address}");
                // Read on, or it would wait for us when the pipe is full.
                std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
                let child = Some(child);
                return Ok(Running { child, base });
            }
            line.clear();
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        Err(format!("it ended with {status}"))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let running = self.running.get_mut().map(Option::take);
        if let Ok(Some(Running {
            child: Some(mut child),
            ..
        })) = running
        {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.home.join("log")).unwrap_or_default();
            // Synapse's is long.
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(2000)..].join("\n");
            let name = self.name();
            eprintln!("--- log of {name} ---\n{last}\n--- end of the log of {name} ---");
        }
    }
}

/// Has all clients of this process use the same cryptography.
pub(crate) fn provider() {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn terminate(mut child: Child) -> Option<ExitStatus> {
    Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .ok()?;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// The `orvale` beside this test binary, built now unless whoever runs the tests has done it.
///
/// # Panics
/// If there is none.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("ORVALE_TEST_BINARY") {
            return given.into();
        }
        let own = std::env::current_exe().expect("a test knows where it is");
        let folder = own
            .ancestors()
            .nth(2)
            .expect("tests are in target/<profile>/deps")
            .to_owned();
        let binary = folder.join("orvale");
        // Under nextest each test is a process of its own, and asking cargo each time would cost more than the tests.
        if std::env::var_os("NEXTEST").is_none() {
            let mut build =
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            // Tests of other workspaces start it too.
            build.current_dir(env!("CARGO_MANIFEST_DIR"));
            build.args(["build", "--quiet", "--package", "orvale-server"]);
            if folder.ends_with("release") {
                build.arg("--release");
            }
            assert!(
                build.status().is_ok_and(|status| status.success()),
                "the server does not build"
            );
        }
        assert!(
            binary.exists(),
            "there is no {}: cargo build -p orvale-server",
            binary.display()
        );
        binary
    })
}
