//! Dehydrated devices (MSC3814), at the paths that clients use.

pub(crate) mod delete_dehydrated_device;
pub(crate) mod get_dehydrated_device;
pub(crate) mod get_events;
pub(crate) mod put_dehydrated_device;

#[cfg(test)]
mod tests;
