//! A bounded cache that never keeps what was replaced while it was being read.

use std::hash::Hash;

use parking_lot::RwLock;
use quick_cache::sync::Cache;

/// Copies of what is stored, dropped by whoever writes.
///
/// A reader takes a [`Ticket`], reads the store, and hands in what it found: if something was forgotten in between, its
/// copy may be old and is not kept.
pub(crate) struct FreshCache<K, V> {
    entries: Cache<K, V>,
    forgotten: RwLock<u64>,
}

/// Proof that nothing had been forgotten before the store was read.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

impl<K: Eq + Hash + Clone, V: Clone> FreshCache<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: Cache::new(capacity),
            forgotten: RwLock::new(0),
        }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + quick_cache::Equivalent<K> + ?Sized,
    {
        self.entries.get(key)
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(*self.forgotten.read())
    }

    pub(crate) fn keep(&self, ticket: Ticket, key: K, value: V) {
        let forgotten = self.forgotten.read();
        if *forgotten == ticket.0 {
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
        let mut forgotten = self.forgotten.write();
        *forgotten += 1;
        for key in keys {
            self.entries.remove(key);
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
}
