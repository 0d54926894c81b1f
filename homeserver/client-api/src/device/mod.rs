//! Devices.

pub(crate) mod delete_device;
pub(crate) mod delete_devices;
pub(crate) mod get_device;
pub(crate) mod get_devices;
pub(crate) mod update_device;

use orvale_users::DeviceInfo;
use ruma::{MilliSecondsSinceUnixEpoch, UInt, api::client::device::Device};

#[cfg(test)]
mod tests;

fn shown(info: DeviceInfo) -> Device {
    let mut device = Device::new(info.device_id);
    device.display_name = info.display_name;
    device.last_seen_ip = info.last_seen_from;
    device.last_seen_ts = info
        .last_seen_at
        .map(|at| MilliSecondsSinceUnixEpoch(UInt::new_saturating(at)));
    device
}
