//! The settings of calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How people's calls are carried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// TURN servers, through which two people reach each other whose networks let nothing in.
    pub turn: TurnConfig,
    /// Media servers of group calls (MatrixRTC), the preferred one first.
    pub rtc_transports: Vec<Transport>,
}

/// One media server: its `type`, and what clients must know for a server of this type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transport {
    /// Which protocol it speaks: `livekit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The rest: for `livekit` its `livekit_service_url`.
    #[serde(flatten)]
    pub details: BTreeMap<String, String>,
}

/// TURN servers and how clients prove to them that they may use them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TurnConfig {
    /// Their addresses, as `turn:` and `turns:` URIs. None: clients get no TURN server.
    pub uris: Vec<String>,
    /// The secret that these servers share with this one, of which credentials for a while are made.
    pub shared_secret: Option<String>,
    /// How long these are good, in seconds.
    pub lifetime_seconds: u64,
    /// A user name that is always good, for servers without a shared secret.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
}

impl Default for TurnConfig {
    fn default() -> Self {
        Self {
            uris: Vec::new(),
            shared_secret: None,
            lifetime_seconds: 24 * 60 * 60,
            username: None,
            password: None,
        }
    }
}

impl std::fmt::Debug for TurnConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("TurnConfig");
        shown.field("uris", &self.uris);
        shown
            .field("lifetime_seconds", &self.lifetime_seconds)
            .finish_non_exhaustive()
    }
}

impl TurnConfig {
    /// What is wrong with these settings, if anything: the key, and why.
    ///
    /// # Errors
    /// The key that cannot be, and why.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let known = |uri: &String| {
            uri.starts_with("turn:") || uri.starts_with("turns:") || uri.starts_with("stun:")
        };
        if !self.uris.iter().all(known) {
            return Err(("uris", "each starts with turn:, turns: or stun:"));
        }
        if self.lifetime_seconds < 60 {
            return Err(("lifetime_seconds", "a call takes a minute at least"));
        }
        if self.shared_secret.as_deref() == Some("") {
            return Err(("shared_secret", "an empty secret is known to everybody"));
        }
        if self.username.is_some() != self.password.is_some() {
            return Err(("username", "a user name and a password go together"));
        }
        if !self.uris.is_empty() && self.shared_secret.is_none() && self.username.is_none() {
            return Err((
                "shared_secret",
                "TURN servers need it, or username and password",
            ));
        }
        Ok(())
    }
}
