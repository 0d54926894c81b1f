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
    /// Writers wait when this much is in memory and a checkpoint is still writing the part before it down.
    pub limit_bytes: usize,
    /// The base is opened again when it has pinned this much memory.
    pub pinned_bytes: u64,
    /// Batches in a group, and their bytes: what one sync makes durable at most.
    pub group_batches: usize,
    /// Bytes in a group.
    pub group_bytes: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            checkpoint_bytes: 64 << 20,
            checkpoint_every: Duration::from_secs(60),
            limit_bytes: 192 << 20,
            pinned_bytes: 512 << 20,
            group_batches: 512,
            group_bytes: 4 << 20,
        }
    }
}
