//! How much a user has not read in all rooms together.

use std::collections::{HashMap, HashSet};

use orvale_rooms::{Membership, Room, StoredEvent};
use orvale_storage::Position;
use parking_lot::Mutex;
use ruma::{OwnedUserId, UserId};

use crate::{Result, delivery::Inner, push::unread::Asking};

/// What is known of it, by user. Only for users who are told of it.
#[derive(Debug, Default)]
pub(crate) struct Badges(Mutex<HashMap<OwnedUserId, Badge>>);

#[derive(Debug, Default)]
struct Badge {
    rooms: HashMap<Position, u64>,
    /// Rooms in which it may have changed.
    stale: HashSet<Position>,
}

impl Badges {
    /// It may have changed in a room.
    pub(super) fn changed(&self, user_id: &UserId, room: Position) {
        // Who is not known is counted from the start anyway.
        if let Some(badge) = self.0.lock().get_mut(user_id) {
            badge.stale.insert(room);
        }
    }

    /// Forgets a user.
    pub(super) fn forget(&self, user_id: &UserId) {
        self.0.lock().remove(user_id);
    }
}

impl Inner {
    /// How much a user has not read in all rooms.
    ///
    /// # Errors
    /// Storage's.
    pub(super) fn badge(&self, user_id: &UserId) -> Result<u64> {
        let known = {
            let mut badges = self.pushers.badges.0.lock();
            let known = badges
                .get_mut(user_id)
                .map(|badge| badge.stale.drain().collect::<Vec<_>>());
            if known.is_none() {
                badges.insert(user_id.to_owned(), Badge::default());
            }
            known
        };
        let stale = match known {
            Some(stale) => stale,
            None => self
                .rooms
                .list_memberships(user_id)?
                .into_iter()
                .map(|(room, _)| room)
                .collect(),
        };
        for (n, room) in stale.iter().enumerate() {
            let counted = self.unread_in(user_id, *room);
            let mut badges = self.pushers.badges.0.lock();
            let badge = badges.entry(user_id.to_owned()).or_default();
            match counted {
                Ok(0) => _ = badge.rooms.remove(room),
                Ok(count) => _ = badge.rooms.insert(*room, count),
                Err(error) => {
                    badge.stale.extend(&stale[n..]);
                    return Err(error);
                }
            }
        }
        Ok(self
            .pushers
            .badges
            .0
            .lock()
            .get(user_id)
            .map_or(0, |badge| badge.rooms.values().sum()))
    }

    /// What a user has not read in a room.
    fn unread_in(&self, user_id: &UserId, room: Position) -> Result<u64> {
        let room = self.rooms.get_number(room)?;
        let counts = self.ask_unread(user_id, &room, |asking| self.unread.count(asking))?;
        Ok(counts.map_or(0, |counts| counts.total().notifications))
    }

    /// Whether an event notifies a user, who has not read it.
    pub(super) fn is_unread(&self, user_id: &UserId, event: &StoredEvent) -> Result<bool> {
        let room = self.rooms.get_number(event.room)?;
        let found = self.ask_unread(user_id, &room, |asking| {
            self.unread.has(asking, event.position)
        })?;
        Ok(found.unwrap_or_default())
    }

    fn ask_unread<T>(
        &self,
        user_id: &UserId,
        room: &Room,
        ask: impl FnOnce(&Asking<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let now = self.rooms.find_membership(room, user_id)?;
        let Some(now) = now.filter(|now| now.membership == Membership::Join) else {
            return Ok(None);
        };
        let asking = Asking {
            rooms: &self.rooms,
            users: &self.users,
            user_id,
            room,
            upto: self.rooms.store().visible(),
            receipts: self.rooms.last_receipt(room.number)?.unwrap_or_default(),
            now,
            recent: None,
        };
        ask(&asking).map(Some)
    }
}
