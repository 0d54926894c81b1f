//! News for clients.

pub(crate) mod sliding_sync;
pub(crate) mod sync_events;
#[cfg(test)]
mod tests;
