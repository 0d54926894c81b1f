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

/// A device as its user sees it. What is not known is null: the specification would leave it out, but matrix-nio refuses
/// devices that lack any of these, and other servers have always written null.
#[derive(Serialize)]
pub(crate) struct Shown {
    device_id: OwnedDeviceId,
    display_name: Option<String>,
    last_seen_ip: Option<String>,
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
