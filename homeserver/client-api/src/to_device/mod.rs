//! Messages to devices.

pub(crate) mod send_event_to_device;

#[cfg(test)]
mod tests;
