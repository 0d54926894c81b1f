//! The settings of delivery.

use std::{path::PathBuf, time::Duration};

use orvale_outward::AddressRange;
use serde::{Deserialize, Serialize};

/// The settings of delivery. Every one has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The longest that a sync waits for news, in seconds, whatever the client asks for.
    pub longest_wait_seconds: u64,
    /// Memory for what is known of users who sync, in bytes.
    pub session_bytes: usize,
    /// Memory for what clients were told over connections of sliding sync, in bytes.
    pub connection_bytes: usize,
    /// Memory for what users have not read, in bytes.
    pub unread_bytes: u64,
    /// Telling push gateways.
    pub push: Push,
    /// Telling other servers.
    pub servers: Servers,
}

/// Telling other servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Servers {
    /// How long to wait before a server is told again that could not be, in milliseconds; twice as long each time, up to an hour. Any
    /// sign of life of it ends the wait.
    pub retry_milliseconds: u64,
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            retry_milliseconds: 2000,
        }
    }
}

impl Servers {
    pub(crate) fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_milliseconds.max(1))
    }
}

/// Telling push gateways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Push {
    /// Whether push gateways are told at all.
    pub enabled: bool,
    /// Addresses that are not public but may be a push gateway's all the same, as ranges.
    pub allowed_private_ranges: Vec<AddressRange>,
    /// A file with certificates in PEM that are trusted besides the system's.
    pub extra_ca_file: Option<PathBuf>,
    /// How long a push gateway may take to answer, in seconds.
    pub timeout_seconds: u64,
    /// How long to wait before a push gateway is told again that did not answer, in milliseconds; twice as long each time, up to
    /// an hour.
    pub retry_milliseconds: u64,
}

impl Default for Push {
    fn default() -> Self {
        Self {
            enabled: true,
            allowed_private_ranges: Vec::new(),
            extra_ca_file: None,
            timeout_seconds: 15,
            retry_milliseconds: 5000,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            longest_wait_seconds: 300,
            session_bytes: 256 << 20,
            connection_bytes: 128 << 20,
            unread_bytes: 64 << 20,
            push: Push::default(),
            servers: Servers::default(),
        }
    }
}

impl Config {
    pub(crate) fn longest_wait(&self) -> Duration {
        Duration::from_secs(self.longest_wait_seconds)
    }
}
