//! A room in memory: its lock, and where it stands.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use orvale_events::Pdu;
use orvale_storage::{
    Position, Store,
    trees::rooms::{
        HEADS, HeadRecord, MembershipRecord, PARTIAL_ROOMS, ROOM_NUMBERS, ROOMS, RedactedRecord,
        RelationRecord,
    },
};
use parking_lot::{Mutex, MutexGuard};
use ruma::{
    EventId, OwnedEventId, OwnedRoomId, RoomId, RoomVersionId, events::StateEventType,
    room_version_rules::RoomVersionRules,
};

use crate::{
    error::{Error, Result},
    event::StoredEvent,
    state::{StateId, Unwritten},
    stood::Remembered,
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
    pub(crate) known: Remembered<(StateEventType, String), Option<Arc<Pdu>>>,
    /// Requests that made an event which the store may not have applied yet.
    pub(crate) transactions: HashMap<(String, String, String), (Position, OwnedEventId)>,
    /// Memberships that the store may not have applied yet.
    pub(crate) memberships: Remembered<String, MembershipRecord>,
    /// Relations that the store may not have applied yet: parent, `rel_type`, and the rest.
    pub(crate) relations: Vec<(Position, OwnedEventId, String, RelationRecord)>,
    pub(crate) unwritten: Unwritten,
    /// Events that the store may not have applied yet.
    pub(crate) flight: Flight,
    /// Redactions of what is not known here, which the store may not have noted yet: what they redact, and their numbers.
    pub(crate) redactions: Vec<(Position, OwnedEventId, Position)>,
    /// Whether not all members of the room are known yet.
    pub(crate) is_partial: bool,
    /// What redactions took meanwhile and the store may not have noted yet: the number of the redacted event, and the event as it was.
    pub(crate) redacted: Vec<(Position, Position, RedactedRecord)>,
    /// The members that came to be known all at once, which the store may not have applied yet.
    pub(crate) mended: Option<MendedMembers>,
    /// Events found missing, which the store may not have noted yet.
    pub(crate) gaps: Vec<(Position, OwnedEventId)>,
}

/// Members that came to be known all at once, on their way to the disk.
#[derive(Debug)]
pub(crate) struct MendedMembers {
    /// The position at which they did.
    pub(crate) at: Position,
    /// By user.
    pub(crate) records: HashMap<String, MembershipRecord>,
}

/// Events on their way to the disk.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    events: BTreeMap<Position, Arc<StoredEvent>>,
    ids: HashMap<OwnedEventId, Position>,
}

impl Flight {
    pub(crate) fn get(&self, id: &EventId) -> Option<&Arc<StoredEvent>> {
        self.ids.get(id).and_then(|at| self.events.get(at))
    }

    /// The event of this number. One that was known before is found here by its ID alone, and in the store as it was.
    pub(crate) fn get_at(&self, number: Position) -> Option<&Arc<StoredEvent>> {
        self.events
            .get(&number)
            .filter(|event| event.position == number)
    }

    /// All of them that have a place in the room's graph, by the position of the batch that gives it.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (Position, &Arc<StoredEvent>)> {
        let placed = self.events.iter().filter(|(_, event)| event.has_state());
        placed.map(|(at, event)| (*at, event))
    }

    /// Adds an event that is written by the batch with this position.
    pub(crate) fn insert(&mut self, at: Position, event: Arc<StoredEvent>) {
        self.ids.insert(event.pdu.event_id.clone(), at);
        self.events.insert(at, event);
    }

    /// Lets go of what came to nothing.
    pub(crate) fn take_back(&mut self, from: Position) {
        for event in self.events.split_off(&from).into_values() {
            self.ids.remove(&event.pdu.event_id);
        }
    }

    /// Lets go of what the store can read by now.
    fn forget(&mut self, visible: Position) {
        while let Some(first) = self.events.first_entry()
            && *first.key() <= visible
        {
            let at = *first.key();
            let event = first.remove();
            // It may be on its way once more, set right.
            if self.ids.get(&event.pdu.event_id) == Some(&at) {
                self.ids.remove(&event.pdu.event_id);
            }
        }
    }
}

impl Head {
    /// Bounds what is remembered to `share` state events: lets go of what the store can answer by now.
    pub(crate) fn forget(&mut self, visible: Position, share: usize) {
        if self.known.len() > share {
            self.known.forget(visible);
        }
        self.transactions.retain(|_, (at, _)| *at > visible);
        self.memberships.forget(visible);
        self.relations.retain(|(at, ..)| *at > visible);
        self.unwritten.forget(visible);
        self.flight.forget(visible);
        self.redactions.retain(|(at, ..)| *at > visible);
        self.redacted.retain(|(at, ..)| *at > visible);
        self.mended.take_if(|mended| mended.at <= visible);
        self.gaps.retain(|(at, _)| *at > visible);
    }

    /// How a user stands, if the store may not know it yet.
    pub(crate) fn membership(&self, user: &str) -> Option<MembershipRecord> {
        let changed = self.memberships.get(user).map(|(_, record)| *record);
        changed.or_else(|| self.mended.as_ref()?.records.get(user).copied())
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
pub(crate) struct Known {
    maps: Mutex<Maps>,
    rooms: AtomicUsize,
}

#[derive(Debug, Default)]
struct Maps {
    by_id: HashMap<OwnedRoomId, Arc<Room>>,
    by_number: HashMap<Position, Arc<Room>>,
    sweep_at: usize,
}

const KEPT: usize = 10_000;

impl Known {
    /// How many looked-up state events a room may keep, so that all rooms in memory together keep a bounded number: many where
    /// few rooms are talked in, and what a message needs where many are.
    pub(crate) fn share(&self) -> usize {
        const OF_ALL: usize = 65_536;
        (OF_ALL / self.rooms.load(Relaxed).max(1)).clamp(6, 256)
    }

    /// The room of this ID, from memory or the store.
    pub(crate) fn find(&self, store: &Store, id: &RoomId) -> Result<Option<Arc<Room>>> {
        if let Some(room) = self.maps.lock().by_id.get(id) {
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
        let mut maps = self.maps.lock();
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
            is_partial: store.contains(&PARTIAL_ROOMS, (number,))?,
            ..Head::default()
        };
        let id = OwnedRoomId::try_from(record.room_id).map_err(|_| malformed("room ID"))?;
        let version =
            RoomVersionId::try_from(record.version).map_err(|_| malformed("room version"))?;
        let room = Arc::new(Room::new(number, id, version, head)?);
        maps.insert(&room, store.visible());
        self.rooms.store(maps.by_number.len(), Relaxed);
        Ok(Some(room))
    }

    pub(crate) fn insert(&self, room: &Arc<Room>, visible: Position) {
        let mut maps = self.maps.lock();
        maps.insert(room, visible);
        self.rooms.store(maps.by_number.len(), Relaxed);
    }

    /// Forgets a room that came to nothing.
    pub(crate) fn remove(&self, room: &Room) {
        let mut maps = self.maps.lock();
        maps.by_number.remove(&room.number);
        maps.by_id.remove(&room.id);
        self.rooms.store(maps.by_number.len(), Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_share_what_may_be_remembered() {
        let known = Known::default();
        assert_eq!(known.share(), 256);
        let mut all = Vec::new();
        for number in 1..=1_000 {
            let id = RoomId::parse(format!("!{number}:orvale.test")).unwrap();
            let room =
                Room::new(Position(number), id, RoomVersionId::V12, Head::default()).unwrap();
            all.push(Arc::new(room));
            known.insert(&all[all.len() - 1], Position::START);
        }
        assert_eq!(known.share(), 65);
        for room in &all[10..] {
            known.remove(room);
        }
        assert_eq!(known.share(), 256);
    }

    #[test]
    fn what_the_store_can_answer_is_let_go_of_beyond_the_share() {
        let of = |n: u64| (StateEventType::RoomMember, format!("@{n}:orvale.test"));
        let mut head = Head::default();
        for n in 1..=8 {
            head.known.set(of(n), Position(n), None);
        }
        head.forget(Position(6), 8);
        assert_eq!(head.known.len(), 8);
        head.forget(Position(6), 7);
        let left: Vec<_> = (1..=8)
            .filter(|n| head.known.get(&of(*n)).is_some())
            .collect();
        assert_eq!(left, [7, 8]);
    }
}
