//! A store on disk: opening it, closing it, and the threads between.
//!
//! `lock` keeps a second process out; `log/` is the commit log; `trees/` the base; `checkpoint` says how much of the log the
//! base completes.

use std::{
    fs,
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Instant,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    Config, Error, Position, Result, Store, Tuning,
    batch::Writes,
    checkpoint::{Checkpoint, Health, Keeper, Order},
    commit_log::{CommitLog, Held, files::Directory, frame::Logged},
    committer::{Committer, Message, Writer},
    engine::{Engine, base::Base},
    key::Key,
    lock::Lock,
    migrations::{Migrator, STEPS, Step},
    sequence::Sequence,
    store::{WAITING, successor},
    trees::system::LOG,
};

/// Marks a directory into which a backup is being restored.
pub(crate) const RESTORING: &str = "restoring";

/// What a store on disk has beside one in memory.
pub(crate) struct Disk {
    pub(crate) health: Arc<Health>,
    orders: mpsc::Sender<Order>,
    messages: mpsc::Sender<Message>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    committer: JoinHandle<()>,
    keeper: JoinHandle<Result<()>>,
    lock: Lock,
}

impl Store {
    /// Opens the store in a directory, or makes it. Blocks while the end of the commit log is read.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Newer`], [`Error::Damaged`], [`Error::Io`].
    pub fn open(config: &Config) -> Result<Self> {
        Self::open_with(config, &Tuning::default())
    }

    /// As [`Store::open`], with other numbers.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(config: &Config, tuning: &Tuning) -> Result<Self> {
        Self::open_migrating(config, tuning, STEPS)
    }

    pub(crate) fn open_migrating(config: &Config, tuning: &Tuning, steps: &[Step]) -> Result<Self> {
        let directory = config.path.clone();
        let lock = Lock::take(&directory)?;
        if directory.join(RESTORING).exists() {
            let reason = "restoring a backup into it did not end; remove it and restore again";
            return Err(Error::damaged(directory.display().to_string(), reason));
        }
        let Checkpoint {
            group: after,
            incarnations,
        } = Checkpoint::read(&directory)?;
        let base = Base::open(
            &directory.join("trees"),
            config.cache_bytes / 2,
            tuning.flush_writes,
            incarnations,
        )?;
        let engine = Arc::new(Engine::new(Some(base), after));
        let files = Arc::new(Directory::open(&directory.join("log"))?);
        sync_names(&directory)?;
        let replay = |group, batches| replay(&engine, group, batches);
        let (log, mut appender) = CommitLog::open(files, tuning.segment_bytes, after, replay)?;
        let health = Arc::new(Health::default());
        health.look_at_disk(&directory, config.free_bytes);
        let mut keeper = Keeper {
            directory,
            engine: engine.clone(),
            log,
            health: health.clone(),
            tuning: tuning.clone(),
            pinned_bytes: tuning.pinned_bytes.unwrap_or(config.cache_bytes / 2),
            free_bytes: config.free_bytes,
            saved: after,
            // What was repeated is written down soon: a process that ends again and again shall not leave a segment each time.
            last: (engine.pressure().0 == 0).then(Instant::now),
        };
        Migrator {
            engine: &engine,
            appender: &mut appender,
            keeper: &mut keeper,
        }
        .run(steps)?;
        let sequence = Arc::new(Sequence::new(last_position(&engine)?));
        let (messages, inbox) = mpsc::channel();
        let (orders, to_keep) = mpsc::channel();
        let committer = Committer {
            engine: engine.clone(),
            sequence: sequence.clone(),
            appender,
            health: health.clone(),
            keeper: orders.clone(),
            tuning: tuning.clone(),
        };
        let threads = Threads {
            committer: spawn("storage-commit", move || committer.run(&inbox))?,
            keeper: spawn("storage-keep", move || keeper.run(&to_keep))?,
            lock,
        };
        let _ = orders.send(Order::Look);
        let disk = Disk {
            health,
            orders,
            messages: messages.clone(),
            threads: Mutex::new(Some(threads)),
        };
        Ok(Self::over(
            engine,
            sequence,
            Writer::Disk(messages),
            Some(disk),
        ))
    }

    /// Writes everything committed so far down to the base, so that a start after a crash has less to repeat. It happens by
    /// itself from time to time.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Closed`].
    pub async fn checkpoint(&self) -> Result<()> {
        let Some(disk) = &self.inner.disk else {
            return Ok(());
        };
        let (answer, answered) = oneshot::channel();
        disk.orders
            .send(Order::Checkpoint(answer))
            .map_err(|_| Error::Closed)?;
        answered.await.unwrap_or(Err(Error::Closed))
    }

    /// Waits for what was submitted, writes everything down and closes the store, so that the next start has nothing to
    /// repeat. Writes are refused from the first call on, reads from its end on.
    ///
    /// # Errors
    /// [`Error::Io`]; the next start repeats the end of the commit log then.
    pub async fn close(&self) -> Result<()> {
        // Every permit: nothing is on its way any more.
        let all = u32::try_from(WAITING).expect("some hundreds");
        let Ok(permits) = self.inner.room.acquire_many(all).await else {
            return Ok(());
        };
        self.inner.room.close();
        drop(permits);
        let store = self.clone();
        let closed = tokio::task::spawn_blocking(move || {
            store.inner.disk.as_ref().map_or(Ok(()), Disk::close)
        })
        .await;
        closed.unwrap_or(Err(Error::Closed))
    }
}

impl Disk {
    /// Keeps the commit log from the last checkpoint on.
    pub(crate) async fn hold(&self) -> Result<Held> {
        let (answer, answered) = oneshot::channel();
        self.orders
            .send(Order::Hold(answer))
            .map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)
    }

    fn close(&self) -> Result<()> {
        let Some(threads) = self.threads.lock().take() else {
            return Ok(());
        };
        let _ = self.messages.send(Message::Close);
        let committed = threads.committer.join();
        let _ = self.orders.send(Order::Close);
        let kept = threads.keeper.join();
        drop(threads.lock);
        committed.map_err(|_| Error::Io("the committer panicked".to_owned()))?;
        kept.map_err(|_| Error::Io("the keeper of checkpoints panicked".to_owned()))?
    }
}

impl Drop for Disk {
    /// Without a checkpoint: that is for [`Store::close`].
    fn drop(&mut self) {
        if let Some(threads) = self.threads.get_mut().take() {
            let _ = self.messages.send(Message::Close);
            let _ = threads.committer.join();
            // The keeper goes when the committer's and this sender are gone.
            self.orders = mpsc::channel().0;
            let _ = threads.keeper.join();
        }
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    Ok(std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)?)
}

/// Syncs the names of what is in a directory, and its own.
pub(crate) fn sync_names(directory: &Path) -> Result<()> {
    let directory = directory.canonicalize()?;
    for directory in [Some(&*directory), directory.parent()]
        .into_iter()
        .flatten()
    {
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// Makes an empty file, durably.
pub(crate) fn create(directory: &Path, name: &str) -> Result<()> {
    fs::File::create(directory.join(name))?;
    Ok(fs::File::open(directory)?.sync_all()?)
}

/// Removes a file, durably.
pub(crate) fn remove(directory: &Path, name: &str) -> Result<()> {
    fs::remove_file(directory.join(name))?;
    Ok(fs::File::open(directory)?.sync_all()?)
}

fn replay(engine: &Engine, group: u64, batches: Vec<Logged>) -> Result<()> {
    for batch in batches {
        if Writes(batch.writes.clone()).any(|write| write.is_err()) {
            return Err(Error::damaged(
                "log",
                format!("group {group} holds a malformed batch"),
            ));
        }
        engine.apply(batch.writes);
    }
    engine.applied(group);
    Ok(())
}

/// The position of the last entry of the log.
fn last_position(engine: &Engine) -> Result<Position> {
    let from = LOG.prefix(&());
    let last = engine.range(&from, &successor(from.clone()), true, 1)?;
    let Some((key, _)) = last.first() else {
        return Ok(Position::START);
    };
    let malformed = || Error::Corrupt {
        tree: LOG.name,
        reason: "malformed key".to_owned(),
    };
    let (position,) = <(Position,)>::decode(&key[2..]).ok_or_else(malformed)?;
    Ok(position)
}
