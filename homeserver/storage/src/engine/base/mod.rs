//! The base: the trees on disk, in sled. README.md tells why this release and what to know about it.
//!
//! Only a checkpoint writes here, so what sled has flushed is always a state that the commit log completes. The log tree,
//! large values in the order of their keys, has a database of its own beside that of all other trees: the two want leaves of
//! different sizes.

mod part;

use std::path::Path;

use sled::InlineArray;

use self::part::Part;
use super::memory::Layer;
use crate::{Error, Result, trees::system::LOG};

/// Entries in a leaf of the log tree: a read from disk decompresses a whole leaf.
const LOG_FANOUT: usize = 32;
/// Entries in a leaf of any other tree: fewer, larger leaves cost less memory and open faster, smaller ones cost less to
/// write again for a random key.
const REST_FANOUT: usize = 64;

pub(crate) struct Base {
    log: Part<LOG_FANOUT>,
    rest: Part<REST_FANOUT>,
    /// Writes between two flushes.
    slice: u64,
}

/// Which opening of each database is the present one; see [`part`].
pub(crate) type Incarnations = [u64; 2];

impl Base {
    /// Opens the databases in a directory, or makes them.
    pub(crate) fn open(
        path: &Path,
        cache_bytes: u64,
        slice: u64,
        [log, rest]: Incarnations,
    ) -> Result<Self> {
        std::thread::scope(|scope| {
            let log = scope.spawn(|| Part::open(path.join("log"), cache_bytes / 2, log));
            let rest = scope.spawn(|| Part::open(path.join("rest"), cache_bytes / 2, rest));
            // sled panics over some damages.
            let damaged = |_| Error::damaged(path.display().to_string(), "sled cannot open it");
            let base = Self {
                log: log.join().map_err(damaged)??,
                rest: rest.join().map_err(damaged)??,
                slice,
            };
            std::fs::File::open(path)?.sync_all()?;
            Ok(base)
        })
    }

    pub(crate) fn incarnations(&self) -> Incarnations {
        [self.log.incarnation(), self.rest.incarnation()]
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<InlineArray>> {
        if in_log(key) {
            self.log.with(|tree| tree.get(key))
        } else {
            self.rest.with(|tree| tree.get(key))
        }
    }

    /// Calls `visit` with each entry from `from` (included) to `to` (excluded), from the end if `reverse`, until it says
    /// `false`.
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

    /// Writes a layer down. Durable when it returns. A part is renewed in between when it has pinned more than `ceiling`.
    pub(crate) fn save(
        &self,
        layer: &Layer,
        ceiling: u64,
        settle: impl Fn(Incarnations) -> Result<()>,
    ) -> Result<()> {
        let (mut log, mut rest) = (self.log.writer(self.slice), self.rest.writer(self.slice));
        for (key, value) in layer.iter() {
            let value = value.as_deref();
            if in_log(key) {
                if log.write(key, value)? && self.log.pinned_bytes() > ceiling {
                    self.renew_log(&settle)?;
                }
            } else if rest.write(key, value)? && self.rest.pinned_bytes() > ceiling {
                self.renew_rest(&settle)?;
            }
        }
        log.finish()?;
        rest.finish()
    }

    /// Roughly the memory that sled cannot give back.
    pub(crate) fn pinned_bytes(&self) -> u64 {
        self.log.pinned_bytes() + self.rest.pinned_bytes()
    }

    /// Gives pinned memory back: see [`Part::renew`]. `settle` makes the new incarnations durable.
    pub(crate) fn renew(&self, settle: impl Fn(Incarnations) -> Result<()>) -> Result<()> {
        if self.log.pinned_bytes() > self.rest.pinned_bytes() {
            self.renew_log(settle)
        } else {
            self.renew_rest(settle)
        }
    }

    fn renew_log(&self, settle: impl Fn(Incarnations) -> Result<()>) -> Result<()> {
        self.log.renew(|log| settle([log, self.rest.incarnation()]))
    }

    fn renew_rest(&self, settle: impl Fn(Incarnations) -> Result<()>) -> Result<()> {
        self.rest
            .renew(|rest| settle([self.log.incarnation(), rest]))
    }

    /// Closes the databases; reads fail from now on.
    pub(crate) fn close(&self) {
        self.log.close();
        self.rest.close();
    }
}

/// Whether a key is of the log tree, the first of all.
fn in_log(key: &[u8]) -> bool {
    key.get(..2)
        .is_none_or(|tree| tree <= &LOG.number.to_be_bytes()[..])
}

fn scan<const FANOUT: usize>(
    tree: &sled::Tree<FANOUT>,
    from: &[u8],
    to: &[u8],
    reverse: bool,
    visit: impl FnMut(InlineArray, InlineArray) -> bool,
) -> std::io::Result<()> {
    if reverse {
        return walk(tree, tree.range(from..to).rev(), visit);
    }
    // Without an upper bound: sled's iterator leaves out what is above it, but looks for the next entry below it to the very end of
    // the tree.
    let mut visit = visit;
    walk(tree, tree.range(from..), |key, value| {
        &*key < to && visit(key, value)
    })
}

/// One entry in so many is looked up again while a tree is walked through.
const TOUCHED: usize = 8;

/// Goes on until told otherwise, and tells the cache of the leaves on the way: sled's iterator notes what it read with a cache of its
/// own, 32 leaves at a time, and forgets the rest when it ends. What the cache does not know of, it never lets go.
fn walk<const FANOUT: usize>(
    tree: &sled::Tree<FANOUT>,
    entries: impl Iterator<Item = std::io::Result<(InlineArray, InlineArray)>>,
    mut visit: impl FnMut(InlineArray, InlineArray) -> bool,
) -> std::io::Result<()> {
    let mut untouched = None;
    for (n, entry) in entries.enumerate() {
        let (key, value) = entry?;
        if n % TOUCHED == 0 {
            tree.get(&key)?;
            untouched = None;
        } else {
            untouched = Some(key.clone());
        }
        if !visit(key, value) {
            break;
        }
    }
    if let Some(last) = untouched {
        tree.get(&last)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::patiently;

    fn touched(db: &sled::Db<REST_FANOUT>) -> u64 {
        let cache = db.stats().cache;
        cache.cache_hits + cache.cache_misses
    }

    #[test]
    fn scan_looks_at_no_more_leaves_than_it_has_entries_in() {
        let directory = tempfile::tempdir().unwrap();
        let db: sled::Db<REST_FANOUT> = sled::Config::new().path(directory.path()).open().unwrap();
        for n in 0..20_000_u32 {
            db.insert(n.to_be_bytes(), b"").unwrap();
        }
        // From the end of one entry to its successor there is nothing; from one to its successor there is one.
        for (from, found) in [(&[0, 0, 10, 0, 0][..], 0), (&[0, 0, 10, 0][..], 1)] {
            for reverse in [false, true] {
                let before = touched(&db);
                let mut count = 0;
                let visit = |_, _| {
                    count += 1;
                    true
                };
                scan(&db, from, &[0, 0, 10, 1], reverse, visit).unwrap();
                assert_eq!(count, found);
                assert!(
                    touched(&db) - before <= 3,
                    "{} leaves",
                    touched(&db) - before
                );
            }
        }
    }

    #[test]
    fn what_scans_have_read_does_not_stay_in_memory() {
        const ENTRIES: u32 = 10_000;
        let directory = tempfile::tempdir().unwrap();
        let open = || {
            // An entry is a kilobyte: a tenth of them fits.
            let config = sled::Config::new().path(directory.path());
            let config = config.cache_capacity_bytes(1 << 20);
            patiently(|| config.open::<LOG_FANOUT>()).unwrap()
        };
        let db = open();
        for n in 0..ENTRIES {
            db.insert(n.to_be_bytes(), [7; 1024]).unwrap();
        }
        db.flush().unwrap();
        // What was written stays until it is opened again.
        drop(db);
        let db = open();
        for reverse in [false, true] {
            let mut missed = Vec::new();
            for _pass in 0..2 {
                let before = db.stats().cache.cache_misses;
                for n in (0..ENTRIES).step_by(100) {
                    let (from, to) = (n.to_be_bytes(), (n + 100).to_be_bytes());
                    scan(&db, &from, &to, reverse, |_, _| true).unwrap();
                }
                missed.push(db.stats().cache.cache_misses - before);
            }
            let leaves = u64::from(ENTRIES) / LOG_FANOUT as u64;
            assert!(missed[1] > leaves / 2, "{missed:?} of {leaves}");
        }
    }
}
