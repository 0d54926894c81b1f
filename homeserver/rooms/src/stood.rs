//! Moving a room's head by something that may fail halfway: where the store refuses a read, the head shall not be left ahead of what is
//! stored.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

use orvale_storage::{Position, trees::rooms::RedactedRecord};
use ruma::OwnedEventId;

use crate::{error::Result, room::Head, state::StateId};

/// What a head has of some things, each with the position from which on the store can be asked instead. What was there before can be
/// put back.
#[derive(Debug)]
pub(crate) struct Remembered<K, V> {
    now: HashMap<K, (Position, V)>,
    /// While a head is being moved: what changes took the place of, the last at the end.
    changes: Option<Vec<Change<K, V>>>,
}

/// What a change took the place of.
type Change<K, V> = (K, Option<(Position, V)>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self {
            now: HashMap::new(),
            changes: None,
        }
    }
}

impl<K: Clone + Eq + Hash, V> Remembered<K, V> {
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&(Position, V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.now.get(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.now.len()
    }

    /// Adds what was looked up: it is so whatever comes of what is tried.
    pub(crate) fn note(&mut self, key: K, value: V) {
        self.now.insert(key, (Position::START, value));
    }

    /// What is so once the batch at a position is applied.
    pub(crate) fn set(&mut self, key: K, at: Position, value: V) {
        let Some(changes) = &mut self.changes else {
            self.now.insert(key, (at, value));
            return;
        };
        let before = self.now.insert(key.clone(), (at, value));
        changes.push((key, before));
    }

    pub(crate) fn clear(&mut self) {
        let gone = self.now.drain();
        if let Some(changes) = &mut self.changes {
            changes.extend(gone.map(|(key, before)| (key, Some(before))));
        }
    }

    /// Lets go of what the store can answer by now.
    pub(crate) fn forget(&mut self, visible: Position) {
        self.now.retain(|_, (at, _)| *at > visible);
    }

    fn keep_before(&mut self) {
        self.changes = Some(Vec::new());
    }

    fn settle(&mut self) {
        self.changes = None;
    }

    fn put_back(&mut self) {
        for (key, before) in self.changes.take().into_iter().flatten().rev() {
            match before {
                Some(before) => self.now.insert(key, before),
                None => self.now.remove(&key),
            };
        }
    }
}

/// Moves a head, or leaves it where it stood if that fails. What it is moved by happens at a position, or after it.
pub(crate) fn moved<T>(
    head: &mut Head,
    from: Position,
    by: impl FnOnce(&mut Head) -> Result<T>,
) -> Result<T> {
    let stood = Stood::of(head);
    head.known.keep_before();
    head.memberships.keep_before();
    let done = by(head);
    match &done {
        Ok(_) => {
            head.known.settle();
            head.memberships.settle();
        }
        Err(_) => stood.put_back(head, from),
    }
    done
}

/// Where a room stood.
struct Stood {
    extremities: Vec<OwnedEventId>,
    depth: u64,
    state: StateId,
    latest: Position,
    joined: u64,
    invited: u64,
    is_partial: bool,
    redacted: Vec<(Position, Position, RedactedRecord)>,
}

impl Stood {
    fn of(head: &Head) -> Self {
        Self {
            extremities: head.extremities.clone(),
            depth: head.depth,
            state: head.state,
            latest: head.latest,
            joined: head.joined,
            invited: head.invited,
            is_partial: head.is_partial,
            redacted: head.redacted.clone(),
        }
    }

    /// Lets the room stand there again. What was to be at a position or after it comes to nothing.
    fn put_back(self, head: &mut Head, from: Position) {
        head.extremities = self.extremities;
        (head.depth, head.state, head.latest) = (self.depth, self.state, self.latest);
        (head.joined, head.invited) = (self.joined, self.invited);
        (head.is_partial, head.redacted) = (self.is_partial, self.redacted);
        head.known.put_back();
        head.memberships.put_back();
        head.transactions.retain(|_, (at, _)| *at < from);
        head.relations.retain(|(at, ..)| *at < from);
        head.redactions.retain(|(at, ..)| *at < from);
        head.gaps.retain(|(at, _)| *at < from);
        head.mended.take_if(|mended| mended.at >= from);
        head.flight.take_back(from);
    }
}

#[cfg(test)]
mod tests {
    use orvale_storage::{
        Batch, Tree,
        trees::rooms::{HEADS, MEMBERSHIPS},
    };
    use ruma::{RoomVersionId, UserId};

    use super::*;
    use crate::{
        Accepted, Room, Rooms,
        foreign::tests::{come_in, entrance, named, person, sent, well},
        testing::{member, server, text},
    };

    /// The memberships, as what cannot be read as one.
    const MALFORMED: Tree<(String, Position), ()> = Tree::new(0x0107, "memberships");

    /// Does something while the membership of a user cannot be read.
    async fn unreadable<T>(
        rooms: &Rooms,
        room: &Room,
        user: &UserId,
        what: impl AsyncFnOnce() -> T,
    ) -> T {
        let record = rooms.find_membership(room, user).unwrap().unwrap();
        let mut batch = Batch::new();
        batch.put(&MALFORMED, (user, room.number), &());
        rooms.store().commit(batch).await.unwrap();
        let done = what().await;
        let mut batch = Batch::new();
        batch.put(&MEMBERSHIPS, (user, room.number), &record);
        rooms.store().commit(batch).await.unwrap();
        done
    }

    /// Whether the head in memory is the one in the store.
    fn is_as_stored(rooms: &Rooms, room: &Room) -> bool {
        let stored = rooms.store().get(&HEADS, (room.number,)).unwrap();
        stored == Some(room.lock().record())
    }

    #[tokio::test]
    async fn an_event_that_cannot_be_taken_for_now_leaves_the_room_as_it_was() {
        let (a, b) = (server("a.test"), server("b.test"));
        let (alice, bob, carol) = (person("alice", &a), person("bob", &b), person("carol", &a));
        let here = a.public_room(RoomVersionId::V11).await;
        a.did(&here, member(&carol, &carol, "join")).await.unwrap();
        let there = come_in(&a, &b, &here, &bob).await;
        let hello = a.did(&here, text(&alice, "hello")).await.unwrap();
        let left = a.did(&here, member(&carol, &carol, "leave")).await.unwrap();
        let both = [sent(&hello), sent(&left)];
        let taken = unreadable(&b, &there, &carol, async || {
            let (accepted, pending) = b.begin(&there, &both).await.unwrap();
            pending.unwrap().await.unwrap();
            assert!(b.accept(&there, sent(&left)).await.is_err());
            accepted
        });
        assert_eq!(taken.await, [Accepted::Live]);
        assert!(is_as_stored(&b, &there));
        well(&b);
        let taken = b.accept(&there, sent(&left)).await.unwrap();
        assert_eq!(taken, Accepted::Live);
        assert_eq!(named(&a, &here), named(&b, &there));
        well(&b);
    }

    #[tokio::test]
    async fn whoever_cannot_come_back_for_now_leaves_the_room_as_it_was() {
        let (a, b) = (server("a.test"), server("b.test"));
        let (alice, bob) = (person("alice", &a), person("bob", &b));
        let here = a.public_room(RoomVersionId::V11).await;
        let there = come_in(&a, &b, &here, &bob).await;
        let left = b.did(&there, member(&bob, &bob, "leave")).await.unwrap();
        a.accept(&here, sent(&left)).await.unwrap();
        a.did(&here, text(&alice, "hello")).await.unwrap();
        let again = entrance(&a, &b, &here, &bob).await;
        let failed = unreadable(&b, &there, &bob, async || b.enter(&there, again).await);
        assert!(failed.await.is_err());
        assert!(is_as_stored(&b, &there));
        well(&b);
        come_in(&a, &b, &here, &bob).await;
        assert_eq!(named(&a, &here), named(&b, &there));
        well(&b);
    }

    #[tokio::test]
    async fn an_event_that_cannot_be_made_for_now_leaves_the_room_as_it_was() {
        let a = server("a.test");
        let (alice, carol) = (person("alice", &a), person("carol", &a));
        let room = a.public_room(RoomVersionId::V11).await;
        a.did(&room, member(&carol, &carol, "join")).await.unwrap();
        let kick = || member(&alice, &carol, "leave");
        let failed = unreadable(&a, &room, &carol, async || a.did(&room, kick()).await);
        assert!(failed.await.is_err());
        assert!(is_as_stored(&a, &room));
        a.did(&room, text(&alice, "still here, Carol?"))
            .await
            .unwrap();
        a.did(&room, kick()).await.unwrap();
        assert_eq!(a.count_joined(room.number).unwrap(), 1);
        well(&a);
    }

    #[test]
    fn what_was_set_is_put_back_and_what_was_looked_up_stays() {
        let mut remembered = Remembered::default();
        remembered.set("a", Position(1), 1);
        remembered.set("b", Position(2), 2);
        remembered.keep_before();
        remembered.set("a", Position(3), 3);
        remembered.set("a", Position(4), 4);
        remembered.set("c", Position(4), 4);
        remembered.note("d", 5);
        remembered.clear();
        remembered.set("b", Position(5), 6);
        remembered.put_back();
        let mut now: Vec<_> = remembered.now.into_iter().collect();
        now.sort_unstable();
        let looked_up = ("d", (Position::START, 5));
        assert_eq!(
            now,
            [("a", (Position(1), 1)), ("b", (Position(2), 2)), looked_up]
        );
    }
}
