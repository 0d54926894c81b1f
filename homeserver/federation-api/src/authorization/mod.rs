//! What allows an event.

pub(crate) mod get_event_authorization;
