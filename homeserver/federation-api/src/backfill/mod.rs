//! The history of rooms.

pub(crate) mod get_backfill;
