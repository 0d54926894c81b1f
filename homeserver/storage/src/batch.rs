//! A batch: what is written as a whole or not at all.

use crate::{
    key::AsKey,
    log::{Entry, Position},
    record::Record,
    tree::Tree,
};

/// Puts, deletes, preconditions and log entries that belong together.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    /// Engine key and value, `None` to delete; a later write of the same key wins.
    pub(crate) writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) expected: Vec<Expectation>,
    pub(crate) entries: Vec<Entry>,
}

/// What must be found for a batch to happen.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) tree: &'static str,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key.
    pub fn put<K, V: Record>(&mut self, tree: &Tree<K, V>, key: impl AsKey<K>, value: &V) -> &mut Self {
        self.writes.push((tree.key(&key), Some(value.to_bytes())));
        self
    }

    /// Removes a key, if it is there.
    pub fn delete<K, V>(&mut self, tree: &Tree<K, V>, key: impl AsKey<K>) -> &mut Self {
        self.writes.push((tree.key(&key), None));
        self
    }

    /// The batch happens only if the key has this value (`None`: is absent) when its turn comes.
    ///
    /// A batch of a room that is submitted before the one before it is answered has no preconditions: were the first
    /// refused, the second would stand on nothing.
    pub fn expect<K, V: Record>(&mut self, tree: &Tree<K, V>, key: impl AsKey<K>, value: Option<&V>) -> &mut Self {
        let expected = Expectation { tree: tree.name, key: tree.key(&key), value: value.map(Record::to_bytes) };
        self.expected.push(expected);
        self
    }

    /// Adds an entry of the log. The n-th entry of a batch gets the n-th position reserved for it.
    pub fn log(&mut self, entry: Entry) -> &mut Self {
        self.entries.push(entry);
        self
    }

    /// How many positions it needs.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Whether it would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.entries.is_empty()
    }

    /// Rewrites the entry at a position that was committed before (a redaction).
    pub fn rewrite(&mut self, at: Position, entry: &Entry) -> &mut Self {
        self.put(&crate::trees::system::LOG, (at,), entry)
    }
}
