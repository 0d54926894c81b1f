//! What the server is and can do.

pub(crate) mod discover_homeserver;
pub(crate) mod get_capabilities;
pub(crate) mod get_supported_versions;

use std::collections::BTreeMap;

use ruma::{RoomVersionId, api::client::discovery::get_capabilities::v3::RoomVersionStability};
use serde::{Deserialize, Serialize};

/// What the server says of itself, as far as it is a setting.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address at which clients reach this server, told to them by `/.well-known/matrix/client`.
    pub base_url: Option<String>,
    /// The address of the identity server that clients shall use, if any.
    pub identity_server: Option<String>,
}

/// What the server says of itself. Built once.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The settings.
    pub config: Config,
    /// The version of new rooms.
    pub default_room_version: RoomVersionId,
    /// All versions rooms here may have.
    pub room_versions: BTreeMap<RoomVersionId, RoomVersionStability>,
    /// Whether people may change their password.
    pub change_password: bool,
    /// Whether a logged-in client may have a token to log in another.
    pub login_tokens: bool,
}
