//! What accounts may do at all, whatever power they have in a room.

use ruma::{OwnedUserId, UserId};
use serde::{Deserialize, Serialize};

/// Something that an account may do, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Permission {
    /// Making channels: rooms with a name or an address, rooms open to all, spaces.
    #[serde(rename = "chat.create_channels")]
    CreateChannels,
    /// Beginning direct messages and groups.
    #[serde(rename = "chat.create_direct")]
    CreateDirect,
    /// Sending files, pictures, films and sounds. What is encrypted tells nobody that it is one.
    #[serde(rename = "chat.send_files")]
    SendFiles,
}

impl Permission {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::CreateChannels, Self::CreateDirect, Self::SendFiles];

    /// What it is called between programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateChannels => "chat.create_channels",
            Self::CreateDirect => "chat.create_direct",
            Self::SendFiles => "chat.send_files",
        }
    }
}

/// Who may do what. Administrators may everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Permissions {
    /// What all accounts may do.
    pub everybody: Vec<Permission>,
    /// What some may besides.
    pub more: Vec<Grant>,
}

/// What some accounts may do besides what all may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who.
    pub users: Vec<OwnedUserId>,
    /// What.
    pub permissions: Vec<Permission>,
}

impl Default for Permissions {
    fn default() -> Self {
        Self {
            everybody: Permission::ALL.to_vec(),
            more: Vec::new(),
        }
    }
}

impl Permissions {
    /// Whether an account that is no administrator's may do something.
    #[must_use]
    pub fn grant(&self, user: &UserId, permission: Permission) -> bool {
        self.everybody.contains(&permission)
            || self.more.iter().any(|grant| {
                grant.permissions.contains(&permission)
                    && grant.users.iter().any(|other| other == user)
            })
    }

    /// Whether there is anything that somebody may not.
    #[must_use]
    pub fn withhold_something(&self) -> bool {
        Permission::ALL
            .iter()
            .any(|permission| !self.everybody.contains(permission))
    }
}

/// Whether a message carries a file, by what its content says of itself.
#[must_use]
pub fn is_file(kind: &str, msgtype: Option<&str>) -> bool {
    kind == "m.room.message"
        && matches!(msgtype, Some("m.file" | "m.image" | "m.video" | "m.audio"))
}

#[cfg(test)]
mod tests {
    use ruma::{owned_user_id, user_id};

    use super::*;

    #[test]
    fn everybody_may_everything_unless_the_settings_say_less() {
        let alice = user_id!("@alice:here");
        let permissions = Permissions::default();
        assert!(!permissions.withhold_something());
        for permission in Permission::ALL {
            assert!(permissions.grant(alice, permission));
        }
        let permissions = Permissions {
            everybody: vec![Permission::CreateDirect],
            more: vec![Grant {
                users: vec![owned_user_id!("@alice:here")],
                permissions: vec![Permission::SendFiles],
            }],
        };
        assert!(permissions.withhold_something());
        assert!(permissions.grant(alice, Permission::CreateDirect));
        assert!(permissions.grant(alice, Permission::SendFiles));
        assert!(!permissions.grant(alice, Permission::CreateChannels));
        assert!(!permissions.grant(user_id!("@bob:here"), Permission::SendFiles));
    }

    #[test]
    fn names_are_those_of_the_settings() {
        for permission in Permission::ALL {
            let name = serde_json::to_value(permission).unwrap();
            assert_eq!(name, permission.name());
        }
    }

    #[test]
    fn files_are_known_by_their_msgtype() {
        assert!(is_file("m.room.message", Some("m.image")));
        assert!(!is_file("m.room.message", Some("m.text")));
        assert!(!is_file("org.example", Some("m.image")));
        assert!(!is_file("m.room.message", None));
    }
}
