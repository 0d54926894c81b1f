//! Keys of devices and users, for end-to-end encryption.

pub(crate) mod claim_keys;
pub(crate) mod get_keys;

use orvale_http::MatrixError;
use ruma::{encryption::DeviceKeys, serde::Raw};
use serde_json::{Map, Value, value::to_raw_value};

/// Keys without the device's name, which is for its user and the users of this server.
pub(crate) fn without_name(keys: &Raw<DeviceKeys>) -> Result<Raw<DeviceKeys>, MatrixError> {
    let malformed = |error: serde_json::Error| MatrixError::unexpected(&error);
    let mut object: Map<String, Value> = keys.deserialize_as_unchecked().map_err(malformed)?;
    object.remove("unsigned");
    to_raw_value(&object).map(Raw::from_json).map_err(malformed)
}
