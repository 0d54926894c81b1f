//! Events and states of rooms.

pub(crate) mod get_event;
pub(crate) mod get_event_by_timestamp;
pub(crate) mod get_missing_events;
pub(crate) mod get_room_state;
pub(crate) mod get_room_state_ids;
