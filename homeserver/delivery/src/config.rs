//! The settings of delivery.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings of delivery. Every one has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The longest that a sync waits for news, in seconds, whatever the client asks for.
    pub longest_wait_seconds: u64,
    /// Memory for what is known of users who sync, in bytes.
    pub session_bytes: usize,
    /// Memory for what users have not read, in bytes.
    pub unread_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            longest_wait_seconds: 300,
            session_bytes: 256 << 20,
            unread_bytes: 64 << 20,
        }
    }
}

impl Config {
    pub(crate) fn longest_wait(&self) -> Duration {
        Duration::from_secs(self.longest_wait_seconds)
    }
}
