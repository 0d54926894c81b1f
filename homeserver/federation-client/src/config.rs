//! How other servers are asked.

use std::path::PathBuf;

use orvale_outward::AddressRange;
use ruma::OwnedServerName;

/// How other servers are asked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether other servers are asked at all.
    pub enabled: bool,
    /// Certificates of authorities that are trusted beside the web's, in PEM.
    pub extra_ca_file: Option<PathBuf>,
    /// Addresses that are not public and may be asked all the same.
    pub allowed_private_ranges: Vec<AddressRange>,
    /// Servers that are believed about the keys of servers that do not answer.
    pub trusted_notaries: Vec<OwnedServerName>,
    /// How long a request may take, in seconds.
    pub timeout_seconds: u64,
    /// How long finding and connecting to one address may take, in seconds.
    pub connect_timeout_seconds: u64,
    /// The most bytes an answer may have.
    pub max_response_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            extra_ca_file: None,
            allowed_private_ranges: Vec::new(),
            trusted_notaries: Vec::new(),
            timeout_seconds: 60,
            connect_timeout_seconds: 10,
            max_response_bytes: 128 << 20,
        }
    }
}
