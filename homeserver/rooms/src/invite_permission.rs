//! Whose invites a user takes: what the user's account data `m.invite_permission_config` says, the lists of [MSC4155] included,
//! and whom the user ignores.
//!
//! <https://spec.matrix.org/v1.19/client-server-api/#invite-permission>
//!
//! [MSC4155]: https://github.com/matrix-org/matrix-spec-proposals/pull/4155

use orvale_events::Glob;
use ruma::UserId;
use serde_json::{Map, Value};

use crate::{
    Rooms,
    error::{Error, Result},
};

/// Where it is said, also by clients from before it had its name.
const TYPES: [&str; 3] = [
    "m.invite_permission_config",
    "org.matrix.msc4155.invite_permission_config",
    "org.matrix.msc4380.invite_permission_config",
];

/// What becomes of an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteVerdict {
    /// The user is told.
    Allow,
    /// The user is not told, nor is who invites.
    Ignore,
    /// It is refused.
    Block,
}

/// The lists, in the order in which they are asked.
const LISTS: [(&str, bool, InviteVerdict); 6] = [
    ("allowed_users", false, InviteVerdict::Allow),
    ("ignored_users", false, InviteVerdict::Ignore),
    ("blocked_users", false, InviteVerdict::Block),
    ("allowed_servers", true, InviteVerdict::Allow),
    ("ignored_servers", true, InviteVerdict::Ignore),
    ("blocked_servers", true, InviteVerdict::Block),
];

impl Rooms {
    /// What becomes of an invite of a local user.
    ///
    /// # Errors
    /// Storage's.
    pub fn invite_verdict(&self, user: &UserId, sender: &UserId) -> Result<InviteVerdict> {
        if self.users().ignored_users(user)?.contains(sender) {
            return Ok(InviteVerdict::Ignore);
        }
        let mut otherwise = InviteVerdict::Allow;
        for kind in TYPES {
            let content = self.users().account_data(user, None, kind)?;
            let config: Option<Map<String, Value>> =
                content.and_then(|content| content.parse().ok());
            let Some(config) = config else {
                continue;
            };
            if let Some(verdict) = listed(&config, sender) {
                return Ok(verdict);
            }
            if config
                .get("default_action")
                .is_some_and(|action| action == "block")
            {
                otherwise = InviteVerdict::Block;
            }
        }
        Ok(otherwise)
    }

    /// Refuses to invite users who cannot be reached or do not take the invite.
    pub(crate) fn check_invitable(&self, sender: &UserId, user: &UserId) -> Result<()> {
        if !self.is_local(user) {
            return Err(Error::RemoteUser(user.to_owned()));
        }
        if !self.users().exists(user)? {
            return Err(Error::UnknownUser(user.to_owned()));
        }
        match self.invite_verdict(user, sender)? {
            InviteVerdict::Allow | InviteVerdict::Ignore => Ok(()),
            InviteVerdict::Block => Err(Error::InviteBlocked(user.to_owned())),
        }
    }
}

/// What the lists say of a sender.
fn listed(config: &Map<String, Value>, sender: &UserId) -> Option<InviteVerdict> {
    if config
        .get("enabled")
        .is_some_and(|enabled| enabled == false)
    {
        return None;
    }
    let found = LISTS.into_iter().find(|(list, is_server, _)| {
        let name = if *is_server {
            sender.server_name().as_str()
        } else {
            sender.as_str()
        };
        let patterns = config.get(*list).and_then(Value::as_array);
        let mut patterns = patterns.into_iter().flatten().filter_map(Value::as_str);
        patterns.any(|pattern| Glob::new(pattern).matches(name))
    });
    found.map(|(.., verdict)| verdict)
}

#[cfg(test)]
mod tests {
    use ruma::user_id;
    use serde_json::json;

    use super::*;

    #[test]
    fn users_go_before_servers_and_who_is_allowed_before_who_is_not() {
        let says = |config: &Value, sender: &UserId| {
            let config = config.as_object().unwrap();
            listed(config, sender)
        };
        let config = json!({
            "allowed_users": ["@friend:bad.example", "@*:good.example"],
            "ignored_users": ["@nuisance:*"],
            "blocked_users": ["@nuisance:worse.example", "@foe:good.example", 7],
            "blocked_servers": ["bad.example", "*.bad.example"],
            "ignored_servers": "not a list",
        });
        let allow = Some(InviteVerdict::Allow);
        let (ignore, block) = (Some(InviteVerdict::Ignore), Some(InviteVerdict::Block));
        assert_eq!(says(&config, user_id!("@friend:bad.example")), allow);
        assert_eq!(says(&config, user_id!("@foe:good.example")), allow);
        assert_eq!(says(&config, user_id!("@nuisance:worse.example")), ignore);
        assert_eq!(says(&config, user_id!("@other:bad.example")), block);
        assert_eq!(says(&config, user_id!("@other:very.bad.example")), block);
        assert_eq!(says(&config, user_id!("@other:example.org")), None);
        let mut off = config.clone();
        off["enabled"] = false.into();
        assert_eq!(says(&off, user_id!("@other:bad.example")), None);
    }
}
