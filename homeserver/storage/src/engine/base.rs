//! The base: the trees on disk, in sled. README.md tells why this release and what to know about it.
//!
//! Only a checkpoint writes here, so what sled has flushed is always a state that the commit log completes. The log tree,
//! large values in the order of their keys, has a database of its own beside that of all other trees: the two want leaves of
//! different sizes.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::{Mutex, RwLock};
use sled::InlineArray;

use super::memory::Layer;
use crate::{Error, Result, trees::system::LOG};

/// Entries in a leaf of the log tree: a read from disk decompresses a whole leaf.
const LOG_FANOUT: usize = 64;
/// Entries in a leaf of any other tree: fewer, larger leaves cost less memory and open faster.
const REST_FANOUT: usize = 128;
/// Writes between two flushes of a checkpoint: bounds what is serialised at once.
const SLICE: usize = 32 * 1024;
/// What a written entry costs in memory beside its bytes, roughly.
const OVERHEAD: u64 = 64;

pub(crate) struct Base {
    log: Part<LOG_FANOUT>,
    rest: Part<REST_FANOUT>,
}

impl Base {
    /// Opens the databases in a directory, or makes them.
    pub(crate) fn open(path: &Path, cache_bytes: u64) -> Result<Self> {
        std::thread::scope(|scope| {
            let log = scope.spawn(|| Part::open(path.join("log"), cache_bytes / 2));
            let rest = Part::open(path.join("rest"), cache_bytes / 2);
            let log = log
                .join()
                .map_err(|_| Error::damaged(path.display().to_string(), "sled cannot open it"))?;
            Ok(Self {
                log: log?,
                rest: rest?,
            })
        })
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<InlineArray>> {
        if in_log(key) {
            self.log.with(|tree| tree.get(key))
        } else {
            self.rest.with(|tree| tree.get(key))
        }
    }

    /// Calls `visit` with each entry from `from` (included) to `to` (excluded), from the end if `reverse`, until it says
    /// `false`. Both ends lie in one tree.
    pub(crate) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        visit: impl FnMut(InlineArray, InlineArray) -> bool,
    ) -> Result<()> {
        if in_log(from) {
            self.log.with(|tree| scan(tree, from, to, reverse, visit))
        } else {
            self.rest.with(|tree| scan(tree, from, to, reverse, visit))
        }
    }

    /// Writes a layer down. Durable when it returns.
    pub(crate) fn save(&self, layer: &Layer) -> Result<()> {
        let (mut in_log_now, mut in_rest_now) = (0, 0);
        for (key, value) in layer.iter() {
            let value = value.as_deref();
            if in_log(key) {
                self.log.write(key, value, &mut in_log_now)?;
            } else {
                self.rest.write(key, value, &mut in_rest_now)?;
            }
        }
        self.log.flush()?;
        self.rest.flush()
    }

    /// Roughly the memory that sled cannot give back: it keeps every leaf written to since it was opened.
    pub(crate) fn pinned_bytes(&self) -> u64 {
        self.log.pinned() + self.rest.pinned()
    }

    /// Opens the databases again, one after the other, to give back what they pinned. Readers wait meanwhile.
    pub(crate) fn reopen(&self) -> Result<()> {
        self.log.reopen()?;
        self.rest.reopen()
    }

    /// Closes the databases; reads fail from now on.
    pub(crate) fn close(&self) {
        self.log.close();
        self.rest.close();
    }
}

/// The keys of the log tree.
fn in_log(key: &[u8]) -> bool {
    key.starts_with(&LOG.number.to_be_bytes())
}

fn scan<const FANOUT: usize>(
    tree: &sled::Tree<FANOUT>,
    from: &[u8],
    to: &[u8],
    reverse: bool,
    mut visit: impl FnMut(InlineArray, InlineArray) -> bool,
) -> std::io::Result<()> {
    let mut entries = tree.range(from..to);
    while let Some(entry) = if reverse {
        entries.next_back()
    } else {
        entries.next()
    } {
        let (key, value) = entry?;
        if !visit(key, value) {
            break;
        }
    }
    Ok(())
}

/// One sled database.
struct Part<const FANOUT: usize> {
    path: PathBuf,
    cache_bytes: u64,
    /// None once closed, or if it could not be opened again.
    open: RwLock<Option<Open<FANOUT>>>,
    /// Bytes written since it was opened, and what they cost beside.
    pinned: AtomicU64,
}

/// sled's handles are no use to two threads at once: a thread borrows one, or makes one from the first.
struct Open<const FANOUT: usize> {
    first: Mutex<sled::Db<FANOUT>>,
    idle: Mutex<Vec<sled::Tree<FANOUT>>>,
}

impl<const FANOUT: usize> Part<FANOUT> {
    fn open(path: PathBuf, cache_bytes: u64) -> Result<Self> {
        let open = RwLock::new(Some(Open::new(&path, cache_bytes)?));
        Ok(Self {
            path,
            cache_bytes,
            open,
            pinned: AtomicU64::new(0),
        })
    }

    fn with<T>(&self, run: impl FnOnce(&sled::Tree<FANOUT>) -> std::io::Result<T>) -> Result<T> {
        let open = self.open.read();
        let open = open.as_ref().ok_or(Error::Closed)?;
        let idle = open.idle.lock().pop();
        let tree = idle.unwrap_or_else(|| sled::Tree::clone(&open.first.lock()));
        let result = run(&tree);
        open.idle.lock().push(tree);
        Ok(result?)
    }

    /// Writes or deletes; flushes first where `unflushed` writes are enough for one flush.
    fn write(&self, key: &[u8], value: Option<&[u8]>, unflushed: &mut usize) -> Result<()> {
        if *unflushed >= SLICE {
            self.flush()?;
            *unflushed = 0;
        }
        *unflushed += 1;
        let bytes = OVERHEAD + (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        self.pinned.fetch_add(bytes, Ordering::Relaxed);
        self.with(|tree| match value {
            Some(value) => tree.insert(key, value).map(drop),
            None => tree.remove(key).map(drop),
        })
    }

    fn flush(&self) -> Result<()> {
        self.with(|tree| tree.flush().map(drop))
    }

    fn pinned(&self) -> u64 {
        self.pinned.load(Ordering::Relaxed)
    }

    fn reopen(&self) -> Result<()> {
        let mut open = self.open.write();
        *open = None;
        *open = Some(Open::new(&self.path, self.cache_bytes)?);
        self.pinned.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn close(&self) {
        *self.open.write() = None;
    }
}

impl<const FANOUT: usize> Open<FANOUT> {
    fn new(path: &Path, cache_bytes: u64) -> Result<Self> {
        // Flushed by checkpoints alone. (Without an interval sled would flush whenever a handle is dropped.)
        const NEVER: usize = 365 * 24 * 60 * 60 * 1000;
        let config = sled::Config::new()
            .path(path)
            .cache_capacity_bytes(usize::try_from(cache_bytes).unwrap_or(usize::MAX))
            .zstd_compression_level(1)
            .flush_every_ms(Some(NEVER));
        let first = config
            .open::<FANOUT>()
            .map_err(|e| Error::damaged(path.display().to_string(), e.to_string()))?;
        Ok(Self {
            first: Mutex::new(first),
            idle: Mutex::default(),
        })
    }
}
