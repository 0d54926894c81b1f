//! What is known of a user who syncs.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use orvale_rooms::{Membership, NewMembership};
use orvale_storage::Position;
use ruma::OwnedUserId;
use tokio::sync::Notify;

/// What requests hold of a session: the means to wait on it. While one does, the session stays.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Told when there may be news.
    pub(crate) news: Notify,
    last_used: AtomicU64,
}

impl Pulse {
    /// Notes that a request uses the session now.
    pub(crate) fn touch(&self) {
        static START: OnceLock<Instant> = OnceLock::new();
        let seconds = START.get_or_init(Instant::now).elapsed().as_secs();
        self.last_used.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }
}

/// A user who syncs.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Who.
    pub(crate) user_id: OwnedUserId,
    /// For waiting on it.
    pub(crate) pulse: Arc<Pulse>,
    /// How the user stands in every room that is not forgotten.
    pub(crate) rooms: HashMap<Position, Standing>,
    /// The last position of anything new for the user in a room → the room.
    order: BTreeMap<Position, Position>,
    /// The last position of anything new at all.
    pub(crate) last: Position,
    /// When global account data changed last, push rules among them.
    pub(crate) account_data: Position,
    /// When the threads that the user follows changed last.
    pub(crate) thread_subscriptions: Position,
    /// When the devices of anybody the user shares a room with changed last.
    pub(crate) device_lists: Position,
    /// The last message that waits for a device, where one came since the session was made, or was given out.
    to_device: Vec<(String, Position)>,
    /// Where the session was made: of what came before, it does not know whether there is a message for a device, or whether
    /// somebody's devices changed.
    pub(crate) made: Position,
    /// When the number of keys that one of the user's devices has left changed last.
    pub(crate) key_counts: Position,
    /// The position of the last typing notification in one of the user's rooms.
    pub(crate) typing: u64,
    /// The position of the last change of presence of anybody the user shares a room with.
    pub(crate) presence: u64,
    /// Devices that were logged out lately (`None`: all), and when.
    ended: Vec<(Option<String>, Position)>,
}

/// How a user stands in a room, and when what happened last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The membership.
    pub(crate) membership: Membership,
    /// The member event.
    pub(crate) event: Position,
    /// Where it came to be so.
    pub(crate) since: Position,
    /// The last position of anything new.
    pub(crate) last: Position,
    /// The last event of the timeline.
    pub(crate) events: Position,
    /// The last receipt.
    pub(crate) receipts: Position,
    /// The last change of the user's account data for the room.
    pub(crate) account_data: Position,
}

/// What kind of thing is new in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Event,
    Receipt,
    AccountData,
}

impl Session {
    pub(crate) fn new(user_id: OwnedUserId) -> Self {
        Self {
            user_id,
            pulse: Arc::default(),
            rooms: HashMap::new(),
            order: BTreeMap::new(),
            last: Position::START,
            account_data: Position::START,
            thread_subscriptions: Position::START,
            device_lists: Position::START,
            to_device: Vec::new(),
            made: Position::START,
            key_counts: Position::START,
            typing: 0,
            presence: 0,
            ended: Vec::new(),
        }
    }

    /// Roughly what it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        600 + 140 * self.rooms.len()
    }

    /// The rooms in which anything is new after a position.
    pub(crate) fn changed(&self, since: Position) -> impl Iterator<Item = (Position, &Standing)> {
        let rooms = self.order.range(since.next()..);
        rooms.filter_map(|(_, room)| Some((*room, self.rooms.get(room)?)))
    }

    /// The rooms in which something happened last, the latest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = (Position, &Standing)> {
        self.order
            .iter()
            .rev()
            .filter_map(|(_, room)| Some((*room, self.rooms.get(room)?)))
    }

    /// The rooms the user is in.
    pub(crate) fn joined(&self) -> impl Iterator<Item = Position> {
        let joined = self
            .rooms
            .iter()
            .filter(|(_, standing)| standing.membership == Membership::Join);
        joined.map(|(room, _)| *room)
    }

    /// The last message that waits for a device, as far as is known.
    pub(crate) fn to_device(&self, device_id: &str) -> Option<Position> {
        self.to_device
            .iter()
            .find(|(device, _)| device == device_id)
            .map(|(_, at)| *at)
    }

    /// Whether a device that was logged in at a position was logged out after it.
    pub(crate) fn has_ended(&self, device_id: &str, since: Position) -> bool {
        let is =
            |device: &Option<String>| device.as_deref().is_none_or(|device| device == device_id);
        self.ended
            .iter()
            .any(|(device, at)| *at > since && is(device))
    }

    /// Whether the user is in a room.
    pub(crate) fn is_joined(&self, room: Position) -> bool {
        self.rooms
            .get(&room)
            .is_some_and(|standing| standing.membership == Membership::Join)
    }

    /// Sets how the user stands in a room, by an event that came at that position.
    #[cfg(test)]
    pub(crate) fn set_membership(
        &mut self,
        room: Position,
        at: Position,
        membership: Membership,
    ) -> bool {
        let event = at;
        self.set_standing(room, at, NewMembership { membership, event })
    }

    /// Sets how the user stands in a room since a position; false if that is older than what is known.
    pub(crate) fn set_standing(
        &mut self,
        room: Position,
        at: Position,
        now: NewMembership,
    ) -> bool {
        let NewMembership { membership, event } = now;
        let standing = self.rooms.entry(room).or_insert(Standing {
            membership,
            event: Position::START,
            since: Position::START,
            last: Position::START,
            events: Position::START,
            receipts: Position::START,
            account_data: Position::START,
        });
        if standing.since > at {
            return false;
        }
        (standing.membership, standing.event, standing.since) = (membership, event, at);
        self.touch(room, at, News::Event);
        true
    }

    /// Something is new in a room.
    pub(crate) fn touch(&mut self, room: Position, at: Position, news: News) {
        let Some(standing) = self.rooms.get_mut(&room) else {
            return;
        };
        let place = match news {
            News::Event => &mut standing.events,
            News::Receipt => &mut standing.receipts,
            News::AccountData => &mut standing.account_data,
        };
        *place = at.max(*place);
        if standing.last < at {
            self.order.remove(&standing.last);
            standing.last = at;
            self.order.insert(at, room);
        }
        self.last = at.max(self.last);
    }

    /// Devices or keys of somebody the user shares a room with changed.
    pub(super) fn devices_changed(&mut self, at: Position) {
        self.device_lists = at.max(self.device_lists);
        self.last = at.max(self.last);
    }

    /// The user forgot a room.
    pub(super) fn forget(&mut self, room: Position, at: Position) {
        // A user who is there again by now did not forget.
        if self
            .rooms
            .get(&room)
            .is_some_and(|standing| standing.since < at)
            && let Some(standing) = self.rooms.remove(&room)
        {
            self.order.remove(&standing.last);
        }
    }

    /// A message came for a device.
    pub(crate) fn message(&mut self, device_id: &str, at: Position) {
        match self
            .to_device
            .iter_mut()
            .find(|(device, _)| device == device_id)
        {
            Some((_, last)) => *last = at.max(*last),
            None => self.to_device.push((device_id.to_owned(), at)),
        }
        self.last = at.max(self.last);
    }

    /// No message up to a position waits for a device any more.
    pub(crate) fn acknowledge(&mut self, device_id: &str, upto: Position) {
        self.to_device
            .retain(|(device, last)| device != device_id || *last > upto);
    }

    /// A device, or all, was logged out.
    pub(super) fn end(&mut self, device_id: Option<&str>, at: Position) {
        const KEPT: usize = 16;
        if self.ended.len() == KEPT {
            // Whoever waits from before that is let go too, and comes back if still logged in.
            self.ended.remove(0);
            self.ended[0].0 = None;
        }
        self.ended.push((device_id.map(str::to_owned), at));
        self.to_device
            .retain(|(device, _)| device_id.is_some_and(|ended| ended != device));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new("@alice:orvale.test".try_into().unwrap())
    }

    #[test]
    fn changed_rooms_are_those_with_news_after_a_position() {
        let mut session = session();
        for room in 1..=3 {
            session.set_membership(Position(room), Position(10 * room), Membership::Join);
        }
        session.touch(Position(1), Position(40), News::Event);
        session.touch(Position(1), Position(41), News::Receipt);
        let changed = |since| {
            session
                .changed(Position(since))
                .map(|(room, _)| room.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(changed(0), [2, 3, 1]);
        assert_eq!(changed(20), [3, 1]);
        assert_eq!(changed(40), [1]);
        assert_eq!(changed(41), [0_u64; 0]);
        assert_eq!(session.order.len(), 3);
    }

    #[test]
    fn an_older_membership_does_not_replace_a_newer_one() {
        let mut session = session();
        assert!(session.set_membership(Position(1), Position(20), Membership::Leave));
        assert!(!session.set_membership(Position(1), Position(10), Membership::Join));
        assert_eq!(session.rooms[&Position(1)].membership, Membership::Leave);
    }

    #[test]
    fn a_forgotten_room_is_gone_unless_the_user_came_back() {
        let mut session = session();
        session.set_membership(Position(1), Position(10), Membership::Leave);
        session.forget(Position(1), Position(11));
        assert!(session.rooms.is_empty() && session.order.is_empty());
        session.set_membership(Position(1), Position(12), Membership::Join);
        session.forget(Position(1), Position(11));
        assert_eq!(session.rooms.len(), 1);
    }

    #[test]
    fn a_logged_out_device_is_told_apart() {
        let mut session = session();
        session.end(Some("A"), Position(5));
        assert!(session.has_ended("A", Position(4)) && !session.has_ended("B", Position(4)));
        assert!(!session.has_ended("A", Position(5)));
        session.end(None, Position(6));
        assert!(session.has_ended("B", Position(5)));
    }
}
