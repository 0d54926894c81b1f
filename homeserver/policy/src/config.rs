//! The settings of policy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Permissions;

/// What this server allows its own people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// For how long people may edit a message of theirs, in seconds.
    pub edit_seconds: u64,
    /// For how long people may delete a message of theirs, in seconds. Who has the power to redact may at any time.
    pub delete_seconds: u64,
    /// Whether people may edit and delete their messages without such a limit.
    pub changes_at_any_time: bool,
    /// Whether everybody in a room sees who has read what, also where a client asks that nobody shall.
    pub public_receipts: bool,
    /// What accounts may do at all.
    pub permissions: Permissions,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            edit_seconds: 180,
            delete_seconds: 180,
            changes_at_any_time: false,
            public_receipts: false,
            permissions: Permissions::default(),
        }
    }
}

impl Config {
    /// For how long a message may be edited; `None` for ever.
    #[must_use]
    pub fn edit_window(&self) -> Option<Duration> {
        self.window(self.edit_seconds)
    }

    /// For how long a message may be deleted; `None` for ever.
    #[must_use]
    pub fn delete_window(&self) -> Option<Duration> {
        self.window(self.delete_seconds)
    }

    fn window(&self, seconds: u64) -> Option<Duration> {
        (!self.changes_at_any_time).then(|| Duration::from_secs(seconds))
    }
}
