//! Spaces.

pub(crate) mod get_hierarchy;
mod remote;

pub use remote::RemoteRooms;

#[cfg(test)]
mod tests;
