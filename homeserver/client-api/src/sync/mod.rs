//! News for clients.

pub(crate) mod sync_events;
#[cfg(test)]
mod tests;
