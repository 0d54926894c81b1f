//! A room in memory: its lock, and where it stands.

use std::{collections::HashMap, sync::Arc};

use orvale_events::Pdu;
use orvale_storage::{
    Position, Store,
    trees::rooms::{HEADS, HeadRecord, MembershipRecord, ROOM_NUMBERS, ROOMS, RelationRecord},
};
use parking_lot::{Mutex, MutexGuard};
use ruma::{
    OwnedEventId, OwnedRoomId, RoomId, RoomVersionId, events::StateEventType,
    room_version_rules::RoomVersionRules,
};

use crate::{
    error::{Error, Result},
    state::{StateId, Unwritten},
};

/// A room that this server knows. One value a room in the process: whoever appends holds its lock.
#[derive(Debug)]
pub struct Room {
    /// Its number in the store.
    pub number: Position,
    /// Its ID.
    pub id: OwnedRoomId,
    /// Its version.
    pub version: RoomVersionId,
    /// The rules of its version.
    pub rules: RoomVersionRules,
    head: Mutex<Head>,
}

/// The event that is the state of some type and key, and the position from which on the store can be asked instead.
type KnownState = (Position, Option<Arc<Pdu>>);

/// Where a room stands after all that was submitted, durable or on its way.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) extremities: Vec<OwnedEventId>,
    pub(crate) depth: u64,
    pub(crate) state: StateId,
    pub(crate) latest: Position,
    pub(crate) joined: u64,
    pub(crate) invited: u64,
    /// State events that appending looked up (`None`: there is none), and all that the store may not have applied yet.
    pub(crate) known: HashMap<(StateEventType, String), KnownState>,
    /// Requests that made an event which the store may not have applied yet.
    pub(crate) transactions: HashMap<(String, String, String), (Position, OwnedEventId)>,
    /// Memberships that the store may not have applied yet.
    pub(crate) memberships: HashMap<String, (Position, MembershipRecord)>,
    /// Relations that the store may not have applied yet: parent, `rel_type`, and the rest.
    pub(crate) relations: Vec<(Position, OwnedEventId, String, RelationRecord)>,
    pub(crate) unwritten: Unwritten,
}

impl Head {
    /// Bounds what is remembered: lets go of what the store can answer by now.
    pub(crate) fn forget(&mut self, visible: Position) {
        const KNOWN: usize = 256;
        if self.known.len() > KNOWN {
            self.known.retain(|_, (at, _)| *at > visible);
        }
        self.transactions.retain(|_, (at, _)| *at > visible);
        self.memberships.retain(|_, (at, _)| *at > visible);
        self.relations.retain(|(at, ..)| *at > visible);
        self.unwritten.forget(visible);
    }

    pub(crate) fn record(&self) -> HeadRecord {
        HeadRecord {
            extremities: self.extremities.iter().map(ToString::to_string).collect(),
            depth: self.depth,
            state: self.state.0,
            latest: self.latest,
            joined: self.joined,
            invited: self.invited,
        }
    }
}

impl Room {
    pub(crate) fn new(
        number: Position,
        id: OwnedRoomId,
        version: RoomVersionId,
        head: Head,
    ) -> Result<Self> {
        let rules = version
            .rules()
            .ok_or_else(|| Error::UnsupportedRoomVersion(version.to_string()))?;
        Ok(Self {
            number,
            id,
            version,
            rules,
            head: Mutex::new(head),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Head> {
        self.head.lock()
    }
}

/// The rooms that are in memory.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Maps>);

#[derive(Debug, Default)]
struct Maps {
    by_id: HashMap<OwnedRoomId, Arc<Room>>,
    by_number: HashMap<Position, Arc<Room>>,
    sweep_at: usize,
}

const KEPT: usize = 20_000;

impl Known {
    /// The room of this ID, from memory or the store.
    pub(crate) fn find(&self, store: &Store, id: &RoomId) -> Result<Option<Arc<Room>>> {
        if let Some(room) = self.0.lock().by_id.get(id) {
            return Ok(Some(room.clone()));
        }
        match store.get(&ROOM_NUMBERS, (id,))? {
            Some(number) => self.find_number(store, number),
            None => Ok(None),
        }
    }

    /// The room of this number, from memory or the store.
    pub(crate) fn find_number(&self, store: &Store, number: Position) -> Result<Option<Arc<Room>>> {
        // The map stays locked while a room is read, so that there is never a second one of it.
        let mut maps = self.0.lock();
        if let Some(room) = maps.by_number.get(&number) {
            return Ok(Some(room.clone()));
        }
        let Some(record) = store.get(&ROOMS, (number,))? else {
            return Ok(None);
        };
        let head = store.get(&HEADS, (number,))?.unwrap_or_default();
        let malformed = |what: &str| orvale_storage::Error::Corrupt {
            tree: "rooms",
            reason: what.to_owned(),
        };
        let extremities = head
            .extremities
            .into_iter()
            .map(|id| OwnedEventId::try_from(id).map_err(|_| malformed("event ID")));
        let head = Head {
            extremities: extremities.collect::<Result<_, _>>()?,
            depth: head.depth,
            state: StateId(head.state),
            latest: head.latest,
            joined: head.joined,
            invited: head.invited,
            ..Head::default()
        };
        let id = OwnedRoomId::try_from(record.room_id).map_err(|_| malformed("room ID"))?;
        let version =
            RoomVersionId::try_from(record.version).map_err(|_| malformed("room version"))?;
        let room = Arc::new(Room::new(number, id, version, head)?);
        maps.insert(&room, store.visible());
        Ok(Some(room))
    }

    pub(crate) fn insert(&self, room: &Arc<Room>, visible: Position) {
        self.0.lock().insert(room, visible);
    }

    /// Forgets a room that came to nothing.
    pub(crate) fn remove(&self, room: &Room) {
        let mut maps = self.0.lock();
        maps.by_number.remove(&room.number);
        maps.by_id.remove(&room.id);
    }
}

impl Maps {
    fn insert(&mut self, room: &Arc<Room>, visible: Position) {
        if self.by_number.len() >= self.sweep_at.max(KEPT) {
            // Nobody else holds a room of two owners, both maps; and nobody can take one meanwhile. One that has batches on
            // their way stays: the store would give an older head.
            let idle = |room: &Arc<Room>| {
                Arc::strong_count(room) == 2
                    && room
                        .head
                        .try_lock()
                        .is_some_and(|head| head.latest <= visible)
            };
            let gone: Vec<_> = self
                .by_number
                .values()
                .filter(|room| idle(room))
                .map(|r| (r.number, r.id.clone()))
                .collect();
            for (number, id) in gone {
                self.by_number.remove(&number);
                self.by_id.remove(&id);
            }
            self.sweep_at = self.by_number.len() + KEPT;
        }
        self.by_id.insert(room.id.clone(), room.clone());
        self.by_number.insert(room.number, room.clone());
    }
}
