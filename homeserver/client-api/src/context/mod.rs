//! The events around one.

pub(crate) mod get_context;
