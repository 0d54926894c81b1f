//! How those who follow the log for others begin, and what they do where it cannot be read: they try again.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use orvale_storage::{Entry, Follower, Position};
use tokio::time::sleep;

use crate::{Result, delivery::Inner};

/// What following starts with, as soon as that can be read; none when the last handle on delivery is gone.
pub(crate) async fn begin<T>(
    inner: &Weak<Inner>,
    whom: &'static str,
    start: impl Fn(&Arc<Inner>) -> Result<T>,
) -> Option<T> {
    loop {
        let shared = inner.upgrade()?;
        match start(&shared) {
            Ok(started) => return Some(started),
            Err(error) => tracing::error!(%error, "{whom} cannot be told yet"),
        }
        drop(shared);
        sleep(Duration::from_secs(5)).await;
    }
}

/// The next entries, at most `limit`; none when the store is closed.
pub(crate) async fn next(follower: &mut Follower, limit: usize) -> Option<Vec<(Position, Entry)>> {
    loop {
        match follower.next(limit).await {
            Ok(entries) => return Some(entries),
            Err(orvale_storage::Error::Closed) => return None,
            Err(error) => tracing::error!(%error, "the log cannot be followed"),
        }
        sleep(Duration::from_secs(1)).await;
    }
}
