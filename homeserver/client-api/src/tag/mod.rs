//! Tags of rooms.

pub(crate) mod create_tag;
pub(crate) mod delete_tag;
pub(crate) mod get_tags;

#[cfg(test)]
mod tests;
