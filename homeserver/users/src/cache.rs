//! A bounded cache that never keeps what was replaced while it was being read.

use std::{collections::HashMap, hash::Hash};

use parking_lot::RwLock;
use quick_cache::sync::Cache;

/// Copies of what is stored, dropped by whoever writes.
///
/// A reader takes a [`Ticket`], reads the store, and hands in what it found: if something was forgotten in between, its
/// copy may be old and is not kept.
///
/// What wakes a waiting sync is written inside of [`FreshCache::replacing`]: the sync reads as soon as the write is visible,
/// which is before the writer can drop the old copy.
pub(crate) struct FreshCache<K, V> {
    entries: Cache<K, V>,
    changes: RwLock<Changes<K>>,
}

struct Changes<K> {
    forgotten: u64,
    /// Keys that are being written, and by how many.
    replacing: HashMap<K, usize>,
}

/// Proof that nothing had been forgotten before the store was read.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

impl<K: Eq + Hash + Clone, V: Clone> FreshCache<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: Cache::new(capacity),
            changes: RwLock::new(Changes {
                forgotten: 0,
                replacing: HashMap::new(),
            }),
        }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + quick_cache::Equivalent<K> + ?Sized,
    {
        self.entries.get(key)
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.changes.read().forgotten)
    }

    pub(crate) fn keep(&self, ticket: Ticket, key: K, value: V) {
        let changes = self.changes.read();
        if changes.forgotten == ticket.0 && !changes.replacing.contains_key(&key) {
            self.entries.insert(key, value);
        }
    }

    /// The kept value, or the one that `load` reads.
    pub(crate) fn get_or<Q, E>(&self, key: &Q, load: impl FnOnce() -> Result<V, E>) -> Result<V, E>
    where
        Q: Hash + quick_cache::Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(value) = self.entries.get(key) {
            return Ok(value);
        }
        let ticket = self.ticket();
        let value = load()?;
        self.keep(ticket, key.to_owned(), value.clone());
        Ok(value)
    }

    /// Drops copies. To be called after the write they are replaced by is visible, before it is answered.
    pub(crate) fn forget<'a, Q>(&self, keys: impl IntoIterator<Item = &'a Q>)
    where
        Q: Hash + quick_cache::Equivalent<K> + ?Sized + 'a,
    {
        let mut changes = self.changes.write();
        changes.forgotten += 1;
        for key in keys {
            self.entries.remove(key);
        }
    }

    /// Drops the copy and keeps none until the guard is gone, so that everybody reads what is visible. To be taken before
    /// the write, and held until it is visible.
    pub(crate) fn replacing(&self, key: K) -> Replacing<'_, K, V> {
        let mut changes = self.changes.write();
        changes.forgotten += 1;
        *changes.replacing.entry(key.clone()).or_default() += 1;
        self.entries.remove(&key);
        drop(changes);
        Replacing { cache: self, key }
    }
}

/// While it is there, no copy is kept of what stands under its key.
#[must_use = "it is held until the write is visible"]
pub(crate) struct Replacing<'a, K: Eq + Hash + Clone, V: Clone> {
    cache: &'a FreshCache<K, V>,
    key: K,
}

impl<K: Eq + Hash + Clone, V: Clone> Drop for Replacing<'_, K, V> {
    fn drop(&mut self) {
        let mut changes = self.cache.changes.write();
        changes.forgotten += 1;
        if let Some(writers) = changes.replacing.get_mut(&self.key) {
            *writers -= 1;
            if *writers == 0 {
                changes.replacing.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_read_before_something_was_forgotten_is_not_kept() {
        let cache = FreshCache::<String, u8>::new(10);
        let ticket = cache.ticket();
        cache.forget(["a"]);
        cache.keep(ticket, "a".to_owned(), 1);
        assert_eq!(cache.get("a"), None);
        cache.keep(cache.ticket(), "a".to_owned(), 2);
        assert_eq!(cache.get("a"), Some(2));
        cache.forget(["a"]);
        assert_eq!(cache.get("a"), None);
    }
    #[test]
    fn nothing_is_kept_while_it_is_being_replaced() {
        let cache = FreshCache::<String, u8>::new(10);
        cache.keep(cache.ticket(), "a".to_owned(), 1);
        let (first, second) = (
            cache.replacing("a".to_owned()),
            cache.replacing("a".to_owned()),
        );
        assert_eq!(cache.get("a"), None);
        let during = cache.ticket();
        for writer in [first, second] {
            cache.keep(cache.ticket(), "a".to_owned(), 2);
            cache.keep(cache.ticket(), "b".to_owned(), 3);
            assert_eq!((cache.get("a"), cache.get("b")), (None, Some(3)));
            drop(writer);
        }
        cache.keep(during, "a".to_owned(), 2);
        assert_eq!(cache.get("a"), None, "read before the write was visible");
        cache.keep(cache.ticket(), "a".to_owned(), 4);
        assert_eq!(cache.get("a"), Some(4));
    }
}
