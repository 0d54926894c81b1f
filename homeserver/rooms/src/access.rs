//! Which rooms a user may look into.

use std::sync::Arc;

use orvale_storage::{
    Position,
    trees::rooms::{Membership, MembershipRecord},
};
use ruma::{
    RoomId, UserId,
    events::{StateEventType, room::history_visibility::HistoryVisibility},
};

use crate::{
    Room, Rooms, StoredEvent,
    append::membership,
    error::{Error, Result},
    state::StateId,
};

/// A room that a user may look into.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The room.
    pub room: Arc<Room>,
    /// How the user stands in it; `None` for a stranger.
    pub now: Option<MembershipRecord>,
    /// The event by which the user left: what came after is not theirs to see.
    pub until: Option<Position>,
}

impl Rooms {
    /// The room of this ID, for a user who is in it, was in it, or may look in from outside.
    ///
    /// # Errors
    /// [`Error::NotJoined`] else, whether or not there is such a room.
    pub fn read(&self, user: &UserId, id: &RoomId) -> Result<Reading> {
        let room = self.find(id)?.ok_or(Error::NotJoined)?;
        let now = self.find_membership(&room, user)?;
        if let Some(now) = now.filter(|now| now.membership == Membership::Join) {
            return Ok(Reading {
                room,
                now: Some(now),
                until: None,
            });
        }
        if self.is_world_readable(&room)? {
            return Ok(Reading {
                room,
                now,
                until: None,
            });
        }
        match now {
            Some(left) if left.was_joined && !left.forgotten => Ok(Reading {
                room,
                now,
                until: Some(self.left_at(&left)?),
            }),
            _ => Err(Error::NotJoined),
        }
    }

    /// The event by which a user who was joined left: the last one that ended a join. Being invited or banned afterwards shows
    /// nothing more.
    ///
    /// # Errors
    /// Storage's.
    pub fn left_at(&self, record: &MembershipRecord) -> Result<Position> {
        let mut event = self.event(record.event)?;
        while let Some(before) = self.member_before(&event)? {
            if membership(&before.pdu) == Some(Membership::Join) {
                break;
            }
            event = before;
        }
        Ok(event.position)
    }

    /// The member event that a member event replaced.
    pub(crate) fn member_before(&self, member: &StoredEvent) -> Result<Option<Arc<StoredEvent>>> {
        let user = member.pdu.state_key.as_deref().unwrap_or_default();
        self.find_state_at(member.state_before(), &StateEventType::RoomMember, user)
    }

    /// Whether a user is joined.
    ///
    /// # Errors
    /// Storage's.
    pub fn is_joined(&self, user: &UserId, room: &Room) -> Result<bool> {
        let now = self.find_membership(room, user)?;
        Ok(now.is_some_and(|now| now.membership == Membership::Join))
    }

    /// Refuses users who are not joined.
    ///
    /// # Errors
    /// [`Error::NotJoined`].
    pub fn must_be_joined(&self, user: &UserId, room: &Room) -> Result<()> {
        if self.is_joined(user, room)? {
            Ok(())
        } else {
            Err(Error::NotJoined)
        }
    }

    /// The room of this ID, for a user who is joined.
    ///
    /// # Errors
    /// [`Error::NotJoined`] else, whether or not there is such a room.
    pub fn get_joined(&self, user: &UserId, id: &RoomId) -> Result<Arc<Room>> {
        let room = self.find(id)?.ok_or(Error::NotJoined)?;
        self.must_be_joined(user, &room)?;
        Ok(room)
    }

    /// Whether everybody may read the room's history.
    ///
    /// # Errors
    /// Storage's.
    pub fn is_world_readable(&self, room: &Room) -> Result<bool> {
        let event = self.find_state(room, &StateEventType::RoomHistoryVisibility, "")?;
        let visibility = event.and_then(|e| {
            e.pdu
                .content_field::<HistoryVisibility>("history_visibility")
        });
        Ok(visibility == Some(HistoryVisibility::WorldReadable))
    }

    /// The state that a user may see as the room's: the current one (`None`), or that of when they left.
    pub(crate) fn state_of(&self, reading: &Reading) -> Result<Option<StateId>> {
        reading
            .until
            .map(|at| Ok(self.event(at)?.room_after()))
            .transpose()
    }
}
