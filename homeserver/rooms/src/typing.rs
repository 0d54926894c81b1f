//! Who is typing where. In memory: a position counts the changes, a room's state can be asked for since any of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use orvale_storage::Position;
use parking_lot::Mutex;
use ruma::{OwnedUserId, RoomId, ServerName, UserId};
use tokio::{sync::watch, time::Instant};

use crate::{Rooms, error::Result};

/// The longest time that one notice of typing lasts.
const LONGEST: Duration = Duration::from_secs(120);
/// How long another server's notice lasts, which has no time in it.
const HEARD: Duration = Duration::from_secs(30);

/// Who is typing in all rooms. Cheap to clone.
#[derive(Clone, Default)]
pub struct Typing {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    rooms: Mutex<InRooms>,
    position: watch::Sender<u64>,
}

#[derive(Default)]
struct InRooms {
    typers: HashMap<Position, Typers>,
    /// The last change of each room.
    changes: BTreeMap<u64, Position>,
}

#[derive(Default)]
struct Typers {
    /// The last change.
    changed: u64,
    /// Who, until when.
    until: HashMap<OwnedUserId, Instant>,
    /// When somebody looks who has run out of time.
    looks: Option<Instant>,
}

impl Typing {
    /// How many changes there were: the stream's last position.
    #[must_use]
    pub fn position(&self) -> u64 {
        *self.inner.position.borrow()
    }

    /// Tells when there is a change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.position.subscribe()
    }

    /// Who is typing in a room.
    #[must_use]
    pub fn list(&self, room: Position) -> BTreeSet<OwnedUserId> {
        let now = Instant::now();
        let rooms = self.inner.rooms.lock();
        let typers = rooms
            .typers
            .get(&room)
            .into_iter()
            .flat_map(|typers| &typers.until);
        typers
            .filter(|(_, until)| **until > now)
            .map(|(user, _)| user.clone())
            .collect()
    }

    /// Who is typing in a room, if that changed after a position.
    #[must_use]
    pub fn since(&self, room: Position, position: u64) -> Option<BTreeSet<OwnedUserId>> {
        let changed = self
            .inner
            .rooms
            .lock()
            .typers
            .get(&room)
            .map_or(0, |typers| typers.changed);
        (changed > position).then(|| self.list(room))
    }

    /// The rooms where something changed after a position.
    #[must_use]
    pub fn changed_since(&self, position: u64) -> Vec<Position> {
        self.inner
            .rooms
            .lock()
            .changes
            .range(position + 1..)
            .map(|(_, room)| *room)
            .collect()
    }

    /// Says that a user types in a room for a while. To be called inside a tokio runtime.
    pub(crate) fn start(&self, room: Position, user: &UserId, timeout: Duration) {
        let until = Instant::now() + timeout.min(LONGEST);
        let mut rooms = self.inner.rooms.lock();
        let typers = rooms.typers.entry(room).or_default();
        let is_new = typers.until.insert(user.to_owned(), until).is_none();
        let is_first = typers.looks.is_none_or(|looks| until < looks);
        if is_first {
            typers.looks = Some(until);
        }
        if is_new {
            self.inner.changed(&mut rooms, room);
        }
        if is_first {
            tokio::spawn(expire(self.clone(), room, until));
        }
    }

    /// Says that a user types in a room no more.
    pub(crate) fn stop(&self, room: Position, user: &UserId) {
        let mut rooms = self.inner.rooms.lock();
        if rooms
            .typers
            .get_mut(&room)
            .is_some_and(|typers| typers.until.remove(user).is_some())
        {
            self.inner.changed(&mut rooms, room);
        }
    }

    /// Lets go of those whose time is over; tells when the next one's is. Not for who came to look at another time than
    /// the room waits for: somebody else looks earlier.
    fn sweep(&self, room: Position, looks: Instant) -> Option<Instant> {
        let now = Instant::now();
        let mut rooms = self.inner.rooms.lock();
        let typers = rooms.typers.get_mut(&room)?;
        if typers.looks != Some(looks) {
            return None;
        }
        let before = typers.until.len();
        typers.until.retain(|_, until| *until > now);
        let is_over = typers.until.len() < before;
        let next = typers.until.values().min().copied();
        typers.looks = next;
        if is_over {
            self.inner.changed(&mut rooms, room);
        }
        next
    }
}

impl Inner {
    /// Notes a change of a room. Under the lock, so that nobody reads a position whose change is not there yet.
    fn changed(&self, rooms: &mut InRooms, room: Position) {
        self.position.send_modify(|position| {
            *position += 1;
            let before = rooms
                .typers
                .get_mut(&room)
                .map(|typers| std::mem::replace(&mut typers.changed, *position));
            rooms.changes.remove(&before.unwrap_or(0));
            rooms.changes.insert(*position, room);
        });
    }
}

impl Rooms {
    /// Says that a user types in a room for a while, or no more.
    ///
    /// # Errors
    /// [`crate::Error::NotJoined`].
    pub fn set_typing(
        &self,
        user: &UserId,
        room: &RoomId,
        timeout: Option<Duration>,
    ) -> Result<()> {
        let room = self.get_joined(user, room)?;
        self.put_typing(room.number, user, timeout);
        Ok(())
    }

    /// Another server says that a user of its own types, or no more. What nobody may say changes nothing.
    ///
    /// # Errors
    /// Storage's.
    pub fn hear_typing(
        &self,
        origin: &ServerName,
        user: &UserId,
        room: &RoomId,
        typing: bool,
    ) -> Result<()> {
        if let Some(room) = self.heard_in(origin, user, room)? {
            self.put_typing(room.number, user, typing.then_some(HEARD));
        }
        Ok(())
    }

    fn put_typing(&self, room: Position, user: &UserId, timeout: Option<Duration>) {
        match timeout {
            Some(timeout) => self.typing().start(room, user, timeout),
            None => self.typing().stop(room, user),
        }
    }
}

/// Waits for those who type in a room to run out of time, until none is left.
async fn expire(typing: Typing, room: Position, first: Instant) {
    let mut looks = Some(first);
    while let Some(at) = looks {
        tokio::time::sleep_until(at).await;
        looks = typing.sweep(room, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::user;

    const ROOM: Position = Position(1);

    #[tokio::test(start_paused = true)]
    async fn typing_ends_by_itself() {
        let (typing, alice) = (Typing::default(), user("alice"));
        typing.start(ROOM, &alice, Duration::from_secs(5));
        assert_eq!(typing.since(ROOM, 0), Some([alice.clone()].into()));
        let seen = typing.position();
        assert_eq!(typing.since(ROOM, seen), None);
        let mut watch = typing.watch();
        watch.wait_for(|at| *at > seen).await.unwrap();
        assert_eq!(typing.since(ROOM, seen), Some([].into()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_time_ends_before_a_longer_one_that_was_given_up() {
        let (typing, alice, bob) = (Typing::default(), user("alice"), user("bob"));
        typing.start(ROOM, &alice, Duration::from_secs(30));
        typing.stop(ROOM, &alice);
        typing.start(ROOM, &alice, Duration::from_secs(1));
        typing.start(ROOM, &bob, Duration::from_secs(5));
        for still in [vec![bob], vec![]] {
            let seen = typing.position();
            let changed = typing.watch().wait_for(|at| *at > seen).await.map(|at| *at);
            assert_eq!(changed.unwrap(), seen + 1);
            assert_eq!(typing.list(ROOM), still.into_iter().collect());
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(typing.position(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn typing_on_is_no_change_and_lasts_longer() {
        let (typing, alice) = (Typing::default(), user("alice"));
        typing.start(ROOM, &alice, Duration::from_secs(5));
        tokio::time::sleep(Duration::from_secs(4)).await;
        typing.start(ROOM, &alice, Duration::from_secs(5));
        assert_eq!(typing.position(), 1);
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(typing.list(ROOM).len(), 1);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(typing.list(ROOM).len(), 0);
        assert_eq!(typing.position(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_types_for_hours() {
        let (typing, alice) = (Typing::default(), user("alice"));
        typing.start(ROOM, &alice, Duration::from_secs(86_400));
        tokio::time::sleep(LONGEST + Duration::from_secs(1)).await;
        assert!(typing.list(ROOM).is_empty());
    }

    #[tokio::test]
    async fn stopping_is_told_once() {
        let (typing, alice) = (Typing::default(), user("alice"));
        typing.stop(ROOM, &alice);
        assert_eq!(typing.position(), 0);
        typing.start(ROOM, &alice, Duration::from_secs(5));
        typing.stop(ROOM, &alice);
        typing.stop(ROOM, &alice);
        assert_eq!(typing.position(), 2);
        assert_eq!(typing.changed_since(0), [ROOM]);
        assert_eq!(typing.changed_since(2), []);
    }
}
