//! Searching.

pub(crate) mod search_events;

#[cfg(test)]
mod tests;
