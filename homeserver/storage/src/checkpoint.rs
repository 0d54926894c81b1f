//! Checkpoints: what the layers in memory hold is written down to the base, and the commit log is let go.
//!
//! A checkpoint freezes the active layer, writes it to the base and syncs that, then notes, in a file of its own, the last
//! group of the commit log that the base completes. After a crash the groups after it are applied again, in their order:
//! they are whole puts and deletes, so it does not matter how much of them the base had already.

use std::{
    fs,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::{
    Error, Result,
    commit_log::{CommitLog, Held},
    engine::{Engine, base::Incarnations},
    tuning::Tuning,
};

/// Where a store keeps its last checkpoint.
const FILE: &str = "checkpoint";
/// How much more than usual may be pinned before the end of a checkpoint.
pub(crate) const CEILING: u64 = 4;
const MAGIC: [u8; 8] = *b"orv chk\x01";

/// What the base on disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The last group of the commit log that the base completes.
    pub(crate) group: u64,
    /// Which openings of its databases count.
    pub(crate) incarnations: Incarnations,
}

impl Checkpoint {
    /// That of a new store.
    pub(crate) const START: Self = Self {
        group: 0,
        incarnations: [1, 1],
    };

    /// The checkpoint of a store; [`Checkpoint::START`] before the first.
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Self::decode(&bytes)
                .ok_or_else(|| Error::damaged(path.display().to_string(), "malformed checkpoint")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::START),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes it: the old note or the new one survives a power cut, never half of one.
    pub(crate) fn write(self, directory: &Path) -> Result<()> {
        let new = directory.join("checkpoint.new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&self.encode())?;
        file.sync_all()?;
        fs::rename(&new, directory.join(FILE))?;
        fs::File::open(directory)?.sync_all()?;
        Ok(())
    }

    fn encode(self) -> Vec<u8> {
        let [log, rest] = self.incarnations;
        let mut bytes = MAGIC.to_vec();
        for number in [self.group, log, rest] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |n: usize| {
            bytes
                .get(8 + 8 * n..)?
                .first_chunk()
                .copied()
                .map(u64::from_le_bytes)
        };
        let read = Self {
            group: number(0)?,
            incarnations: [number(1)?, number(2)?],
        };
        (read.encode() == bytes).then_some(read)
    }
}

/// Whether the store still works: after the disk has refused once, nothing is acknowledged until a restart. So it is not let come to
/// that where it can be foreseen: while the disk is almost full, nothing new is begun.
#[derive(Default)]
pub(crate) struct Health {
    failed: OnceLock<Error>,
    is_full: AtomicBool,
}

impl Health {
    pub(crate) fn fail(&self, error: &Error) {
        if self.failed.set(error.clone()).is_ok() {
            tracing::error!(%error, "storage failed; nothing is written until a restart");
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Whether something new may be begun.
    pub(crate) fn permits(&self) -> Result<()> {
        self.check()?;
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(Error::Full),
            false => Ok(()),
        }
    }

    /// Looks how much is free.
    pub(crate) fn look_at_disk(&self, directory: &Path, least: u64) {
        let free = match rustix::fs::statvfs(directory) {
            Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
            Err(error) => {
                tracing::warn!(%error, "cannot see how full the disk is");
                return;
            }
        };
        metrics::gauge!("orvale_storage_free_bytes").set(free as f64);
        let is_full = free < least;
        if self.is_full.swap(is_full, Ordering::Relaxed) == is_full {
            return;
        }
        if is_full {
            tracing::error!(
                free,
                least,
                "the disk is almost full; nothing more is kept until there is room"
            );
        } else {
            tracing::info!(free, "there is room on the disk again");
        }
    }
}

/// What the keeper is asked.
pub(crate) enum Order {
    /// Look whether a checkpoint is due.
    Look,
    /// Keep what the commit log has after the last checkpoint.
    Hold(oneshot::Sender<Held>),
    /// Make one now.
    Checkpoint(oneshot::Sender<Result<()>>),
    /// Make the last one and close the base.
    Close,
}

/// Makes checkpoints, on a thread of its own.
pub(crate) struct Keeper {
    pub(crate) directory: PathBuf,
    pub(crate) engine: Arc<Engine>,
    pub(crate) log: Arc<CommitLog>,
    pub(crate) health: Arc<Health>,
    pub(crate) tuning: Tuning,
    pub(crate) pinned_bytes: u64,
    /// Below so many free bytes nothing new is begun.
    pub(crate) free_bytes: u64,
    /// The group of the last checkpoint, and when it was made; never, if one is due since the start.
    pub(crate) saved: u64,
    pub(crate) last: Option<Instant>,
}

impl Keeper {
    /// Works until told to close (then the last checkpoint is the result), or until nobody is left to tell.
    pub(crate) fn run(mut self, orders: &Receiver<Order>) -> Result<()> {
        loop {
            match orders.recv_timeout(Duration::from_secs(1)) {
                Ok(Order::Look) | Err(RecvTimeoutError::Timeout) => {
                    self.health.look_at_disk(&self.directory, self.free_bytes);
                    if self.due() {
                        // Failed: the health tells everyone.
                        let _ = self.checkpoint();
                    }
                    if let Err(error) = self.log.prepare() {
                        self.health.fail(&error.into());
                    }
                    self.report();
                }
                Ok(Order::Hold(answer)) => {
                    // Here, because only this thread lets go of the log.
                    let _ = answer.send(self.log.hold(self.saved));
                }
                Ok(Order::Checkpoint(answer)) => {
                    let _ = answer.send(self.checkpoint());
                }
                Ok(Order::Close) => {
                    let result = self.checkpoint();
                    self.engine.close();
                    return result;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Whether it is time for a checkpoint.
    pub(crate) fn due(&self) -> bool {
        let (bytes, _) = self.engine.pressure();
        bytes >= self.tuning.checkpoint_bytes
            || (bytes > 0
                && self
                    .age()
                    .is_none_or(|age| age >= self.tuning.checkpoint_every))
    }

    fn age(&self) -> Option<Duration> {
        self.last.map(|last| last.elapsed())
    }

    /// Writes everything applied so far to the base.
    pub(crate) fn checkpoint(&mut self) -> Result<()> {
        self.health.check()?;
        // sled panics where it finds its own state broken.
        let result = catch_unwind(AssertUnwindSafe(|| self.save()))
            .unwrap_or_else(|_| Err(Error::Io("sled panicked".to_owned())));
        if let Err(error) = &result {
            self.health.fail(error);
        }
        self.last = Some(Instant::now());
        result
    }

    fn save(&mut self) -> Result<()> {
        let Some(base) = self.engine.base() else {
            return Ok(());
        };
        let started = Instant::now();
        let (frozen, group) = self.engine.freeze();
        if !frozen.is_empty() {
            let saved = self.saved;
            base.save(
                &frozen,
                self.pinned_bytes.saturating_mul(CEILING),
                |incarnations| {
                    Checkpoint {
                        group: saved,
                        incarnations,
                    }
                    .write(&self.directory)
                },
            )?;
        }
        Checkpoint {
            group,
            incarnations: base.incarnations(),
        }
        .write(&self.directory)?;
        self.saved = group;
        self.engine.melt();
        self.log.release(group)?;
        let bytes = frozen.bytes();
        drop(frozen);
        metrics::histogram!("orvale_storage_checkpoint_seconds").record(started.elapsed());
        tracing::debug!(
            group,
            bytes,
            seconds = started.elapsed().as_secs_f64(),
            "checkpoint"
        );
        if base.pinned_bytes() > self.pinned_bytes {
            let started = Instant::now();
            base.renew(|incarnations| {
                Checkpoint {
                    group,
                    incarnations,
                }
                .write(&self.directory)
            })?;
            metrics::histogram!("orvale_storage_renewal_seconds").record(started.elapsed());
            tracing::debug!(
                seconds = started.elapsed().as_secs_f64(),
                "renewed the base"
            );
        }
        Ok(())
    }

    fn report(&self) {
        let (bytes, _) = self.engine.pressure();
        metrics::gauge!("orvale_storage_checkpoint_age_seconds")
            .set(self.age().unwrap_or_default().as_secs_f64());
        metrics::gauge!("orvale_storage_unsaved_bytes").set(bytes as f64);
        self.engine.report();
    }
}
