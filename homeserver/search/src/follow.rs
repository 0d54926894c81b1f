//! The handle, and the task that keeps the index up to date.

use std::{sync::Arc, time::Duration};

use orvale_rooms::Rooms;
use orvale_storage::Position;
use parking_lot::{Mutex, RwLock};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{Config, Directory, Error, Place, Result, index::Index, writer::Writer};

/// So many entries are committed at once while there is much to catch up with.
const MANY: u64 = 20_000;

/// How long a failure is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// Finds messages and people. Cheap to clone.
#[derive(Clone)]
pub struct Search {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) rooms: Rooms,
    pub(crate) index: RwLock<Arc<Index>>,
    directory: Directory,
    place: Place,
    config: Config,
    /// Up to where searches see.
    seen: watch::Sender<Position>,
    orders: mpsc::Sender<Order>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Search {
    /// Opens the index, or begins a new one, and keeps it up to date from now on.
    ///
    /// # Errors
    /// If its place cannot be used.
    pub fn start(rooms: Rooms, place: Place, config: Config) -> Result<Self> {
        let (index, at) = Index::open(&place, &rooms)?;
        let writer = Writer::new(rooms.clone(), index.clone(), config.writer_memory_bytes, at)?;
        let (sender, orders) = mpsc::channel(4);
        let inner = Arc::new(Inner {
            index: RwLock::new(index),
            directory: Directory::new(rooms.clone(), config.search_all_users),
            rooms,
            place,
            config,
            seen: watch::channel(at).0,
            orders: sender,
            stop: watch::channel(false).0,
            tasks: Mutex::default(),
        });
        let following = tokio::spawn(follow(inner.clone(), writer, orders));
        let people = inner.directory.clone().follow(inner.stop.subscribe());
        let people = tokio::spawn(people);
        inner.tasks.lock().extend([following, people]);
        Ok(Self { inner })
    }

    /// The user directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.inner.directory
    }

    /// The position up to which messages are found.
    #[must_use]
    pub fn seen(&self) -> Position {
        *self.inner.seen.borrow()
    }

    /// Waits until everything up to a position is found, if it is to be found.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn has_seen(&self, at: Position) -> Result<()> {
        let mut seen = self.inner.seen.subscribe();
        let done = seen.wait_for(|seen| *seen >= at).await;
        done.map(drop).map_err(|_| Error::Closed)
    }

    /// Makes the index anew; what there was is searched until it is done. How far the log went then.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn rebuild(&self) -> Result<Position> {
        let (done, waiting) = oneshot::channel();
        let ordered = self.inner.orders.send(Order::Rebuild(done)).await;
        ordered.map_err(|_| Error::Closed)?;
        waiting.await.map_err(|_| Error::Closed)
    }

    /// Tells that a search failed as it can in an index that is damaged: which is looked into, and made anew if it is.
    pub(crate) fn suspect(&self) {
        // With a full queue, that is on its way already.
        let _ = self.inner.orders.try_send(Order::Examine);
    }

    /// How many messages can be found.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.inner.index.read().reader.searcher().num_docs()
    }

    /// Stops following the log, with what was read of it committed.
    pub async fn close(&self) {
        self.inner.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.inner.tasks.lock());
        for task in tasks {
            // It can only have panicked, which is on record.
            let _ = task.await;
        }
    }
}

/// What the follower is asked to do.
enum Order {
    /// Make the index anew, and tell how far that went.
    Rebuild(oneshot::Sender<Position>),
    /// See whether the index is damaged.
    Examine,
}

/// What the follower is told while it waits.
enum Told {
    News,
    Order(Order),
    Stop,
}

async fn follow(inner: Arc<Inner>, mut writer: Writer, mut orders: mpsc::Receiver<Order>) {
    let mut visible = inner.rooms.store().watch();
    let mut stop = inner.stop.subscribe();
    let interval = Duration::from_millis(inner.config.commit_interval_ms);
    let mut rebuilding: Option<oneshot::Sender<Position>> = None;
    loop {
        let so_far = *visible.borrow_and_update();
        let whole = rebuilding.is_some();
        let (returned, caught) = catch_up(writer, whole, inner.clone()).await;
        match (returned, caught) {
            (Some(returned), Ok(())) => {
                writer = returned;
                // Positions at the end that nobody used are seen too.
                inner.seen.send_replace(writer.committed().max(so_far));
                if let Some(done) = rebuilding.take() {
                    let _ = done.send(writer.committed());
                }
            }
            (returned, Err(error)) => {
                if !matches!(error, Error::Closed) {
                    tracing::error!(%error, "the search index cannot be written");
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = stopped(&mut stop) => return,
                }
                let is_broken = matches!(error, Error::Index(_) | Error::Io(_) | Error::Panicked);
                writer = match returned {
                    Some(writer) if !is_broken => writer,
                    returned => match begin_anew(&inner, returned).await {
                        Some(writer) => writer,
                        None => return,
                    },
                };
                continue;
            }
            (None, Ok(())) => return,
        }
        let told = tokio::select! {
            () = stopped(&mut stop) => Told::Stop,
            order = orders.recv() => order.map_or(Told::Stop, Told::Order),
            // The sender lives in the store that the rooms hold.
            _ = visible.changed() => Told::News,
        };
        match told {
            Told::Stop => return,
            Told::Order(Order::Rebuild(done)) => rebuilding = Some(done),
            Told::Order(Order::Examine) => {
                let index = inner.index.read().clone();
                let is_whole = tokio::task::spawn_blocking(move || index.is_whole()).await;
                if !is_whole.unwrap_or(false) {
                    tracing::warn!("the search index is damaged and is made anew");
                    writer = match begin_anew(&inner, Some(writer)).await {
                        Some(writer) => writer,
                        None => return,
                    };
                }
            }
            Told::News => {
                tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    () = stopped(&mut stop) => {}
                }
            }
        }
    }
}

/// Waits until told to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Takes in everything there is, off the async threads; the whole log anew if asked to, which is committed at the end alone.
/// A writer that panicked is gone.
async fn catch_up(
    mut writer: Writer,
    whole: bool,
    inner: Arc<Inner>,
) -> (Option<Writer>, Result<()>) {
    let caught = tokio::task::spawn_blocking(move || {
        let mut work = || {
            if whole {
                writer.begin_again()?;
            }
            while writer.advance()? {
                if *inner.stop.borrow() {
                    break;
                }
                if writer.waiting() >= MANY && !whole {
                    writer.commit()?;
                    inner.seen.send_replace(writer.committed());
                }
            }
            if whole && *inner.stop.borrow() {
                // Half an index is worse than the one there was.
                return Err(Error::Closed);
            }
            writer.commit()
        };
        let done = work();
        (writer, done)
    });
    match caught.await {
        Ok((writer, done)) => (Some(writer), done),
        Err(_) => (None, Err(Error::Panicked)),
    }
}

/// A new index in the place of one that cannot be written.
async fn begin_anew(inner: &Arc<Inner>, writer: Option<Writer>) -> Option<Writer> {
    let inner = inner.clone();
    let begun = tokio::task::spawn_blocking(move || {
        // It holds the directory's lock.
        drop(writer);
        let index = Index::begin(&inner.place)?;
        *inner.index.write() = index.clone();
        let memory = inner.config.writer_memory_bytes;
        Writer::new(inner.rooms.clone(), index, memory, Position::START)
    });
    match begun.await {
        Ok(Ok(writer)) => Some(writer),
        Ok(Err(error)) => {
            tracing::error!(%error, "searching stops here: the search index cannot be made anew");
            None
        }
        Err(_) => None,
    }
}
