//! What a client was told over a connection.
//!
//! A [`Connection`] holds what the client has for sure, and what the last answer adds to that. A request with the token of
//! that answer says that it arrived; one with the token before says that it did not, and the next answer starts from what
//! the client has for sure. Any other token is unknown, and the client starts anew.
//!
//! Of a room, it is remembered up to which position it was told, and in a few bytes what was told of it. What happened
//! to it since is in the room itself.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use orvale_storage::Position;
use parking_lot::Mutex;
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};

use super::{lists::Children, required::Required};
use crate::follow::Standing;

/// How many connections a device may have.
const PER_DEVICE: usize = 16;
/// How many lazily loaded members are remembered for one connection. What is forgotten is told again.
const MEMBERS: usize = 20_000;
/// How many configurations of rooms one connection remembers before it forgets those that no room has any more.
const CONFIGS: usize = 256;

/// What was told of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// Up to where.
    pub(super) upto: Position,
    /// How many of the last events.
    pub(super) limit: u16,
    /// Which state: a place in the connection's configurations.
    pub(super) config: u16,
    pub(super) flags: u8,
}

impl Sent {
    /// As a room that the user is in.
    pub(super) const JOINED: u8 = 1;
    /// As a direct chat.
    pub(super) const DIRECT: u8 = 2;
    /// With its account data.
    pub(super) const ACCOUNT_DATA: u8 = 4;
    /// With its receipts.
    pub(super) const RECEIPTS: u8 = 8;

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Up to where a client knows what is not about a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// The position in the log.
    pub(super) position: Position,
    /// The position among typing notifications.
    pub(super) typing: u64,
    /// The request's lists, subscriptions and extensions.
    pub(super) asked: u64,
    /// The lists that held all their rooms.
    pub(super) covered: u128,
    /// How many rooms each list has.
    pub(super) counts: Vec<u64>,
    /// Whether global account data was told.
    pub(super) account_data: bool,
    /// Whether it was told whose devices changed.
    pub(super) devices: bool,
    /// Whether the threads that the user follows were told.
    pub(super) threads: bool,
}

/// What an answer adds to what a client knows.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub(super) reached: Reached,
    pub(super) rooms: Vec<(Position, Sent)>,
    /// Members that were told lazily.
    pub(super) members: Vec<(Position, u64)>,
    /// Rooms that could not be told.
    pub(super) failed: HashSet<Position>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    serial: u64,
    /// Counts requests.
    pub(super) turn: u64,
    /// The number of the last answer that arrived.
    arrived: u64,
    /// The number of the last answer.
    answered: u64,
    pub(super) reached: Reached,
    sent: HashMap<Position, Sent>,
    members: HashSet<(Position, u64)>,
    pending: Option<Added>,
    configs: Vec<Arc<Required>>,
    /// Rooms that could not be told and are tried again.
    pub(super) failed: HashSet<Position>,
    /// Rooms that the user left and forgot, of which the client may not know that.
    pub(super) gone: HashMap<Position, Standing>,
    pub(super) matches: Matches,
}

/// Which rooms belong to which list: what can be found out anew, whatever the client knows.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// Up to where it holds.
    pub(super) at: Position,
    /// The filters it is for.
    pub(super) filters: u64,
    /// Room → a bit for each list.
    pub(super) rooms: HashMap<Position, u128>,
    /// How many rooms each list has.
    pub(super) counts: Vec<u64>,
    /// Direct chats.
    pub(super) direct: HashSet<Position>,
    /// Spaces that filters ask about.
    pub(super) spaces: HashSet<Position>,
    /// What is directly in them.
    pub(super) children: Children,
}

/// What a request's token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pos {
    /// Where the client is.
    Known,
    /// It is none of this connection's, or an old one.
    Unknown,
}

impl Connection {
    fn new(serial: u64) -> Self {
        Self {
            serial,
            turn: 0,
            arrived: 0,
            answered: 0,
            reached: Reached::default(),
            sent: HashMap::new(),
            members: HashSet::new(),
            pending: None,
            configs: Vec::new(),
            failed: HashSet::new(),
            gone: HashMap::new(),
            matches: Matches::default(),
        }
    }

    /// Whether the client has no answer yet.
    pub(super) fn is_new(&self) -> bool {
        self.arrived == 0
    }

    /// The client comes with a token: requests before this one are over.
    pub(super) fn resume(&mut self, pos: &str) -> Pos {
        let Some(number) = self.number(pos) else {
            return Pos::Unknown;
        };
        if number == self.answered
            && let Some(added) = self.pending.take()
        {
            self.add(added);
            self.arrived = number;
        }
        // What an answer told that did not arrive, was not told.
        self.pending = None;
        self.clean();
        self.turn += 1;
        if number == self.arrived {
            Pos::Known
        } else {
            Pos::Unknown
        }
    }

    /// What the client has, whatever it is asked for; it has been told all that there is.
    pub(super) fn add(&mut self, added: Added) {
        self.reached = added.reached;
        self.sent.extend(added.rooms);
        if self.members.len() > MEMBERS {
            self.members.clear();
        }
        self.members.extend(added.members);
        self.failed = added.failed;
    }

    /// An answer is given, which adds this. Its token.
    pub(super) fn answer(&mut self, added: Added) -> String {
        self.answered += 1;
        let upto = added.reached.position;
        self.pending = Some(added);
        format!("{:x}_{}_{upto}", self.serial, self.answered)
    }

    fn number(&self, pos: &str) -> Option<u64> {
        let (serial, rest) = pos.split_once('_')?;
        let (number, position) = rest.split_once('_')?;
        position.parse::<u64>().ok()?;
        let is_ours = u64::from_str_radix(serial, 16) == Ok(self.serial);
        number.parse().ok().filter(|number| is_ours && *number > 0)
    }

    /// Up to where the answer told that has this token, of whichever connection.
    pub(super) fn position_of(pos: &str) -> Option<Position> {
        let (_, position) = pos.rsplit_once('_')?;
        position.parse().map(Position).ok()
    }

    /// What was told of a room.
    pub(super) fn sent(&self, room: Position) -> Option<Sent> {
        self.sent.get(&room).copied()
    }

    /// Whether the client was told a member of a room.
    pub(super) fn has_member(&self, room: Position, user: u64) -> bool {
        self.members.contains(&(room, user))
    }

    /// A configuration that was used; where there were too many, nothing.
    pub(super) fn config(&self, config: u16) -> Option<&Required> {
        self.configs
            .get(usize::from(config))
            .map(|config| &**config)
    }

    /// The place of a configuration.
    pub(super) fn place(&mut self, required: &Arc<Required>) -> u16 {
        let known = self.configs.iter().position(|known| known == required);
        let place = known.unwrap_or_else(|| {
            if self.configs.len() < usize::from(u16::MAX) {
                self.configs.push(required.clone());
            }
            self.configs.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// Forgets configurations that no room has any more, where there are many.
    fn clean(&mut self) {
        if self.configs.len() < CONFIGS {
            return;
        }
        let mut places = HashMap::new();
        let mut kept = Vec::new();
        for sent in self.sent.values_mut() {
            sent.config = *places.entry(sent.config).or_insert_with(|| {
                kept.extend(self.configs.get(usize::from(sent.config)).cloned());
                u16::try_from(kept.len().saturating_sub(1)).unwrap_or(u16::MAX)
            });
        }
        self.configs = kept;
    }

    /// The rooms that were told, but for these.
    pub(super) fn but<T>(&self, rooms: &HashMap<Position, T>) -> Vec<(Position, Sent)> {
        let others = self
            .sent
            .iter()
            .filter(|(room, _)| !rooms.contains_key(room));
        others.map(|(room, sent)| (*room, *sent)).collect()
    }

    /// Forgets a room.
    pub(super) fn forget(&mut self, room: Position) {
        self.sent.remove(&room);
        self.members.retain(|(of, _)| *of != room);
    }

    /// Roughly what it takes in memory.
    fn bytes(&self) -> usize {
        const ENTRY: usize = 40;
        let pending = self
            .pending
            .as_ref()
            .map_or(0, |added| added.rooms.capacity() + added.members.capacity());
        let rooms =
            self.sent.capacity() + self.matches.rooms.capacity() + self.matches.direct.capacity();
        500 + ENTRY * (rooms + self.members.capacity() + pending) + 500 * self.configs.len()
    }
}

/// All connections, within a budget.
pub(crate) struct Connections {
    inner: Mutex<Inner>,
    budget: usize,
    pub(super) hasher: RandomState,
}

#[derive(Default)]
struct Inner {
    devices: HashMap<(OwnedUserId, OwnedDeviceId), Vec<Slot>>,
    bytes: usize,
    /// Counts uses, to tell the latest.
    uses: u64,
}

struct Slot {
    conn_id: String,
    connection: Arc<Mutex<Connection>>,
    bytes: usize,
    used: u64,
}

impl Connections {
    /// They may take so many bytes.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            inner: Mutex::default(),
            budget,
            hasher: RandomState::new(),
        }
    }

    /// A user as connections remember them.
    pub(super) fn hash(&self, user_id: &UserId) -> u64 {
        self.hasher.hash_one(user_id)
    }

    /// A new connection, in the place of one of that name.
    pub(super) fn open(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        conn_id: &str,
    ) -> Arc<Mutex<Connection>> {
        let connection = Connection::new(rand::random());
        let bytes = connection.bytes();
        let connection = Arc::new(Mutex::new(connection));
        let mut inner = self.inner.lock();
        inner.uses += 1;
        let used = inner.uses;
        let slots = inner
            .devices
            .entry((user_id.to_owned(), device_id.to_owned()))
            .or_default();
        let mut freed = 0;
        slots.retain(|slot| {
            let stays = slot.conn_id != conn_id;
            freed += if stays { 0 } else { slot.bytes };
            stays
        });
        if slots.len() >= PER_DEVICE
            && let Some(oldest) = (0..slots.len()).min_by_key(|n| slots[*n].used)
        {
            freed += slots.swap_remove(oldest).bytes;
        }
        slots.push(Slot {
            conn_id: conn_id.to_owned(),
            connection: connection.clone(),
            bytes,
            used,
        });
        inner.bytes = (inner.bytes + bytes).saturating_sub(freed);
        connection
    }

    /// A connection that there is.
    pub(super) fn find(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        conn_id: &str,
    ) -> Option<Arc<Mutex<Connection>>> {
        let mut inner = self.inner.lock();
        inner.uses += 1;
        let used = inner.uses;
        let slots = inner
            .devices
            .get_mut(&(user_id.to_owned(), device_id.to_owned()))?;
        let slot = slots.iter_mut().find(|slot| slot.conn_id == conn_id)?;
        slot.used = used;
        Some(slot.connection.clone())
    }

    /// Forgets a device's connections: it was logged out.
    pub(super) fn end(&self, user_id: &UserId, device_id: &DeviceId) {
        let mut inner = self.inner.lock();
        let gone = inner
            .devices
            .remove(&(user_id.to_owned(), device_id.to_owned()))
            .unwrap_or_default();
        let bytes: usize = gone.iter().map(|slot| slot.bytes).sum();
        inner.bytes = inner.bytes.saturating_sub(bytes);
    }

    /// A connection may take more or less than before. Where all take too much, those used longest ago go.
    pub(super) fn weigh(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        connection: &Arc<Mutex<Connection>>,
    ) {
        let bytes = connection.lock().bytes();
        let mut inner = self.inner.lock();
        let key = (user_id.to_owned(), device_id.to_owned());
        let slot = inner.devices.get_mut(&key).and_then(|slots| {
            slots
                .iter_mut()
                .find(|slot| Arc::ptr_eq(&slot.connection, connection))
        });
        if let Some(slot) = slot {
            let before = std::mem::replace(&mut slot.bytes, bytes);
            inner.bytes = (inner.bytes + bytes).saturating_sub(before);
        }
        metrics::gauge!("orvale_delivery_connection_bytes").set(inner.bytes as f64);
        if inner.bytes > self.budget {
            inner.evict(self.budget);
        }
    }
}

impl Inner {
    /// Makes room: those go that nobody uses and that were used longest ago, until a tenth of the budget is free.
    fn evict(&mut self, budget: usize) {
        let slots = self.devices.values().flatten();
        let idle = slots.filter(|slot| Arc::strong_count(&slot.connection) == 1);
        let mut idle: Vec<_> = idle.map(|slot| (slot.used, slot.bytes)).collect();
        idle.sort_unstable();
        let mut gone = HashSet::new();
        for (used, bytes) in idle {
            if self.bytes <= budget / 10 * 9 {
                break;
            }
            gone.insert(used);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        self.devices.retain(|_, slots| {
            slots.retain(|slot| !gone.contains(&slot.used));
            !slots.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use ruma::{device_id, user_id};

    use super::*;

    fn sent(upto: u64) -> Sent {
        Sent {
            upto: Position(upto),
            limit: 1,
            config: 0,
            flags: 0,
        }
    }

    fn tells(room: u64, upto: u64) -> Added {
        Added {
            reached: Reached {
                position: Position(upto),
                ..Reached::default()
            },
            rooms: vec![(Position(room), sent(upto))],
            ..Added::default()
        }
    }

    #[test]
    fn what_a_lost_answer_told_was_not_told() {
        let mut connection = Connection::new(7);
        let first = connection.answer(tells(1, 10));
        assert_eq!(connection.sent(Position(1)), None);
        assert_eq!(connection.resume(&first), Pos::Known);
        assert_eq!(connection.sent(Position(1)), Some(sent(10)));
        let lost = connection.answer(tells(1, 20));
        assert_eq!(connection.resume(&first), Pos::Known);
        assert_eq!(connection.sent(Position(1)), Some(sent(10)));
        let second = connection.answer(tells(2, 30));
        assert_eq!(connection.resume(&second), Pos::Known);
        assert_eq!(connection.sent(Position(1)), Some(sent(10)));
        assert_eq!(connection.sent(Position(2)), Some(sent(30)));
        assert_eq!(connection.resume(&lost), Pos::Unknown);
        assert_eq!(connection.resume(&first), Pos::Unknown);
        // Who asks with an old token has not lost what there is.
        assert_eq!(connection.resume(&second), Pos::Known);
    }

    #[test]
    fn tokens_of_others_and_nonsense_are_unknown() {
        let mut connection = Connection::new(7);
        connection.answer(tells(1, 10));
        for pos in [
            "8_1_10", "7_2_10", "7_0_10", "7_1", "7_", "7", "", "_", "x_1_10", "7_1_x", "7_1_1_1",
        ] {
            assert_eq!(connection.resume(pos), Pos::Unknown, "{pos}");
        }
        // The first answer never came: there is nothing to go on from.
        assert_eq!(connection.resume("7_0_0"), Pos::Unknown);
    }

    #[test]
    fn a_device_has_its_latest_connections() {
        let connections = Connections::new(1 << 20);
        let (alice, device) = (user_id!("@alice:orvale.test"), device_id!("A"));
        for n in 0..PER_DEVICE {
            connections.open(alice, device, &n.to_string());
        }
        assert!(connections.find(alice, device, "0").is_some());
        connections.open(alice, device, "one more");
        assert!(connections.find(alice, device, "1").is_none());
        assert!(connections.find(alice, device, "0").is_some());
        assert!(connections.find(alice, device_id!("B"), "0").is_none());
        connections.end(alice, device);
        assert!(connections.find(alice, device, "0").is_none());
        assert_eq!(connections.inner.lock().bytes, 0);
    }

    #[test]
    fn connections_beyond_the_budget_go_unless_they_are_used() {
        let connections = Connections::new(20_000);
        let alice = user_id!("@alice:orvale.test");
        let used = connections.open(alice, device_id!("A"), "");
        for n in 0..100 {
            let device: OwnedDeviceId = n.to_string().into();
            let connection = connections.open(alice, &device, "");
            connections.weigh(alice, &device, &connection);
        }
        assert!(connections.inner.lock().bytes <= 20_000);
        assert!(connections.find(alice, device_id!("A"), "").is_some());
        assert!(connections.find(alice, device_id!("99"), "").is_some());
        assert!(connections.find(alice, device_id!("0"), "").is_none());
        drop(used);
    }

    #[test]
    fn configurations_that_no_room_has_are_forgotten() {
        let mut connection = Connection::new(7);
        let required = |n: usize| {
            let body = serde_json::json!([[n.to_string(), ""]]);
            let body = serde_json::from_value(body).unwrap();
            Arc::new(Required::new(user_id!("@alice:orvale.test"), body).unwrap())
        };
        for n in 0..CONFIGS {
            assert_eq!(usize::from(connection.place(&required(n))), n);
        }
        let mut added = tells(1, 10);
        added.rooms[0].1.config = 9;
        let pos = connection.answer(added);
        assert_eq!(connection.resume(&pos), Pos::Known);
        assert_eq!(connection.place(&required(CONFIGS)), 1);
        let kept = connection.sent(Position(1)).unwrap().config;
        assert_eq!(connection.config(kept), Some(&*required(9)));
    }
}
