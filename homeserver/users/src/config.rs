//! The settings of accounts.

use std::{path::PathBuf, time::Duration};

use orvale_policy::Permissions;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The settings of accounts. Every one has a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logging in by password, and how passwords are kept.
    pub passwords: Passwords,
    /// Who may register.
    pub registration: Registration,
    /// Logging in with a token of another system.
    pub jwt: Option<Jwt>,
    /// How long tokens live.
    pub tokens: Tokens,
    /// Who is online.
    pub presence: Presence,
    /// Bounds on what a user may keep.
    pub limits: Limits,
    /// Application services.
    pub appservices: Vec<Appservice>,
    /// What accounts may do: a setting of policy, put here by who builds the server.
    #[serde(skip)]
    pub permissions: Permissions,
}

/// Logging in by password, and how passwords are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// Whether people may log in by password.
    pub enabled: bool,
    /// Whether people may change their password.
    pub change: bool,
    /// The least length of a new password, in characters.
    pub min_length: usize,
    /// Memory for one argon2id hash, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over the memory.
    pub argon2_iterations: u32,
    /// Lanes.
    pub argon2_parallelism: u32,
}

impl Default for Passwords {
    fn default() -> Self {
        // The second recommendation of RFC 9106 asks for 64 MiB and 3 passes; OWASP's minimum is this one. The larger
        // costs a login storm more than it costs a thief.
        Self {
            enabled: true,
            change: true,
            min_length: 8,
            argon2_memory_kib: 19_456,
            argon2_iterations: 2,
            argon2_parallelism: 1,
        }
    }
}

/// Who may register.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registration {
    /// Who may register an account.
    pub mode: RegistrationMode,
    /// Whether guest accounts may be made.
    pub guests: bool,
    /// The secret with which tools make accounts over `/_synapse/admin/v1/register`; none, none.
    pub shared_secret: Option<String>,
    /// Registration tokens without limit, besides those that administrators make.
    pub tokens: Vec<String>,
}

/// Who may register an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Everybody.
    Open,
    /// Who has a registration token.
    Token,
    /// Nobody; administrators make accounts.
    #[default]
    Closed,
}

/// Logging in with a signed token of another system (`org.matrix.login.jwt`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// The keys that may have signed it.
    pub keys: Vec<JwtKey>,
    /// The accepted values of `iss`; with any given the claim is required.
    #[serde(default)]
    pub issuers: Vec<String>,
    /// The accepted values of `aud`; with any given the claim is required.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The claim that names the account.
    #[serde(default = "sub")]
    pub localpart_claim: String,
    /// The claim with the display name.
    #[serde(default)]
    pub display_name_claim: Option<String>,
    /// The claim with the e-mail address.
    #[serde(default)]
    pub email_claim: Option<String>,
    /// Whether an unknown account is made.
    #[serde(default = "yes")]
    pub create_accounts: bool,
    /// By how much clocks may differ, in seconds.
    #[serde(default = "a_minute")]
    pub leeway_seconds: u64,
}

fn sub() -> String {
    "sub".to_owned()
}

fn yes() -> bool {
    true
}

fn a_minute() -> u64 {
    60
}

/// A key that may have signed a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtKey {
    /// The algorithm: `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `ES256`, `ES384` or `EdDSA`.
    pub algorithm: String,
    /// The `kid` it is named by; a key without one is tried for every token of its algorithm.
    #[serde(default)]
    pub id: Option<String>,
    /// The shared secret, for the HS algorithms.
    #[serde(default)]
    pub secret: Option<String>,
    /// The public key in PEM, for the others.
    #[serde(default)]
    pub public_key: Option<String>,
    /// A file with the public key in PEM.
    #[serde(default)]
    pub public_key_file: Option<PathBuf>,
}

/// How long tokens live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The life of an access token whose client can refresh it, in seconds.
    pub refreshable_access_seconds: u64,
    /// The life of other access tokens, in seconds; none, they do not expire.
    pub access_seconds: Option<u64>,
    /// The life of a refresh token, in seconds; none, they do not expire.
    pub refresh_seconds: Option<u64>,
    /// The life of a token to log in once, in seconds.
    pub login_seconds: u64,
    /// Whether a logged-in client may have a token to log in another.
    pub login_tokens: bool,
    /// How many sessions are kept in memory.
    pub cached_sessions: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            refreshable_access_seconds: 3600,
            access_seconds: None,
            refresh_seconds: None,
            login_seconds: 120,
            login_tokens: true,
            cached_sessions: 50_000,
        }
    }
}

/// Who is online.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Presence {
    /// Whether presence is told at all.
    pub enabled: bool,
    /// After how long without activity a user is idle, in seconds.
    pub idle_seconds: u64,
    /// How long after its last request a client counts as connected, in seconds.
    pub offline_seconds: u64,
    /// Whether people may say something of themselves besides how available they are.
    pub status_messages: bool,
    /// The most characters of that.
    pub status_message_chars: usize,
}

impl Default for Presence {
    fn default() -> Self {
        Self {
            enabled: true,
            idle_seconds: 300,
            offline_seconds: 45,
            status_messages: true,
            status_message_chars: 100,
        }
    }
}

impl Presence {
    pub(crate) fn idle_after(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    pub(crate) fn offline_after(&self) -> Duration {
        Duration::from_secs(self.offline_seconds)
    }

    /// Whether people may say this of themselves.
    pub(crate) fn check_status_message(&self, text: &str) -> Result<()> {
        if !self.status_messages {
            return Err(Error::Forbidden("this server has no status messages"));
        }
        let most = self.status_message_chars;
        if text.chars().count() > most {
            return Err(Error::InvalidParam(format!(
                "a status message has at most {most} characters"
            )));
        }
        Ok(())
    }
}

/// Bounds on what a user may keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Filters of one user.
    pub filters: usize,
    /// Bytes of one filter.
    pub filter_bytes: usize,
    /// Push rules of one user that are not the server's default.
    pub push_rules: usize,
    /// Bytes of one user's push rules.
    pub push_rules_bytes: usize,
    /// Pushers of one user.
    pub pushers: usize,
    /// Bytes of the content of one type of account data.
    pub account_data_bytes: usize,
    /// Types of account data of one user, globally or in one room.
    pub account_data_types: usize,
    /// Tags of one room.
    pub tags: usize,
    /// Devices of one user; who has as many logs out of some before logging in on another.
    pub devices: usize,
    /// Bytes of one key: the keys of a device, a one-time key, a cross-signing key.
    pub key_bytes: usize,
    /// Sessions in one user's key backup.
    pub backup_sessions: usize,
    /// Bytes of one session in a key backup.
    pub backup_session_bytes: usize,
    /// One-time keys of one device.
    pub one_time_keys: usize,
    /// Messages waiting for one device; a sender whose message would be one more is refused.
    pub to_device_messages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            filters: 1000,
            filter_bytes: 65_536,
            push_rules: 1000,
            push_rules_bytes: 1_048_576,
            pushers: 100,
            account_data_bytes: 1_048_576,
            account_data_types: 5000,
            tags: 100,
            devices: 1000,
            key_bytes: 32_768,
            backup_sessions: 200_000,
            backup_session_bytes: 65_536,
            one_time_keys: 500,
            to_device_messages: 50_000,
        }
    }
}

/// An application service, as far as accounts go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appservice {
    /// Its ID.
    pub id: String,
    /// The token it shows us.
    pub as_token: String,
    /// The localpart of its own user.
    pub sender_localpart: String,
    /// The users it manages.
    #[serde(default)]
    pub users: Vec<Namespace>,
}

/// User IDs that an application service manages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// Whether nobody else may make such users.
    pub exclusive: bool,
    /// A regular expression for whole user IDs.
    pub regex: String,
}
