//! What holds the trees for readers: ordered bytes, fed by the committer alone.
//!
//! Newest first: the *active* layer in memory, which every commit goes into; the *frozen* one while a checkpoint writes it
//! to the base; the *base*, sled on disk ([`base`]). A read asks them in this order. So a commit costs no tree on disk, a
//! hot key is written down once per checkpoint, and what was written lately is read from memory.

pub(crate) mod base;
pub(crate) mod memory;

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::RwLock;

use self::{
    base::Base,
    memory::{Change, Layer, changes},
};
use crate::{Error, Result, batch::Writes};

/// Bytes from a layer or from the base.
#[derive(Clone)]
pub(crate) enum Value {
    Layer(Bytes),
    Base(sled::InlineArray),
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Layer(bytes) => bytes,
            Self::Base(bytes) => bytes,
        }
    }
}

/// The trees.
pub(crate) struct Engine {
    layers: RwLock<Layers>,
    /// None for a store in memory: there the active layer is all there is.
    base: Option<Base>,
    gets: AtomicU64,
    ranges: AtomicU64,
}

#[derive(Default)]
struct Layers {
    active: Layer,
    frozen: Option<Arc<Layer>>,
    /// Counts the freezes.
    generation: u64,
    /// The last group of the commit log that is wholly in these layers or below.
    applied: u64,
}

impl Engine {
    /// All keys there can be: of the log tree, which comes first, and of all others.
    pub(crate) const SPACES: [(&[u8], &[u8]); 2] = [(&[0, 0], &[0, 2]), (&[0, 2], &[0xff, 0xff])];

    /// Trees over a base that holds all groups up to `applied`.
    pub(crate) fn new(base: Option<Base>, applied: u64) -> Self {
        let layers = RwLock::new(Layers {
            applied,
            ..Layers::default()
        });
        Self {
            layers,
            base,
            gets: AtomicU64::new(0),
            ranges: AtomicU64::new(0),
        }
    }

    pub(crate) fn base(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Value>> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        {
            let layers = self.layers.read();
            let known = layers
                .active
                .get(key)
                .or_else(|| layers.frozen.as_ref().and_then(|layer| layer.get(key)));
            if let Some(value) = known {
                return Ok(value.clone().map(Value::Layer));
            }
        }
        self.base
            .as_ref()
            .map_or(Ok(None), |base| Ok(base.get(key)?.map(Value::Base)))
    }

    /// The entries from `from` (included) to `to` (excluded), at most `limit`, from the end if `reverse`.
    pub(crate) fn range(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<(Value, Value)>> {
        self.ranges.fetch_add(1, Ordering::Relaxed);
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        loop {
            let (changes, generation) = {
                let layers = self.layers.read();
                let changes = changes(
                    &layers.active,
                    layers.frozen.as_deref(),
                    (from, to),
                    reverse,
                    limit,
                );
                (changes, layers.generation)
            };
            let found = self.over_base(changes, from, to, reverse, limit)?;
            // The base may have moved on meanwhile, but what it got is in the layers we looked at, unless these were
            // frozen since: then it may hold one half of a batch that we saw nothing of.
            if self.base.is_none() || self.layers.read().generation == generation {
                return Ok(found);
            }
        }
    }

    /// Calls `visit` with the entries from `from` (included) to `to` (excluded), some at a time.
    pub(crate) fn walk<E: From<Error>>(
        &self,
        from: &[u8],
        to: &[u8],
        mut visit: impl FnMut(&[(Value, Value)]) -> Result<(), E>,
    ) -> Result<(), E> {
        const AT_ONCE: usize = 1000;
        let mut from = from.to_vec();
        loop {
            let found = self.range(&from, to, false, AT_ONCE)?;
            let Some((last, _)) = found.last() else {
                return Ok(());
            };
            // The first key after it.
            from = [last, &[0][..]].concat();
            visit(&found)?;
        }
    }

    /// The base's entries with the changes made to them.
    fn over_base(
        &self,
        changes: Vec<Change>,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<(Value, Value)>> {
        let mut found = Vec::new();
        let mut changes = changes.into_iter().peekable();
        let before = |change: &[u8], key: &[u8]| if reverse { change > key } else { change < key };
        let push = |found: &mut Vec<_>, (key, value): Change| {
            if let Some(value) = value {
                found.push((Value::Layer(key), Value::Layer(value)));
            }
        };
        if let Some(base) = &self.base {
            base.scan(from, to, reverse, |key, value| {
                while let Some(change) = changes.next_if(|change| before(&change.0, &key)) {
                    push(&mut found, change);
                }
                if found.len() < limit {
                    match changes.next_if(|change| change.0[..] == key[..]) {
                        Some(change) => push(&mut found, change),
                        None => found.push((Value::Base(key), Value::Base(value))),
                    }
                }
                found.len() < limit
            })?;
        }
        for change in changes {
            push(&mut found, change);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Makes a batch's writes readable, all at once.
    ///
    /// # Panics
    /// If they are malformed: they were made here, or checked when they were read.
    pub(crate) fn apply(&self, writes: Bytes) {
        let mut layers = self.layers.write();
        for write in Writes(writes) {
            let write = write.expect("a batch is well formed");
            if write.value.is_none() && self.base.is_none() {
                layers.active.remove(&write.key);
            } else {
                layers.active.insert(write);
            }
        }
    }

    /// Notes that every batch of a group, and of all before it, was applied.
    pub(crate) fn applied(&self, group: u64) {
        self.layers.write().applied = group;
    }

    /// The last group that was applied.
    pub(crate) fn last_applied(&self) -> u64 {
        self.layers.read().applied
    }

    /// Roughly the memory of the active layer, and whether a frozen one is still being written down.
    pub(crate) fn pressure(&self) -> (usize, bool) {
        let layers = self.layers.read();
        (layers.active.bytes(), layers.frozen.is_some())
    }

    /// Freezes the active layer. Returns it, with the last group of the commit log that it completes.
    pub(crate) fn freeze(&self) -> (Arc<Layer>, u64) {
        let mut layers = self.layers.write();
        assert!(layers.frozen.is_none(), "one checkpoint at a time");
        let frozen = Arc::new(std::mem::take(&mut layers.active));
        layers.frozen = Some(frozen.clone());
        layers.generation += 1;
        (frozen, layers.applied)
    }

    /// Closes the base.
    pub(crate) fn close(&self) {
        if let Some(base) = &self.base {
            base.close();
        }
    }

    /// Tells the figures of reading.
    pub(crate) fn report(&self) {
        metrics::counter!("orvale_storage_gets").absolute(self.gets.load(Ordering::Relaxed));
        metrics::counter!("orvale_storage_ranges").absolute(self.ranges.load(Ordering::Relaxed));
        if let Some(base) = &self.base {
            metrics::gauge!("orvale_storage_pinned_bytes").set(base.pinned_bytes() as f64);
        }
    }

    /// Lets the frozen layer go: the base has it.
    pub(crate) fn melt(&self) {
        let frozen = self.layers.write().frozen.take();
        // Dropped here, after the lock: it is large.
        drop(frozen);
    }
}
