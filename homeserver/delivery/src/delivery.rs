//! The handle.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use orvale_federation_client::FederationClient;
use orvale_rooms::Rooms;
use orvale_storage::Position;
use orvale_users::Users;
use parking_lot::Mutex;
use ruma::{OwnedDeviceId, OwnedUserId};
use tokio::sync::Notify;

use crate::{
    Config, Result,
    follow::Follow,
    from_servers::Fetching,
    push::unread::UnreadCache,
    pushers::{self, Pushers},
    sliding::connection::Connections,
    sync::{Asked, lazy::LazyMembers},
    to_servers::{self, Queues},
};

/// What carries news to clients, push gateways and other servers. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Delivery {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) rooms: Rooms,
    pub(crate) users: Users,
    pub(crate) config: Config,
    pub(crate) follow: Arc<Follow>,
    pub(crate) lazy: LazyMembers,
    /// What clients were told over connections of sliding sync.
    pub(crate) sliding: Connections,
    /// The types of rooms, which never change.
    pub(crate) kinds: quick_cache::sync::Cache<Position, Option<String>>,
    pub(crate) unread: UnreadCache,
    pub(crate) pushers: Pushers,
    /// `None` where there is no federation.
    pub(crate) to_servers: Option<Queues>,
    pub(crate) fetching: Fetching,
    /// Tells this process's tokens from those of earlier ones.
    pub(crate) process: u64,
    closed: AtomicBool,
    closing: Notify,
    /// Rooms that could not be told to a device.
    lost: Mutex<HashSet<(OwnedUserId, OwnedDeviceId, Position)>>,
}

impl Delivery {
    /// Starts to follow the log, in tasks that end when the last handle or the store is gone. Without a `federation` no other server
    /// is told anything. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if a setting is impossible.
    pub fn start(
        rooms: Rooms,
        users: Users,
        federation: Option<FederationClient>,
        config: Config,
    ) -> Result<Self> {
        let process = u64::from(rooms.now().get());
        let to_servers = federation.map(|client| Queues::new(client, process));
        let pushers = Pushers::new(&config)?;
        let now = rooms.store().visible();
        let follow = Arc::new(Follow::new(now, config.session_bytes));
        tokio::spawn(Follow::follow_log(Arc::downgrade(&follow), rooms.clone()));
        tokio::spawn(Follow::follow_hubs(
            Arc::downgrade(&follow),
            rooms.clone(),
            users.clone(),
        ));
        let unread = UnreadCache::new(config.unread_bytes);
        let sliding = Connections::new(config.connection_bytes);
        let inner = Inner {
            rooms,
            users,
            config,
            follow,
            lazy: LazyMembers::new(10_000),
            sliding,
            kinds: quick_cache::sync::Cache::new(50_000),
            unread,
            pushers,
            to_servers,
            fetching: Fetching::default(),
            process: rand::random(),
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            lost: Mutex::default(),
        };
        let inner = Arc::new(inner);
        if inner.config.push.enabled {
            tokio::spawn(pushers::follow(Arc::downgrade(&inner), now));
        }
        if inner.to_servers.is_some() {
            inner.users.set_federates();
            inner.tell_servers()?;
            let weak = || Arc::downgrade(&inner);
            tokio::spawn(to_servers::follow(weak(), now));
            tokio::spawn(to_servers::follow_hubs(weak()));
            tokio::spawn(to_servers::follow_signs_of_life(weak()));
        }
        Ok(Self { inner })
    }

    /// Answers every waiting request at once, and later ones without waiting: the server is to stop.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::SeqCst);
        self.inner.closing.notify_waiters();
    }
}

impl Inner {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Resolves when the server is to stop, if it is not yet.
    pub(crate) fn closing(&self) -> tokio::sync::futures::Notified<'_> {
        self.closing.notified()
    }

    /// Notes that a room could not be told to a device.
    pub(crate) fn lose(&self, asked: &Asked, room: Position) {
        const KEPT: usize = 10_000;
        let mut lost = self.lost.lock();
        if lost.len() < KEPT {
            lost.insert((asked.user_id.clone(), asked.device_id.clone(), room));
        }
    }

    /// Whether a room could not be told to a device lately.
    pub(crate) fn is_lost(&self, asked: &Asked, room: Position) -> bool {
        let lost = self.lost.lock();
        !lost.is_empty() && lost.contains(&(asked.user_id.clone(), asked.device_id.clone(), room))
    }

    /// Notes that a room was told to a device.
    pub(crate) fn made_up(&self, asked: &Asked, room: Position) {
        let mut lost = self.lost.lock();
        if !lost.is_empty() {
            lost.remove(&(asked.user_id.clone(), asked.device_id.clone(), room));
        }
    }
}

/// Runs what reads much of the store, not between other tasks' turns where there are several threads.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    let flavor = tokio::runtime::Handle::try_current().map(|handle| handle.runtime_flavor());
    if matches!(flavor, Ok(tokio::runtime::RuntimeFlavor::MultiThread)) {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
