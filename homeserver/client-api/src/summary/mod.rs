//! What rooms look like from outside.

pub(crate) mod get_summary;
