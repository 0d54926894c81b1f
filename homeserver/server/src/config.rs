//! The settings: one TOML file, every key of it optional, read once.
//!
//! Each crate has a `Config` of its own; this file only puts them together. A key nobody knows is refused, and so is a value
//! that cannot be, by its name.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use figment::{
    Figment,
    error::Kind,
    providers::{Format, Toml},
};
use orvale_http::LimitsConfig;
use orvale_outward::AddressRange;
use ruma::{OwnedServerName, server_name};
use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The name in everybody's user ID.
    pub(crate) server_name: OwnedServerName,
    /// The directory that holds everything.
    pub(crate) data_dir: PathBuf,
    /// Where clients connect.
    pub(crate) listeners: Vec<Listener>,
    pub(crate) federation: Federation,
    pub(crate) http: Http,
    pub(crate) rate_limits: LimitsConfig,
    pub(crate) discovery: orvale_client_api::Config,
    pub(crate) users: orvale_users::Config,
    pub(crate) rooms: orvale_rooms::Config,
    pub(crate) policy: orvale_policy::Config,
    pub(crate) calls: orvale_calls::Config,
    pub(crate) delivery: orvale_delivery::Config,
    pub(crate) media: orvale_media::Config,
    pub(crate) search: orvale_search::Config,
    pub(crate) storage: Storage,
    pub(crate) log: Log,
    pub(crate) metrics: Metrics,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    /// Memory for what is read again and again, in bytes.
    pub(crate) cache_bytes: u64,
    /// Below so many free bytes on the disk nothing more is kept.
    pub(crate) free_bytes: u64,
}

impl Default for Storage {
    fn default() -> Self {
        let orvale_storage::Config {
            cache_bytes,
            free_bytes,
            ..
        } = orvale_storage::Config::at("");
        Self {
            cache_bytes,
            free_bytes,
        }
    }
}

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

/// Other servers: how they reach this one, and how it reaches them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Federation {
    /// Whether there is anything between this server and others.
    pub(crate) enabled: bool,
    /// Where other servers connect, beside the listeners for clients.
    pub(crate) listeners: Vec<FederationListener>,
    /// Certificates of authorities that are trusted beside the web's, in PEM.
    pub(crate) extra_ca_file: Option<PathBuf>,
    /// Addresses that are not public and may be asked all the same.
    pub(crate) allowed_private_ranges: Vec<AddressRange>,
    /// Servers that are believed about the keys of servers that do not answer.
    pub(crate) trusted_notaries: Vec<OwnedServerName>,
    /// How long a request to another server may take, in seconds.
    pub(crate) timeout_seconds: u64,
    /// How long connecting to one address may take, in seconds.
    pub(crate) connect_timeout_seconds: u64,
    /// The most bytes an answer of another server may have.
    pub(crate) max_response_bytes: usize,
}

/// An address at which other servers connect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FederationListener {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// The chain of certificates, in PEM; without it and the key, a proxy sees to TLS.
    #[serde(default)]
    pub(crate) certificate: Option<PathBuf>,
    /// The key of the first certificate, in PEM.
    #[serde(default)]
    pub(crate) key: Option<PathBuf>,
}

impl Default for Federation {
    fn default() -> Self {
        let client = orvale_federation_client::Config::default();
        Self {
            enabled: client.enabled,
            listeners: Vec::new(),
            extra_ca_file: client.extra_ca_file,
            allowed_private_ranges: client.allowed_private_ranges,
            trusted_notaries: client.trusted_notaries,
            timeout_seconds: client.timeout_seconds,
            connect_timeout_seconds: client.connect_timeout_seconds,
            max_response_bytes: client.max_response_bytes,
        }
    }
}

impl Federation {
    /// How other servers are asked.
    pub(crate) fn client(&self) -> orvale_federation_client::Config {
        orvale_federation_client::Config {
            enabled: self.enabled,
            extra_ca_file: self.extra_ca_file.clone(),
            allowed_private_ranges: self.allowed_private_ranges.clone(),
            trusted_notaries: self.trusted_notaries.clone(),
            timeout_seconds: self.timeout_seconds,
            connect_timeout_seconds: self.connect_timeout_seconds,
            max_response_bytes: self.max_response_bytes,
        }
    }

    fn check(&self) -> Result<()> {
        for listener in &self.listeners {
            ensure!(
                listener.certificate.is_some() == listener.key.is_some(),
                "federation.listeners: a certificate needs its key, and a key its certificate"
            );
        }
        ensure!(
            self.timeout_seconds > 0 && self.connect_timeout_seconds > 0,
            "federation.timeout_seconds, federation.connect_timeout_seconds: must be above 0"
        );
        ensure!(
            self.max_response_bytes >= 1 << 20,
            "federation.max_response_bytes: 1048576 is the least with which rooms can be joined"
        );
        Ok(())
    }
}

/// Requests and connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// The most bytes a request may have that uploads no media.
    pub(crate) max_request_bytes: usize,
    /// Whether an access token may stand in the query of a URL.
    pub(crate) access_token_in_query: bool,
    /// How long a connection may be idle before the head of its next request is there, in seconds.
    pub(crate) header_timeout_seconds: u64,
    /// How long requests may go on after the server was told to stop, in seconds.
    pub(crate) shutdown_seconds: u64,
    /// Whether large answers are compressed for clients that take it.
    pub(crate) compression: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            max_request_bytes: 8 * 1024 * 1024,
            access_token_in_query: false,
            header_timeout_seconds: 60,
            shutdown_seconds: 10,
            compression: true,
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// Levels, as `tracing` filters: `info`, or `warn,orvale_rooms=debug`.
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info,ruma_state_res=error".to_owned(),
            format: LogFormat::Text,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Figures for Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    /// An address of its own at which everybody may read them.
    pub(crate) listener: Option<SocketAddr>,
    /// A token with which they may be read at `/metrics` of the other listeners.
    pub(crate) token: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server_name: server_name!("localhost").to_owned(),
            data_dir: "data".into(),
            listeners: vec![Listener {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                port: 8008,
            }],
            federation: Federation::default(),
            http: Http::default(),
            rate_limits: LimitsConfig::default(),
            discovery: orvale_client_api::Config::default(),
            users: orvale_users::Config::default(),
            rooms: orvale_rooms::Config::default(),
            policy: orvale_policy::Config::default(),
            calls: orvale_calls::Config::default(),
            delivery: orvale_delivery::Config::default(),
            media: orvale_media::Config::default(),
            search: orvale_search::Config::default(),
            storage: Storage::default(),
            log: Log::default(),
            metrics: Metrics::default(),
        }
    }
}

impl Config {
    /// The settings of a file, or the defaults.
    ///
    /// # Errors
    /// One that names the key that is unknown or impossible.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", file.display()))
    }

    /// The settings of a text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let config: Self = Figment::from(Toml::string(text))
            .extract()
            .map_err(explain)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        ensure!(
            !self.listeners.is_empty(),
            "listeners: at least one is needed"
        );
        ensure!(
            self.http.max_request_bytes >= 65_536,
            "http.max_request_bytes: an event may have 65536 bytes, so this is the least"
        );
        ensure!(
            self.http.header_timeout_seconds > 0,
            "http.header_timeout_seconds: must be above 0"
        );
        for (name, rate) in self.rate_limits.rates() {
            ensure!(
                rate.per_second > 0.0 && rate.per_second.is_finite(),
                "rate_limits.{name}.per_second: must be above 0 (rate_limits.enabled = false switches them off)"
            );
            ensure!(
                rate.burst > 0,
                "rate_limits.{name}.burst: must be above 0, or nothing gets through"
            );
        }
        self.federation.check()?;
        self.discovery
            .check()
            .map_err(|(key, why)| anyhow::anyhow!("discovery.{key}: {why}"))?;
        self.calls
            .turn
            .check()
            .map_err(|(key, why)| anyhow::anyhow!("calls.turn.{key}: {why}"))?;
        self.media
            .check()
            .map_err(|(key, why)| anyhow::anyhow!("media.{key}: {why}"))?;
        ensure!(
            self.search.writer_memory_bytes >= orvale_search::LEAST_WRITER_MEMORY,
            "search.writer_memory_bytes: {} is the least that the index can be written with",
            orvale_search::LEAST_WRITER_MEMORY
        );
        if let Some(token) = &self.metrics.token {
            ensure!(
                !token.is_empty(),
                "metrics.token: an empty token keeps nobody out"
            );
        }
        tracing_subscriber::EnvFilter::try_new(&self.log.level)
            .map_err(|error| anyhow::anyhow!("log.level: {error}"))?;
        Ok(())
    }
}

/// What is wrong with a file, by the name of the key.
fn explain(error: figment::Error) -> anyhow::Error {
    let Some(first) = error.into_iter().next() else {
        return anyhow::anyhow!("the settings cannot be read");
    };
    let mut path = first.path.clone();
    match &first.kind {
        Kind::UnknownField(name, known) => {
            if path.last().is_none_or(|last| last != name) {
                path.push(name.clone());
            }
            let path = path.join(".");
            match nearest(name, known) {
                Some(near) => {
                    anyhow::anyhow!("{path}: there is no such setting; did you mean {near}?")
                }
                None => anyhow::anyhow!(
                    "{path}: there is no such setting; known here are {}",
                    known.join(", ")
                ),
            }
        }
        kind if path.is_empty() => anyhow::anyhow!("{kind}"),
        kind => anyhow::anyhow!("{}: {kind}", path.join(".")),
    }
}

/// The known name that is most like a misspelt one, if one is.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let closest = known
        .iter()
        .map(|known| (distance(name, known), *known))
        .min()?;
    (closest.0 <= (name.len() / 3).max(1)).then_some(closest.1)
}

/// How many letters must be put in, left out or changed to turn one word into another.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const EXAMPLE: &str = include_str!("../../../config/orvale.example.toml");

    fn refused(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    /// The example with every setting switched on: `#key = value` and `#[section]` lose their `#`; prose (`# …`) stays.
    fn uncommented() -> String {
        let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => {
                setting
            }
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn example_as_it_is_changes_nothing() {
        assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default());
    }

    #[test]
    fn example_shows_each_setting_with_its_default() {
        let shown = serde_json::to_value(Config::parse(&uncommented()).unwrap()).unwrap();
        let default = serde_json::to_value(Config::default()).unwrap();
        compare("", &shown, &default);
        // A key that the text does not have would be filled in with its default.
        let text: toml::Table = uncommented().parse().unwrap();
        let text = serde_json::to_value(text).unwrap();
        has_all("", &text, &shown);
    }

    /// What has no default is shown with an example; the rest with its default.
    fn compare(path: &str, shown: &Value, default: &Value) {
        match (shown, default) {
            (Value::Object(shown), Value::Object(default)) => {
                default.iter().for_each(|(key, default)| {
                    compare(&format!("{path}{key}."), &shown[key], default);
                });
            }
            (shown, Value::Null) => {
                assert!(!shown.is_null(), "the example shows {path} without a value");
            }
            (shown, default) => {
                assert_eq!(shown, default, "{path} in the example is not the default");
            }
        }
    }

    fn has_all(path: &str, text: &Value, shown: &Value) {
        if let (Value::Object(text), Value::Object(shown)) = (text, shown) {
            for (key, shown) in shown {
                let text = text.get(key);
                let text = text.unwrap_or_else(|| panic!("the example does not show {path}{key}"));
                has_all(&format!("{path}{key}."), text, shown);
            }
        }
    }

    #[test]
    fn unknown_key_is_refused_by_name_with_the_nearest_known_one() {
        assert_eq!(
            refused("sever_name = 'a'"),
            "sever_name: there is no such setting; did you mean server_name?"
        );
        let nested = refused("[rate_limits.login]\nper_minute = 3");
        assert!(
            nested.starts_with("rate_limits.login.per_minute: there is no such setting"),
            "{nested}"
        );
        let odd = refused("[http]\ncolour = 1");
        assert!(
            odd.starts_with("http.colour: there is no such setting; known here are"),
            "{odd}"
        );
    }

    #[test]
    fn impossible_value_is_refused_by_the_name_of_its_key() {
        for (text, key) in [
            ("server_name = 'not a name'", "server_name"),
            ("listeners = []", "listeners"),
            ("[http]\nmax_request_bytes = 10", "http.max_request_bytes"),
            (
                "[http]\nmax_request_bytes = 'many'",
                "http.max_request_bytes",
            ),
            (
                "[rate_limits.login]\nper_second = 0.0\nburst = 1",
                "rate_limits.login.per_second",
            ),
            (
                "[search]\nwriter_memory_bytes = 1",
                "search.writer_memory_bytes",
            ),
            (
                "[media]\naccepted_types = ['pictures']",
                "media.accepted_types",
            ),
            ("[media.gifs]\nprovider = 'tenor'", "media.gifs.key"),
            ("[media.gifs]\nprovider = 'gifs'", "media.gifs.provider"),
            ("[log]\nlevel = 'orvale=loud'", "log.level"),
            ("[log]\nformat = 'xml'", "log.format"),
            (
                "[federation]\nlisteners = [{ address = '::1', port = 1, key = 'k' }]",
                "federation.listeners",
            ),
            (
                "[federation]\nmax_response_bytes = 5",
                "federation.max_response_bytes",
            ),
            (
                "[federation]\nallowed_private_ranges = ['here']",
                "federation.allowed_private_ranges.0",
            ),
            (
                "[discovery]\nbase_url = 'chat.example.org'",
                "discovery.base_url",
            ),
        ] {
            let error = refused(text);
            assert!(error.starts_with(&format!("{key}:")), "{text}: {error}");
        }
    }
}
