//! Threads.

pub(crate) mod get_thread_subscription;
pub(crate) mod get_thread_subscriptions_changes;
pub(crate) mod get_threads;
pub(crate) mod subscribe_thread;
#[cfg(test)]
mod tests;
pub(crate) mod unsubscribe_thread;
