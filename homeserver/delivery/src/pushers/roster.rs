//! Who has pushers, and which rooms these users are in.

use std::collections::{HashMap, HashSet};

use orvale_rooms::{Membership, Rooms};
use orvale_storage::Position;
use ruma::{OwnedUserId, UserId};

use crate::Result;

/// Users with pushers, by room.
#[derive(Debug, Default)]
pub(super) struct Roster {
    users: HashMap<OwnedUserId, HashSet<Position>>,
    rooms: HashMap<Position, HashSet<OwnedUserId>>,
}

impl Roster {
    /// Adds a user with pushers.
    pub(super) fn add(&mut self, rooms: &Rooms, user_id: OwnedUserId) -> Result<()> {
        if self.users.contains_key(&user_id) {
            return Ok(());
        }
        let memberships = rooms.list_memberships(&user_id)?.into_iter();
        let joined = memberships.filter(|(_, record)| record.membership == Membership::Join);
        let joined: HashSet<Position> = joined.map(|(room, _)| room).collect();
        for room in &joined {
            self.rooms.entry(*room).or_default().insert(user_id.clone());
        }
        self.users.insert(user_id, joined);
        Ok(())
    }

    /// A user has no pushers any more.
    pub(super) fn remove(&mut self, user_id: &UserId) {
        for room in self.users.remove(user_id).unwrap_or_default() {
            self.leave(room, user_id);
        }
    }

    /// A membership changed.
    pub(super) fn set_membership(
        &mut self,
        user_id: &UserId,
        room: Position,
        membership: Membership,
    ) {
        let Some(rooms) = self.users.get_mut(user_id) else {
            return;
        };
        if membership == Membership::Join {
            rooms.insert(room);
            self.rooms
                .entry(room)
                .or_default()
                .insert(user_id.to_owned());
        } else if rooms.remove(&room) {
            self.leave(room, user_id);
        }
    }

    fn leave(&mut self, room: Position, user_id: &UserId) {
        if let Some(users) = self.rooms.get_mut(&room) {
            users.remove(user_id);
            if users.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// Whether a user has pushers, as far as is known.
    pub(super) fn has(&self, user_id: &UserId) -> bool {
        self.users.contains_key(user_id)
    }

    /// Whether nobody has.
    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The users with pushers in a room.
    pub(super) fn in_room(&self, room: Position) -> impl Iterator<Item = &OwnedUserId> {
        self.rooms.get(&room).into_iter().flatten()
    }
}
