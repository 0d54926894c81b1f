//! Which server this is, and its keys.

pub(crate) mod get_remote_server_keys;
pub(crate) mod get_remote_server_keys_batch;
pub(crate) mod get_server_keys;
pub(crate) mod get_server_version;
#[cfg(test)]
mod tests;

use ruma::{api::federation::discovery::ServerSigningKeys, serde::Raw};
use serde_json::value::RawValue as RawJsonValue;

/// Signed JSON, as it is.
fn raw(json: String) -> Result<Raw<ServerSigningKeys>, orvale_http::MatrixError> {
    let json = RawJsonValue::from_string(json);
    json.map(Raw::from_json)
        .map_err(|error| orvale_http::MatrixError::unexpected(&error))
}
