//! Making rooms, and their events and aliases.

pub(crate) mod aliases;
pub(crate) mod create_room;
pub(crate) mod get_event_by_timestamp;
pub(crate) mod get_room_event;
pub(crate) mod upgrade_room;

#[cfg(test)]
pub(crate) mod tests;
