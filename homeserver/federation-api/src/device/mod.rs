//! Devices of users of this server.

pub(crate) mod get_devices;
