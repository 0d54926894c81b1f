//! A batch: what is written as a whole or not at all.

use bytes::Bytes;

use crate::{
    key::AsKey,
    log::{Entry, Position},
    record::Record,
    tree::Tree,
};

/// Puts, deletes, preconditions and log entries that belong together.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    /// The writes as [`Writes`] reads them, which is also how the commit log keeps them. A later write of the same key wins.
    pub(crate) writes: Vec<u8>,
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

/// The length that stands for "delete".
const DELETE: u32 = u32::MAX;

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key.
    pub fn put<K, V: Record>(
        &mut self,
        tree: &Tree<K, V>,
        key: impl AsKey<K>,
        value: &V,
    ) -> &mut Self {
        let (at, key_end) = self.start(tree, &key);
        value.append_to(&mut self.writes);
        let length = length(self.writes.len() - key_end);
        self.writes[at + 4..at + 8].copy_from_slice(&length.to_le_bytes());
        self
    }

    /// Removes a key, if it is there.
    pub fn delete<K, V>(&mut self, tree: &Tree<K, V>, key: impl AsKey<K>) -> &mut Self {
        self.start(tree, &key);
        self
    }

    /// Begins a write as a delete; returns where it begins and where its key ends.
    fn start<K, V>(&mut self, tree: &Tree<K, V>, key: &impl AsKey<K>) -> (usize, usize) {
        let at = self.writes.len();
        self.writes.extend_from_slice(&[0; 4]);
        self.writes.extend_from_slice(&DELETE.to_le_bytes());
        tree.append_key(key, &mut self.writes);
        let key_end = self.writes.len();
        self.writes[at..at + 4].copy_from_slice(&length(key_end - at - 8).to_le_bytes());
        (at, key_end)
    }

    /// The batch happens only if the key has this value (`None`: is absent) when its turn comes.
    ///
    /// A batch of a room that is submitted before the one before it is answered has no preconditions: were the first
    /// refused, the second would stand on nothing.
    pub fn expect<K, V: Record>(
        &mut self,
        tree: &Tree<K, V>,
        key: impl AsKey<K>,
        value: Option<&V>,
    ) -> &mut Self {
        let expected = Expectation {
            tree: tree.name,
            key: tree.key(&key),
            value: value.map(Record::to_bytes),
        };
        self.expected.push(expected);
        self
    }

    /// Adds an entry of the log. The n-th entry of a batch gets the n-th position reserved for it.
    pub fn log(&mut self, entry: Entry) -> &mut Self {
        self.entries.push(entry);
        self
    }

    /// Adds all that another batch holds; its entries come after those of this one.
    pub fn append(&mut self, other: Self) -> &mut Self {
        self.writes.extend_from_slice(&other.writes);
        self.expected.extend(other.expected);
        self.entries.extend(other.entries);
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

    /// A write of an engine's key and value as they are.
    pub(crate) fn put_raw(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.writes
            .extend_from_slice(&length(key.len()).to_le_bytes());
        self.writes
            .extend_from_slice(&value.map_or(DELETE, |v| length(v.len())).to_le_bytes());
        self.writes.extend_from_slice(key);
        self.writes.extend_from_slice(value.unwrap_or_default());
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes)
        .ok()
        .filter(|n| *n != DELETE)
        .expect("keys and values are far below 4 GiB")
}

/// One put or delete. Key and value share the memory of their batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) key: Bytes,
    /// `None` to delete.
    pub(crate) value: Option<Bytes>,
}

/// The writes of a batch, in order: length of key, length of value, key, value.
pub(crate) struct Writes(pub(crate) Bytes);

impl Iterator for Writes {
    /// `Err` if the bytes are malformed.
    type Item = Result<Write, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let write = self.take();
        if write.is_none() {
            self.0.clear();
        }
        Some(write.ok_or(()))
    }
}

impl Writes {
    fn take(&mut self) -> Option<Write> {
        let key = u32::from_le_bytes(*self.0.first_chunk()?);
        let value = u32::from_le_bytes(*self.0.get(4..)?.first_chunk()?);
        let key_end = 8usize.checked_add(key as usize)?;
        let end = if value == DELETE {
            key_end
        } else {
            key_end.checked_add(value as usize)?
        };
        if end > self.0.len() {
            return None;
        }
        let bytes = self.0.split_to(end);
        let key = bytes.slice(8..key_end);
        Some(Write {
            key,
            value: (value != DELETE).then(|| bytes.slice(key_end..)),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trees::system::META;

    #[test]
    fn writes_come_back_in_order() {
        let mut batch = Batch::new();
        batch
            .put(&META, ("a",), &"one".to_owned())
            .delete(&META, ("b",))
            .put(&META, ("",), &String::new());
        let writes: Vec<Write> = Writes(batch.writes.into()).map(Result::unwrap).collect();
        assert_eq!(writes[0].key, META.key(&("a",)));
        assert_eq!(
            writes[0].value.as_deref(),
            Some(&"one".to_owned().to_bytes()[..])
        );
        assert_eq!(
            (writes[1].key.to_vec(), &writes[1].value),
            (META.key(&("b",)), &None)
        );
        assert_eq!(
            writes[2].value.as_deref(),
            Some(&String::new().to_bytes()[..])
        );
        assert_eq!(writes.len(), 3);
    }

    proptest! {
        #[test]
        fn malformed_writes_are_refused_without_panic(bytes: Vec<u8>) {
            for write in Writes(bytes.into()) {
                let _ = write;
            }
        }
    }
}
