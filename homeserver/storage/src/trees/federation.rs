//! Trees of `federation-client`.

use serde::{Deserialize, Serialize};

use crate::{Tree, record::JsonText, tree::Described};

/// Keys of other servers: server name, key ID (`ed25519:…`) → [`KeyRecord`]. None is ever removed: events that were signed with it may
/// come for years.
pub const SERVER_KEYS: Tree<(String, String), KeyRecord> = Tree::new(0x0601, "server_keys");

/// A key with which another server signs, or signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The public key.
    pub key: Vec<u8>,
    /// Until when it is valid, in milliseconds since the epoch.
    pub valid_until: u64,
    /// When the server, or a notary, told of it last, in milliseconds since the epoch.
    pub fetched_at: u64,
    /// What it told, signed by the server: for those who ask this server for the keys of others.
    pub answer: JsonText,
}

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[&SERVER_KEYS];
