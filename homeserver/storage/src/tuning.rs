//! The numbers behind a store on disk.

use std::time::Duration;

/// How a store on disk works. The defaults fit a server; tests and measurements choose others.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// Size of a segment of the commit log.
    pub segment_bytes: u64,
    /// A checkpoint is made when this much was written since the last one.
    pub checkpoint_bytes: usize,
    /// A checkpoint is made after this time, if anything was written.
    pub checkpoint_every: Duration,
    /// Writers wait when this much was written while a checkpoint is still busy with the part before it; they are slowed
    /// down from half of it on.
    pub limit_bytes: usize,
    /// The base is renewed when it has pinned this much memory; `None` for half of what the cache may take.
    pub pinned_bytes: Option<u64>,
    /// How many writes a checkpoint flushes at once: bounds what is serialised at a time.
    pub flush_writes: u64,
    /// Batches in a group, and their bytes: what one sync makes durable at most.
    pub group_batches: usize,
    /// Bytes in a group.
    pub group_bytes: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            checkpoint_bytes: 32 << 20,
            checkpoint_every: Duration::from_secs(60),
            limit_bytes: 96 << 20,
            pinned_bytes: None,
            flush_writes: 16 * 1024,
            group_batches: 512,
            group_bytes: 4 << 20,
        }
    }
}
