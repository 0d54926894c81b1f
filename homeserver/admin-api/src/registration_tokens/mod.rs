//! Registration tokens, as Synapse's admin API has them.

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod find;
pub(crate) mod list;
pub(crate) mod remove;

use orvale_http::MatrixError;
use orvale_users::{RegistrationTokenInfo, Users};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// A registration token, as tools know it.
#[derive(Serialize)]
pub(crate) struct Shown {
    token: String,
    uses_allowed: Option<u64>,
    /// Registrations under way. Orvale takes a use when the account is made, so there are none in between.
    pending: u64,
    completed: u64,
    expiry_time: Option<u64>,
}

impl From<RegistrationTokenInfo> for Shown {
    fn from(info: RegistrationTokenInfo) -> Self {
        let RegistrationTokenInfo {
            token,
            uses_allowed,
            completed,
            expires_at,
        } = info;
        Self {
            token,
            uses_allowed,
            pending: 0,
            completed,
            expiry_time: expires_at,
        }
    }
}

/// Refuses a time to expire that is over.
fn check_expiry(users: &Users, expiry_time: Option<u64>) -> Result<(), MatrixError> {
    match expiry_time {
        Some(at) if at <= users.clock().now() => {
            Err(MatrixError::invalid_param("expiry_time is in the past"))
        }
        _ => Ok(()),
    }
}
