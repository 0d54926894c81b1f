//! Which members a client has, where it loads them lazily.
//!
//! A connection is a device with a filter. A client that comes with a token has what it was sent up to there and nothing
//! of what came after: an answer that got lost told it nothing, and what was in it may not be in the next one. What is
//! forgotten here is sent again, which the specification allows.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use orvale_storage::Position;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{DeviceId, UserId};

/// How many members are remembered for one connection.
const KEPT: usize = 20_000;

/// What all connections were sent.
pub(crate) struct LazyMembers {
    connections: Cache<u64, Arc<Mutex<Members>>>,
    hasher: RandomState,
}

/// Room and user → the position of the answer that told the member first.
#[derive(Debug, Default)]
struct Members {
    sent: HashMap<(Position, u64), Position>,
    latest: Position,
}

/// What one connection was sent.
pub(crate) struct Connection<'a> {
    members: Arc<Mutex<Members>>,
    hasher: &'a RandomState,
}

impl LazyMembers {
    /// Remembers so many connections.
    pub(crate) fn new(connections: usize) -> Self {
        Self {
            connections: Cache::new(connections),
            hasher: RandomState::new(),
        }
    }

    /// A connection whose client is at `since`.
    pub(crate) fn connection(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        filter: u64,
        since: Option<Position>,
    ) -> Connection<'_> {
        let key = self.hasher.hash_one((user_id, device_id, filter));
        let members = match self.connections.get(&key) {
            Some(members) => members,
            None => {
                let members = Arc::<Mutex<Members>>::default();
                self.connections.insert(key, members.clone());
                members
            }
        };
        {
            let mut members = members.lock();
            match since {
                Some(since) if members.latest <= since => {}
                Some(since) => {
                    members.sent.retain(|_, at| *at <= since);
                    members.latest = since;
                }
                None => *members = Members::default(),
            }
        }
        Connection {
            members,
            hasher: &self.hasher,
        }
    }
}

impl Connection<'_> {
    /// Whether the client has a member of a room.
    pub(crate) fn has(&self, room: Position, user_id: &UserId) -> bool {
        self.members
            .lock()
            .sent
            .contains_key(&(room, self.hasher.hash_one(user_id)))
    }

    /// Notes members that an answer up to `upto` tells.
    pub(crate) fn send<'a>(
        &self,
        room: Position,
        told: impl IntoIterator<Item = &'a UserId>,
        upto: Position,
    ) {
        let mut members = self.members.lock();
        if members.sent.len() > KEPT {
            members.sent.clear();
        }
        members.latest = upto.max(members.latest);
        for user_id in told {
            members
                .sent
                .entry((room, self.hasher.hash_one(user_id)))
                .or_insert(upto);
        }
    }
}

#[cfg(test)]
mod tests {
    use ruma::{device_id, user_id};

    use super::*;

    #[test]
    fn what_a_lost_answer_told_counts_as_not_told() {
        let members = LazyMembers::new(10);
        let (alice, room, bob) = (
            user_id!("@alice:orvale.test"),
            Position(1),
            user_id!("@bob:orvale.test"),
        );
        let at = |since: u64| members.connection(alice, device_id!("A"), 0, Some(Position(since)));
        at(10).send(room, [bob], Position(20));
        // The same request again: the client never saw the answer of position 20, and this one may not tell bob.
        assert!(!at(10).has(room, bob));
        assert!(!at(30).has(room, bob));
        at(30).send(room, [bob], Position(40));
        assert!(at(40).has(room, bob));
        // Told once more while known, in an answer that gets lost: still known.
        at(40).send(room, [bob], Position(50));
        assert!(at(40).has(room, bob));
        assert!(!at(40).has(Position(2), bob));
        // A client that starts over has nothing.
        assert!(
            !members
                .connection(alice, device_id!("A"), 0, None)
                .has(room, bob)
        );
        assert!(!at(60).has(room, bob));
    }

    #[test]
    fn connections_are_told_apart_by_device_and_filter() {
        let members = LazyMembers::new(10);
        let (alice, bob) = (user_id!("@alice:orvale.test"), user_id!("@bob:orvale.test"));
        let at = Some(Position(9));
        members
            .connection(alice, device_id!("A"), 0, None)
            .send(Position(1), [bob], Position(5));
        for (device, filter) in [(device_id!("B"), 0), (device_id!("A"), 1)] {
            assert!(
                !members
                    .connection(alice, device, filter, at)
                    .has(Position(1), bob)
            );
        }
        assert!(
            members
                .connection(alice, device_id!("A"), 0, at)
                .has(Position(1), bob)
        );
    }
}
