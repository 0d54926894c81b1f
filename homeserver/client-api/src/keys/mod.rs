//! Keys of devices and users, for end-to-end encryption.

pub(crate) mod claim_keys;
pub(crate) mod get_key_changes;
pub(crate) mod get_keys;
pub(crate) mod upload_keys;
pub(crate) mod upload_signatures;
pub(crate) mod upload_signing_keys;

use std::collections::BTreeMap;

use orvale_users::Users;
use ruma::OwnedUserId;
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

/// The servers of these users that we could not ask: all but our own.
fn failures<'a>(
    users: &Users,
    asked: impl Iterator<Item = &'a OwnedUserId>,
) -> BTreeMap<String, Value> {
    let others = asked.filter(|user_id| !users.is_local(user_id));
    let why = json!({ "errcode": "M_UNKNOWN", "error": "This server cannot reach other servers" });
    others
        .map(|user_id| (user_id.server_name().to_string(), why.clone()))
        .collect()
}
