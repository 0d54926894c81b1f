//! The trees in memory: the model that the others are held to, and the engine of unit tests.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use parking_lot::RwLock;

#[derive(Default)]
pub(crate) struct Memory {
    map: RwLock<BTreeMap<Vec<u8>, Bytes>>,
}

impl Memory {
    pub(crate) fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.map.read().get(key).cloned()
    }

    /// The entries from `from` (included) to `to` (excluded), at most `limit`, from the end if `reverse`.
    pub(crate) fn range(&self, from: &[u8], to: &[u8], reverse: bool, limit: usize) -> Vec<(Bytes, Bytes)> {
        if from >= to {
            return Vec::new();
        }
        let map = self.map.read();
        let found = map.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let owned = |(k, v): (&Vec<u8>, &Bytes)| (Bytes::copy_from_slice(k), v.clone());
        if reverse { found.rev().take(limit).map(owned).collect() } else { found.take(limit).map(owned).collect() }
    }

    pub(crate) fn apply(&self, writes: &[(Vec<u8>, Option<Vec<u8>>)]) {
        let mut map = self.map.write();
        for (key, value) in writes {
            match value {
                Some(value) => map.insert(key.clone(), Bytes::copy_from_slice(value)),
                None => map.remove(key),
            };
        }
    }
}
