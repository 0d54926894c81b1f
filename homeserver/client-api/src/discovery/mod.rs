//! What the server is and can do.

pub(crate) mod discover_homeserver;
pub(crate) mod discover_server;
pub(crate) mod discover_support;
pub(crate) mod get_capabilities;
pub(crate) mod get_supported_versions;

use std::collections::BTreeMap;

use ruma::{
    OwnedUserId, RoomVersionId, ServerName,
    api::client::discovery::get_capabilities::v3::RoomVersionStability,
};
use serde::{Deserialize, Serialize};

/// What the server says of itself, as far as it is a setting.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address at which clients reach this server, told to them by `/.well-known/matrix/client`.
    pub base_url: Option<String>,
    /// The address of the identity server that clients shall use, if any.
    pub identity_server: Option<String>,
    /// Name and port at which other servers reach this one, if not under its own name.
    pub server: Option<String>,
    /// Whom to ask for help.
    pub support: Support,
}

/// Whom to ask for help, as `/.well-known/matrix/support` tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Support {
    /// People.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// A page with help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_page: Option<String>,
}

/// Somebody to ask for help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// For what: `m.role.admin`, `m.role.moderator`, `m.role.dpo`, `m.role.security`.
    pub role: String,
    /// Their user ID, perhaps on another server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix_id: Option<OwnedUserId>,
    /// Their e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
}

impl Config {
    /// What is wrong with these settings, if anything: the key, and why.
    ///
    /// # Errors
    /// The key that cannot be, and why.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(url) = &self.base_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            let why = format!("{url:?} is not a URL that starts with https://");
            return Err(("base_url", why));
        }
        if let Some(server) = &self.server
            && <&ServerName>::try_from(server.as_str()).is_err()
        {
            let why = format!("{server:?} is not a name, or a name and a port");
            return Err(("server", why));
        }
        for contact in &self.support.contacts {
            if contact.matrix_id.is_none() && contact.email_address.is_none() {
                let why = "a contact has a matrix_id, an email_address or both";
                return Err(("support.contacts", why.to_owned()));
            }
        }
        Ok(())
    }
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
    /// Media servers of group calls.
    pub rtc_transports: Vec<orvale_calls::Transport>,
}

#[cfg(test)]
mod tests;
