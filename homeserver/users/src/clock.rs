//! The time, held still where a test wants it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Where the time comes from. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds since the Unix epoch; `None` for the system's time.
    held: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub const fn system() -> Self {
        Self { held: None }
    }

    /// A time that stands still until [`Clock::advance`].
    #[must_use]
    pub fn held_at(milliseconds: u64) -> Self {
        Self {
            held: Some(Arc::new(AtomicU64::new(milliseconds))),
        }
    }

    /// Moves a held time on; nothing for the system's.
    pub fn advance(&self, by: Duration) {
        if let Some(held) = &self.held {
            held.fetch_add(milliseconds(by), Ordering::Relaxed);
        }
    }

    /// Now, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> u64 {
        match &self.held {
            Some(held) => held.load(Ordering::Relaxed),
            None => SystemTime::UNIX_EPOCH.elapsed().map_or(0, milliseconds),
        }
    }
}

/// Whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
