//! The store: read, write, follow.

use std::{marker::PhantomData, path::PathBuf, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::{
    Batch, Entry, Error, Position, Result, Tree,
    committer::{Submission, Writer},
    disk::Disk,
    engine::Engine,
    key::{AsKey, AsPrefix, Key},
    record::Record,
    sequence::Sequence,
    trees::system::LOG,
};

/// How many batches may wait for the disk.
pub(crate) const WAITING: usize = 1024;

/// How a store keeps its data.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory that holds all of it; made if missing.
    pub path: PathBuf,
    /// Memory for the engine's cache, in bytes.
    pub cache_bytes: u64,
    /// Below so many free bytes on its disk nothing new is begun: what was is still to be written down.
    pub free_bytes: u64,
}

impl Config {
    /// A store in this directory, as large as most servers want it.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            cache_bytes: 256 << 20,
            free_bytes: 128 << 20,
        }
    }
}

/// The store. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Arc<Engine>,
    pub(crate) sequence: Arc<Sequence>,
    pub(crate) writer: Writer,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) disk: Option<Disk>,
}

/// Leave to submit one batch: the bound on what waits for the disk.
pub struct Permit(
    #[expect(dead_code, reason = "held until the batch is answered")] OwnedSemaphorePermit,
);

/// Positions set aside for a batch about to be submitted. Everything after them stays invisible meanwhile, so they are not
/// to be held across an await (the type does not let you), and dropping them unused is fine.
pub struct Reserved {
    inner: Arc<Inner>,
    first: u64,
    count: u64,
    permit: Option<Permit>,
    not_send: PhantomData<*const ()>,
}

impl Reserved {
    /// The position of the batch's n-th entry, from 0.
    ///
    /// # Panics
    /// If fewer were reserved.
    #[must_use]
    pub fn at(&self, n: u64) -> Position {
        assert!(n < self.count, "position {n} of {} reserved", self.count);
        Position(self.first + n)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.inner.sequence.give_up(self.first, self.count);
    }
}

/// A submitted batch on its way to the disk. Resolves when it is durable, applied and visible to followers.
#[must_use = "nothing is durable before this resolves"]
pub struct Pending {
    done: oneshot::Receiver<Result<()>>,
}

impl Future for Pending {
    type Output = Result<()>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.done)
            .poll(cx)
            .map(|r| r.unwrap_or(Err(Error::Closed)))
    }
}

impl Store {
    /// A store that keeps nothing after its last clone is gone. For tests of what stands on it.
    #[must_use]
    pub fn in_memory() -> Self {
        let engine = Arc::new(Engine::new(None, 0));
        let sequence = Arc::new(Sequence::new(Position::START));
        Self::over(
            engine,
            sequence,
            Writer::Memory(parking_lot::Mutex::default()),
            None,
        )
    }

    pub(crate) fn over(
        engine: Arc<Engine>,
        sequence: Arc<Sequence>,
        writer: Writer,
        disk: Option<Disk>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                engine,
                sequence,
                writer,
                room: Arc::new(Semaphore::new(WAITING)),
                disk,
            }),
        }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is malformed, [`Error::Io`] if the disk refuses.
    pub fn get<K, V: Record>(&self, tree: &Tree<K, V>, key: impl AsKey<K>) -> Result<Option<V>> {
        let found = self.inner.engine.get(&tree.key(&key))?;
        found.map(|bytes| record(tree, &bytes)).transpose()
    }

    /// Whether a key is there.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk refuses.
    pub fn contains<K, V>(&self, tree: &Tree<K, V>, key: impl AsKey<K>) -> Result<bool> {
        Ok(self.inner.engine.get(&tree.key(&key))?.is_some())
    }

    /// The first `limit` entries whose keys start with a prefix, in the keys' order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one is malformed, [`Error::Io`] if the disk refuses.
    pub fn prefix<K: Key, V: Record>(
        &self,
        tree: &Tree<K, V>,
        prefix: impl AsPrefix<K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>> {
        let from = tree.prefix(&prefix);
        let to = successor(from.clone());
        self.entries(tree, &from, &to, false, limit)
    }

    /// The first `limit` entries from a prefix (included) to another (excluded), in the keys' order, or the last ones,
    /// backwards, if `reverse`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one is malformed, [`Error::Io`] if the disk refuses.
    pub fn range<K: Key, V: Record>(
        &self,
        tree: &Tree<K, V>,
        from: impl AsPrefix<K>,
        to: impl AsPrefix<K>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<(K, V)>> {
        self.entries(tree, &tree.prefix(&from), &tree.prefix(&to), reverse, limit)
    }

    fn entries<K: Key, V: Record>(
        &self,
        tree: &Tree<K, V>,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<(K, V)>> {
        let found = self.inner.engine.range(from, to, reverse, limit)?;
        found
            .iter()
            .map(|(key, value)| entry(tree, key, value))
            .collect()
    }

    /// Calls `visit` with each entry whose key starts with a prefix, in the keys' order, reading some at a time: for walks
    /// over more than fits into memory. What changes meanwhile may be seen or not.
    ///
    /// # Errors
    /// As [`Store::prefix`], and whatever `visit` returns.
    pub fn for_each<K: Key, V: Record, E: From<Error>>(
        &self,
        tree: &Tree<K, V>,
        prefix: impl AsPrefix<K>,
        mut visit: impl FnMut(K, V) -> Result<(), E>,
    ) -> Result<(), E> {
        let from = tree.prefix(&prefix);
        let to = successor(from.clone());
        self.inner.engine.walk(&from, &to, |entries| {
            for (found, value) in entries {
                let (key, value) = entry(tree, found, value)?;
                visit(key, value)?;
            }
            Ok(())
        })
    }

    /// The entries of the log after `after`, as far as they are visible, at most `limit`.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub fn log(&self, after: Position, limit: usize) -> Result<Vec<(Position, Entry)>> {
        let to = self.visible().next();
        let found = self.range(&LOG, (after.next(),), (to,), false, limit)?;
        Ok(found
            .into_iter()
            .map(|((at,), entry)| (at, entry))
            .collect())
    }

    /// The last visible position: everything up to it is durable and can be read.
    #[must_use]
    pub fn visible(&self) -> Position {
        self.inner.sequence.visible()
    }

    /// Tells when the visible position moves.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.inner.sequence.watch()
    }

    /// Whether something new can be kept.
    ///
    /// # Errors
    /// [`Error::Full`]; [`Error::Io`] after the disk has refused.
    pub fn check_health(&self) -> Result<()> {
        self.inner
            .disk
            .as_ref()
            .map_or(Ok(()), |disk| disk.health.permits())
    }

    /// Waits until one more batch may be submitted.
    ///
    /// # Errors
    /// [`Error::Closed`], and those of [`Store::check_health`].
    pub async fn permit(&self) -> Result<Permit> {
        self.check_health()?;
        self.inner
            .room
            .clone()
            .acquire_owned()
            .await
            .map(Permit)
            .map_err(|_| Error::Closed)
    }

    /// Sets positions aside for a batch with `count` entries.
    #[must_use]
    pub fn reserve(&self, permit: Permit, count: u64) -> Reserved {
        let first = self.inner.sequence.reserve(count);
        Reserved {
            inner: self.inner.clone(),
            first,
            count,
            permit: Some(permit),
            not_send: PhantomData,
        }
    }

    /// Leaves so many positions out, for good: between what was given out before and what will be.
    pub fn skip(&self, count: u64) {
        let first = self.inner.sequence.reserve(count);
        self.inner.sequence.give_up(first, count);
    }

    /// Hands a batch to the committer, which takes batches in the order of this call. Positions that it has no entries for stay
    /// holes; a batch may name them in its keys all the same.
    ///
    /// # Panics
    /// If the batch has more entries than were reserved.
    pub fn submit(&self, mut reserved: Reserved, mut batch: Batch) -> Pending {
        let entries = batch.entries();
        assert!(
            entries <= reserved.count,
            "no more log entries than positions reserved"
        );
        if entries == 0 {
            let unused = std::mem::take(&mut reserved.count);
            self.inner.sequence.give_up(reserved.first, unused);
        }
        // First, so that a batch can rewrite what it brings itself.
        let mut writes = Batch::new();
        for (n, entry) in batch.entries.into_iter().enumerate() {
            writes.put(&LOG, (reserved.at(n as u64),), &entry);
        }
        writes.writes.append(&mut batch.writes);
        let (tell, done) = oneshot::channel();
        let submission = Submission {
            first: reserved.first,
            // From here on the committer settles them.
            count: std::mem::take(&mut reserved.count).min(entries),
            writes: writes.writes.into(),
            expected: batch.expected,
            tell,
            permit: reserved.permit.take(),
            at: std::time::Instant::now(),
        };
        self.inner
            .writer
            .submit(&self.inner.engine, &self.inner.sequence, submission);
        Pending { done }
    }

    /// Writes a batch and waits until it is durable; returns the position of its first entry, or of the last one before
    /// it where it has none.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a precondition does not hold, [`Error::Io`] if the disk refuses, [`Error::Closed`].
    pub async fn commit(&self, batch: Batch) -> Result<Position> {
        let permit = self.permit().await?;
        let (first, pending) = {
            let reserved = self.reserve(permit, batch.entries());
            (Position(reserved.first), self.submit(reserved, batch))
        };
        pending.await?;
        Ok(first)
    }
}

/// An entry of a tree as the engine has it.
pub(crate) fn entry<K: Key, V: Record>(
    tree: &Tree<K, V>,
    key: &[u8],
    value: &[u8],
) -> Result<(K, V)> {
    let malformed = || Error::Corrupt {
        tree: tree.name,
        reason: "malformed key".to_owned(),
    };
    let key = key.get(2..).and_then(K::decode).ok_or_else(malformed)?;
    Ok((key, record(tree, value)?))
}

pub(crate) fn record<K, V: Record>(tree: &Tree<K, V>, bytes: &[u8]) -> Result<V> {
    V::from_bytes(bytes).map_err(|reason| Error::Corrupt {
        tree: tree.name,
        reason,
    })
}

/// The first bytes after all that start with these.
pub(crate) fn successor(mut bytes: Vec<u8>) -> Vec<u8> {
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return bytes;
        }
    }
    // Tree numbers stay below 0xffff, so there is always something after a tree.
    vec![u8::MAX; 3]
}
