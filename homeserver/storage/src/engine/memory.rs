//! What was written lately, in memory: the newest layer of the trees.

use std::{collections::BTreeMap, iter::Peekable, ops::Bound};

use bytes::Bytes;

use crate::batch::Write;

/// What a key and its place in the map cost beside their bytes, roughly.
const OVERHEAD: usize = 96;

/// Keys and what became of them: a value, or `None` for deleted.
#[derive(Default)]
pub(crate) struct Layer {
    map: BTreeMap<Bytes, Option<Bytes>>,
    bytes: usize,
}

/// A key with what became of it.
pub(crate) type Change = (Bytes, Option<Bytes>);

impl Layer {
    /// What the layer knows of a key: nothing, deleted, or a value.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        self.map.get(key)
    }

    pub(crate) fn insert(&mut self, write: Write) {
        self.bytes += OVERHEAD + write.key.len() + write.value.as_ref().map_or(0, Bytes::len);
        self.map.insert(write.key, write.value);
    }

    /// Forgets a key, where nothing lies below that it could shadow.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        self.map.remove(key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Roughly the memory it takes: what was written over is counted until the layer is gone, because its batch keeps it.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Option<Bytes>)> {
        self.map.iter()
    }

    fn range(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> impl DoubleEndedIterator<Item = (&Bytes, &Option<Bytes>)> {
        self.map
            .range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)))
    }
}

/// The changes between `from` (included) and `to` (excluded), of which `newer` wins over `older`; from the end if
/// `reverse`. Stops after `limit` values, deletions not counted.
pub(crate) fn changes(
    newer: &Layer,
    older: Option<&Layer>,
    (from, to): (&[u8], &[u8]),
    reverse: bool,
    limit: usize,
) -> Vec<Change> {
    let older = older.into_iter();
    if reverse {
        let older = older.flat_map(|layer| layer.range(from, to).rev());
        Merge {
            newer: newer.range(from, to).rev().peekable(),
            older: older.peekable(),
            reverse,
        }
        .take_values(limit)
    } else {
        let older = older.flat_map(|layer| layer.range(from, to));
        Merge {
            newer: newer.range(from, to).peekable(),
            older: older.peekable(),
            reverse,
        }
        .take_values(limit)
    }
}

struct Merge<A: Iterator, B: Iterator> {
    newer: Peekable<A>,
    older: Peekable<B>,
    reverse: bool,
}

type Found<'a> = (&'a Bytes, &'a Option<Bytes>);

impl<'a, A: Iterator<Item = Found<'a>>, B: Iterator<Item = Found<'a>>> Merge<A, B> {
    fn take_values(mut self, limit: usize) -> Vec<Change> {
        let mut found = Vec::new();
        let mut values = 0;
        while values < limit
            && let Some((key, value)) = self.next()
        {
            values += usize::from(value.is_some());
            found.push((key.clone(), value.clone()));
        }
        found
    }

    fn next(&mut self) -> Option<Found<'a>> {
        let (Some(newer), Some(older)) = (self.newer.peek(), self.older.peek()) else {
            return self.newer.next().or_else(|| self.older.next());
        };
        match if self.reverse {
            older.0.cmp(newer.0)
        } else {
            newer.0.cmp(older.0)
        } {
            std::cmp::Ordering::Less => self.newer.next(),
            std::cmp::Ordering::Equal => {
                self.older.next();
                self.newer.next()
            }
            std::cmp::Ordering::Greater => self.older.next(),
        }
    }
}
