//! Keys of devices and users, for end-to-end encryption.

pub(crate) mod claim_keys;
pub(crate) mod get_key_changes;
pub(crate) mod get_keys;
pub(crate) mod upload_keys;
pub(crate) mod upload_signatures;
pub(crate) mod upload_signing_keys;

use std::time::Duration;

#[cfg(test)]
mod tests;

/// How long other servers may take to answer: what the client asks for, within reason.
fn patience(asked: Option<Duration>) -> Duration {
    asked.map_or(Duration::from_secs(10), |asked| {
        asked.min(Duration::from_secs(60))
    })
}
