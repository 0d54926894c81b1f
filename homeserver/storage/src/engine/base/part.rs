//! One sled database, and how it gives memory back.
//!
//! sled 1.0.0-alpha.124 keeps every leaf that was ever written to in memory until it is closed, whatever its cache is told
//! to hold. Closing and opening it would stop readers for as long as it takes to read its index. So the next *incarnation*
//! is opened beside the present one, and readers change over at once. That is safe because nothing is written meanwhile:
//!
//! - An incarnation is a directory `<n>/` with sled's own `metadata/`, over the one `slabs/` directory that all share.
//! - When a checkpoint has flushed, the present one is clean, and stays so: only checkpoints write. What sled would move
//!   about by itself (its garbage collection) is switched off; free places in the slabs are used again without it.
//! - The next one starts from a copy of the metadata. It is written to only when the present one is gone.
//! - Which incarnation counts is noted with the checkpoint. A crash at any moment leaves one that is whole.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::{Mutex, RwLock};

use crate::{Error, Result, lock::patiently};

/// How hard zstd works: a fifth less CPU for a commit than at 1, for a quarter more disk.
const LEVEL: i32 = -5;
/// What an entry costs in a leaf beside its bytes, roughly.
const OVERHEAD: u64 = 56;
/// How much larger leaves are in memory than on disk, at most.
const COMPRESSION: u64 = 8;

/// One sled database.
pub(super) struct Part<const FANOUT: usize> {
    path: PathBuf,
    cache_bytes: u64,
    incarnation: AtomicU64,
    /// None once closed.
    open: RwLock<Option<Open<FANOUT>>>,
    /// Leaves flushed since it was opened: all that can be pinned, some counted again and again.
    flushed: AtomicU64,
    written: AtomicU64,
    written_bytes: AtomicU64,
}

/// sled's handles are no use to two threads at once: a thread borrows one, or makes one from the first.
struct Open<const FANOUT: usize> {
    first: Mutex<sled::Db<FANOUT>>,
    idle: Mutex<Vec<sled::Tree<FANOUT>>>,
}

impl<const FANOUT: usize> Part<FANOUT> {
    pub(super) fn open(path: PathBuf, cache_bytes: u64, incarnation: u64) -> Result<Self> {
        let present = path.join(incarnation.to_string());
        fs::create_dir_all(path.join("slabs"))?;
        let mut others = Vec::new();
        for entry in fs::read_dir(&path)? {
            let other = entry?.path();
            if other != present && !other.ends_with("slabs") {
                others.push(other);
            }
        }
        if !present.join("slabs").exists() {
            if !others.is_empty() {
                return Err(Error::damaged(
                    present.display().to_string(),
                    "missing, but the checkpoint names it",
                ));
            }
            fs::create_dir_all(&present)?;
            symlink("../slabs", present.join("slabs"))?;
        }
        let open = Open::new(&present, cache_bytes)?;
        sync(&[&path, &present])?;
        // Left by a crash: begun and not used, or used and not removed.
        others.iter().try_for_each(fs::remove_dir_all)?;
        Ok(Self {
            path,
            cache_bytes,
            incarnation: AtomicU64::new(incarnation),
            open: RwLock::new(Some(open)),
            flushed: AtomicU64::new(0),
            written: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
        })
    }

    pub(super) fn incarnation(&self) -> u64 {
        self.incarnation.load(Ordering::Relaxed)
    }

    pub(super) fn with<T>(
        &self,
        run: impl FnOnce(&sled::Tree<FANOUT>) -> std::io::Result<T>,
    ) -> Result<T> {
        let open = self.open.read();
        let open = open.as_ref().ok_or(Error::Closed)?;
        let idle = open.idle.lock().pop();
        let tree = idle.unwrap_or_else(|| sled::Tree::clone(&open.first.lock()));
        let result = run(&tree);
        open.idle.lock().push(tree);
        Ok(result?)
    }

    /// Writes, and flushes after every `slice` writes.
    pub(super) fn writer(&self, slice: u64) -> Writer<'_, FANOUT> {
        Writer {
            part: self,
            unflushed: 0,
            slice,
        }
    }

    /// Roughly the memory of the leaves that sled cannot give back.
    pub(super) fn pinned_bytes(&self) -> u64 {
        let written = self.written.load(Ordering::Relaxed).max(1);
        let entry = OVERHEAD + self.written_bytes.load(Ordering::Relaxed) / written;
        let leaf = entry * FANOUT as u64 * 3 / 4;
        let flushed = self.flushed.load(Ordering::Relaxed) * leaf;
        // A small database is never larger in memory than all its leaves.
        if flushed < 16 << 20 {
            flushed
        } else {
            flushed.min(self.slab_bytes() * COMPRESSION)
        }
    }

    fn slab_bytes(&self) -> u64 {
        let Ok(slabs) = fs::read_dir(self.path.join("slabs")) else {
            return u64::MAX / COMPRESSION;
        };
        slabs
            .flatten()
            .filter_map(|slab| slab.metadata().ok())
            .map(|slab| slab.len())
            .sum()
    }

    /// Opens the next incarnation, calls `settle` with its number to make it the one that counts, and lets the present one
    /// go. Readers hardly notice. Everything must be flushed.
    pub(super) fn renew(&self, settle: impl FnOnce(u64) -> Result<()>) -> Result<()> {
        let number = self.incarnation();
        let present = self.path.join(number.to_string());
        let next = self.path.join((number + 1).to_string());
        fs::create_dir(&next)?;
        symlink("../slabs", next.join("slabs"))?;
        copy_metadata(&present.join("metadata"), &next.join("metadata"))?;
        fs::copy(
            present.join("durability_cookie"),
            next.join("durability_cookie"),
        )?;
        let open = Open::new(&next, self.cache_bytes)?;
        sync(&[&self.path, &next])?;
        settle(number + 1)?;
        let old = self.open.write().replace(open);
        self.incarnation.store(number + 1, Ordering::Relaxed);
        for counter in [&self.flushed, &self.written, &self.written_bytes] {
            counter.store(0, Ordering::Relaxed);
        }
        // After the lock: it takes a while.
        drop(old);
        if let Err(error) = fs::remove_dir_all(&present) {
            // It is tried again at the next start.
            tracing::warn!(%error, path = %present.display(), "cannot remove what the base was before");
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        let old = self.open.write().take();
        drop(old);
    }
}

/// A checkpoint writing to a part.
pub(super) struct Writer<'a, const FANOUT: usize> {
    part: &'a Part<FANOUT>,
    unflushed: u64,
    slice: u64,
}

impl<const FANOUT: usize> Writer<'_, FANOUT> {
    /// Writes or deletes. Says whether everything is flushed now.
    pub(super) fn write(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<bool> {
        self.unflushed += 1;
        self.part.written.fetch_add(1, Ordering::Relaxed);
        let bytes = key.len() + value.map_or(0, <[u8]>::len);
        self.part
            .written_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        self.part.with(|tree| match value {
            Some(value) => tree.insert(key, value).map(drop),
            None => tree.remove(key).map(drop),
        })?;
        if self.unflushed >= self.slice {
            self.flush()?;
        }
        Ok(self.unflushed == 0)
    }

    /// Makes what was written durable.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.unflushed > 0 {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<()> {
        let flushed = self.part.with(sled::Tree::flush)?;
        self.part
            .flushed
            .fetch_add(flushed.objects_flushed, Ordering::Relaxed);
        self.unflushed = 0;
        Ok(())
    }
}

impl<const FANOUT: usize> Open<FANOUT> {
    fn new(path: &Path, cache_bytes: u64) -> Result<Self> {
        // Flushed by checkpoints alone. (Without an interval sled would flush whenever a handle is dropped.)
        const NEVER: usize = 365 * 24 * 60 * 60 * 1000;
        let mut config = sled::Config::new()
            .path(path)
            .cache_capacity_bytes(usize::try_from(cache_bytes).unwrap_or(usize::MAX))
            .zstd_compression_level(LEVEL)
            .flush_every_ms(Some(NEVER));
        config.target_heap_file_fill_ratio = 0.0;
        let first = patiently(|| config.open::<FANOUT>())
            .map_err(|e| Error::damaged(path.display().to_string(), e.to_string()))?;
        // sled writes this without a sync, and does not open with a torn one.
        fs::File::open(path.join("durability_cookie"))?.sync_all()?;
        Ok(Self {
            first: Mutex::new(first),
            idle: Mutex::default(),
        })
    }
}

/// Copies sled's metadata while sled may be merging its files: until nothing changed during a copy.
fn copy_metadata(from: &Path, to: &Path) -> Result<()> {
    loop {
        let before = listing(from)?;
        fs::create_dir_all(to)?;
        let copied = before
            .keys()
            .try_for_each(|name| fs::copy(from.join(name), to.join(name)).map(drop));
        match copied {
            Ok(()) if listing(from)? == before && listing(to)? == before => return Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::remove_dir_all(to)?,
        }
    }
}

/// Names and lengths.
fn listing(directory: &Path) -> Result<BTreeMap<std::ffi::OsString, u64>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // Gone since: then the next listing differs.
        files.insert(
            entry.file_name(),
            entry.metadata().map_or(u64::MAX, |metadata| metadata.len()),
        );
    }
    Ok(files)
}

fn sync(directories: &[&Path]) -> Result<()> {
    for directory in directories {
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn a_database_that_is_just_being_let_go_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let open = || Open::<128>::new(directory.path(), 1 << 20).map(drop);
        open().unwrap();
        let before = fs::File::open(directory.path()).unwrap();
        before.lock().unwrap();
        thread::scope(|scope| {
            let again = scope.spawn(open);
            thread::sleep(Duration::from_millis(50));
            drop(before);
            again.join().unwrap().unwrap();
        });
    }
}
