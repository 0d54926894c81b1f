//! Devices.

pub(crate) mod delete_device;
pub(crate) mod delete_devices;
pub(crate) mod get_device;
pub(crate) mod get_devices;
pub(crate) mod update_device;

use orvale_users::DeviceInfo;
use ruma::OwnedDeviceId;
use serde::Serialize;

#[cfg(test)]
mod tests;

/// A device as its user sees it. The type of ruma's writes null for what is not known, which the specification does not have.
#[derive(Serialize)]
pub(crate) struct Shown {
    device_id: OwnedDeviceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_ts: Option<u64>,
}

fn shown(info: DeviceInfo) -> Shown {
    Shown {
        device_id: info.device_id,
        display_name: info.display_name,
        last_seen_ip: info.last_seen_from,
        last_seen_ts: info.last_seen_at,
    }
}
