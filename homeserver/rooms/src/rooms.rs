//! The handle on rooms.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use orvale_events::ServerKey;
use orvale_federation_client::FederationClient;
use orvale_storage::{
    Entry, EventRecord, Position, Store,
    trees::{
        rooms::{CURRENT_STATE, EVENT_NUMBERS, MEMBERSHIPS, MembershipRecord, StateRecord},
        system::LOG,
    },
};
use orvale_users::Users;
use parking_lot::RwLock;
use quick_cache::{Weighter, sync::Cache};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedServerName, RoomId, RoomVersionId, ServerName, UInt,
    UserId, events::StateEventType,
};

use crate::{
    directory::Listing,
    error::{Error, Result},
    event::StoredEvent,
    partial::PartialRooms,
    policy_server::Silent,
    remote::Inboxes,
    room::{Known, Room},
    servers::Servers,
    state::{StateId, States, Unwritten, hash},
    summary::{Outside, OutsideBytes},
    threads::Relations,
    typing::Typing,
};

/// How rooms behave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The version of rooms made without naming one.
    pub default_room_version: RoomVersionId,
    /// Memory for events in the form they are read, in bytes.
    pub event_cache_bytes: u64,
    /// What this server allows its own people; settings of their own.
    #[serde(skip)]
    pub policy: orvale_policy::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_room_version: RoomVersionId::V12,
            event_cache_bytes: 64 << 20,
            policy: orvale_policy::Config::default(),
        }
    }
}

/// All rooms this server knows. Cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) users: Users,
    pub(crate) key: Arc<ServerKey>,
    pub(crate) config: Config,
    pub(crate) known: Known,
    pub(crate) states: States,
    pub(crate) events: Cache<Position, Arc<StoredEvent>, Bytes>,
    pub(crate) clock: Clock,
    /// When the newest room was made, in milliseconds.
    pub(crate) newest_room: AtomicU64,
    pub(crate) typing: Typing,
    pub(crate) relations: Relations,
    /// What the directory shows of rooms.
    pub(crate) listings: Cache<Position, Arc<Listing>>,
    /// The servers in each room, in the state that was last asked for.
    pub(crate) servers: Cache<Position, (StateId, Arc<Servers>)>,
    /// How rooms look from outside.
    pub(crate) outsides: Cache<Position, Arc<Outside>, OutsideBytes>,
    /// The way to other servers.
    pub(crate) federation: OnceLock<FederationClient>,
    /// The rooms that take events of other servers now.
    pub(crate) inboxes: Inboxes,
    /// The rooms in whose timelines there are gaps.
    pub(crate) broken: RwLock<BTreeSet<Position>>,
    /// The rooms whose members are not all known yet.
    pub(crate) partial: PartialRooms,
    /// Policy servers that do not answer.
    pub(crate) silent: Silent,
}

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> MilliSecondsSinceUnixEpoch + Send + Sync>;

/// Weighs an event by what it holds in memory.
#[derive(Clone)]
pub(crate) struct Bytes;

impl Weighter<Position, Arc<StoredEvent>> for Bytes {
    fn weight(&self, _: &Position, event: &Arc<StoredEvent>) -> u64 {
        // Stored JSON, its parsed and its client form, and what surrounds them.
        3 * event.record.pdu.len() as u64 + 600
    }
}

impl Rooms {
    /// The rooms of a store. `key` signs this server's events.
    ///
    /// # Errors
    /// Storage's.
    pub fn new(
        store: Store,
        users: Users,
        key: Arc<ServerKey>,
        config: Config,
        clock: Clock,
    ) -> Result<Self> {
        let events = usize::try_from(config.event_cache_bytes / 2000)
            .unwrap_or(usize::MAX)
            .max(64);
        let relations = Relations::new(store.visible());
        let inner = Inner {
            states: States::new(store.clone(), 50_000),
            events: Cache::with_weighter(events, config.event_cache_bytes, Bytes),
            known: Known::default(),
            broken: RwLock::new(Self::broken_rooms(&store)?),
            partial: PartialRooms::of(&store)?,
            store,
            users,
            key,
            config,
            clock,
            newest_room: AtomicU64::default(),
            typing: Typing::default(),
            relations,
            listings: Cache::new(10_000),
            servers: Cache::new(20_000),
            outsides: Cache::with_weighter(5_000, 16 << 20, OutsideBytes),
            federation: OnceLock::new(),
            inboxes: Inboxes::default(),
            silent: Silent::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// This server's name.
    #[must_use]
    pub fn server_name(&self) -> &ServerName {
        self.inner.key.server_name()
    }

    /// This server's name, owned.
    #[must_use]
    pub fn server_name_owned(&self) -> OwnedServerName {
        self.server_name().to_owned()
    }

    /// The store that rooms are kept in.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The people of this server.
    #[must_use]
    pub fn users(&self) -> &Users {
        &self.inner.users
    }

    /// How rooms behave.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Who is typing.
    #[must_use]
    pub fn typing(&self) -> &Typing {
        &self.inner.typing
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> MilliSecondsSinceUnixEpoch {
        (self.inner.clock)()
    }

    /// The time now, but later than that of every room made before: from version 12 on a room's ID is the hash of its create
    /// event, and somebody who makes two alike rooms within a millisecond wants two.
    pub(crate) fn time_of_a_new_room(&self) -> MilliSecondsSinceUnixEpoch {
        let now = u64::from(self.now().0);
        let after = |newest: u64| now.max(newest + 1);
        let newest = &self.inner.newest_room;
        let before =
            newest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some(after(at)));
        let before = before.unwrap_or_else(|at| at);
        MilliSecondsSinceUnixEpoch(UInt::new_saturating(after(before)))
    }

    /// Lets a room that is about to change go of what it need not remember.
    pub(crate) fn forget_looked_up(&self, head: &mut crate::room::Head) {
        head.forget(self.inner.store.visible(), self.inner.known.share());
    }

    /// The room of this ID, if it is known here.
    ///
    /// # Errors
    /// Storage's.
    pub fn find(&self, id: &RoomId) -> Result<Option<Arc<Room>>> {
        self.inner.known.find(&self.inner.store, id)
    }

    /// The room of this ID.
    ///
    /// # Errors
    /// [`Error::UnknownRoom`].
    pub fn get(&self, id: &RoomId) -> Result<Arc<Room>> {
        self.find(id)?
            .ok_or_else(|| Error::UnknownRoom(id.to_owned()))
    }

    /// The room of this number.
    ///
    /// # Errors
    /// Storage's; a number that is no room's is corruption.
    pub fn get_number(&self, number: Position) -> Result<Arc<Room>> {
        let none = || Error::Internal(format!("no room has the number {number}"));
        self.inner
            .known
            .find_number(&self.inner.store, number)?
            .ok_or_else(none)
    }

    /// The event at a position of the log.
    ///
    /// # Errors
    /// Storage's; a position without an event is corruption.
    pub fn event(&self, at: Position) -> Result<Arc<StoredEvent>> {
        if let Some(event) = self.inner.events.get(&at) {
            return Ok(event);
        }
        match self.inner.store.get(&LOG, (at,))? {
            Some(Entry::Event(record)) => self.load(at, record),
            Some(Entry::Arrived { event }) if event < at => self.event(event),
            _ => Err(Error::Internal(format!("no event at position {at}"))),
        }
    }

    /// The event of a log entry just read, without reading it again.
    ///
    /// # Errors
    /// As [`Rooms::event`].
    pub fn load(&self, at: Position, record: EventRecord) -> Result<Arc<StoredEvent>> {
        if let Some(event) = self.inner.events.get(&at) {
            return Ok(event);
        }
        let room = self.get_number(record.room)?;
        let replaced = match StoredEvent::replaces(&record) {
            Some(id) => self.find_event(id)?,
            None => None,
        };
        let event = Arc::new(StoredEvent::new(
            at,
            &room.id,
            &room.rules,
            record,
            replaced.as_deref(),
        )?);
        self.inner.events.insert(at, event.clone());
        Ok(event)
    }

    /// The event of this ID, whatever its standing and whoever asks.
    ///
    /// # Errors
    /// Storage's.
    pub fn find_event(&self, id: &EventId) -> Result<Option<Arc<StoredEvent>>> {
        self.inner
            .store
            .get(&EVENT_NUMBERS, (id,))?
            .map(|at| self.event(at))
            .transpose()
    }

    /// The event that is a room's state now, as far as it is visible.
    ///
    /// # Errors
    /// Storage's.
    pub fn find_state(
        &self,
        room: &Room,
        kind: &StateEventType,
        state_key: &str,
    ) -> Result<Option<Arc<StoredEvent>>> {
        let found = self
            .inner
            .store
            .get(&CURRENT_STATE, (room.number, kind.to_string(), state_key))?;
        found.map(|record| self.event(record.event)).transpose()
    }

    /// A room's whole current state. Grows with the room: for answers that are the whole state.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_state(&self, room: &Room) -> Result<Vec<Arc<StoredEvent>>> {
        let found = self
            .inner
            .store
            .prefix(&CURRENT_STATE, (room.number,), usize::MAX)?;
        found
            .into_iter()
            .map(|(_, record)| self.event(record.event))
            .collect()
    }

    /// The state keys and records of one type in a room's current state: for `m.room.member`, its members.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_state_keys(
        &self,
        room: &Room,
        kind: &StateEventType,
    ) -> Result<Vec<(String, StateRecord)>> {
        let found =
            self.inner
                .store
                .prefix(&CURRENT_STATE, (room.number, kind.to_string()), usize::MAX)?;
        Ok(found
            .into_iter()
            .map(|((_, _, key), record)| (key, record))
            .collect())
    }

    /// The event that a state holds.
    ///
    /// # Errors
    /// Storage's.
    pub fn find_state_at(
        &self,
        state: StateId,
        kind: &StateEventType,
        key: &str,
    ) -> Result<Option<Arc<StoredEvent>>> {
        let found =
            self.inner
                .states
                .get(state, &hash(&kind.to_string(), key), &Unwritten::default())?;
        found.map(|at| self.event(at)).transpose()
    }

    /// The events of a state.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_state_at(&self, state: StateId) -> Result<Vec<Arc<StoredEvent>>> {
        let found = self.inner.states.list(state, &Unwritten::default())?;
        found.into_iter().map(|(_, at)| self.event(at)).collect()
    }

    /// The events that `to` holds and `from` does not: what changed between two states of a room.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_state_changes(&self, from: StateId, to: StateId) -> Result<Vec<Arc<StoredEvent>>> {
        let found = self.inner.states.diff(from, to, &Unwritten::default())?;
        found
            .into_iter()
            .filter_map(|d| d.b)
            .map(|at| self.event(at))
            .collect()
    }

    /// How a user stands in a room, as far as it is visible; `None` for a stranger.
    ///
    /// # Errors
    /// Storage's.
    pub fn find_membership(&self, room: &Room, user: &UserId) -> Result<Option<MembershipRecord>> {
        Ok(self.inner.store.get(&MEMBERSHIPS, (user, room.number))?)
    }

    /// How a user stands in all rooms, by number.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_memberships(&self, user: &UserId) -> Result<Vec<(Position, MembershipRecord)>> {
        let found = self.inner.store.prefix(&MEMBERSHIPS, (user,), usize::MAX)?;
        Ok(found
            .into_iter()
            .map(|((_, room), record)| (room, record))
            .collect())
    }
}
