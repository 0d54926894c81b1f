//! A room's state and members, as far as a user may see them.

use std::sync::Arc;

use orvale_storage::trees::rooms::Membership;
use ruma::{
    OwnedRoomId, OwnedUserId, RoomId, UserId,
    events::{StateEventType, TimelineEventType, room::member::MembershipState},
};

use crate::{
    Rooms, Viewer,
    access::Reading,
    append::membership,
    error::{Error, Result},
    event::StoredEvent,
    pages::Shown,
    state::StateId,
    timeline::Order,
};

/// Which members of a room are wanted.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// As of which place in the timeline; `None` for now.
    pub at: Option<Order>,
    /// Only those of this membership.
    pub membership: Option<MembershipState>,
    /// Only those not of this membership.
    pub not_membership: Option<MembershipState>,
}

impl Members {
    fn wants(&self, membership: Option<Membership>) -> bool {
        let is = |state: &MembershipState| membership.is_some_and(|m| m.as_str() == state.as_str());
        self.membership.as_ref().is_none_or(is) && !self.not_membership.as_ref().is_some_and(is)
    }
}

impl Rooms {
    /// The state event of this type and key, as the user may see it: now, or as they left.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::NoSuchState`].
    pub fn get_state<'a>(
        &'a self,
        user: &'a UserId,
        room: &RoomId,
        kind: &StateEventType,
        state_key: &str,
    ) -> Result<Shown<'a>> {
        let reading = self.read(user, room)?;
        let found = match self.state_of(&reading)? {
            Some(state) => self.find_state_at(state, kind, state_key)?,
            None => self.find_state(&reading.room, kind, state_key)?,
        };
        let event = found.ok_or(Error::NoSuchState)?;
        let reader = Viewer::new(self, user, reading.now).reader(&event)?;
        Ok(Shown { event, reader })
    }

    /// The whole state of a room, as the user may see it: now, or as they left.
    ///
    /// # Errors
    /// [`Error::NotJoined`].
    pub fn list_visible_state<'a>(
        &'a self,
        user: &'a UserId,
        room: &RoomId,
    ) -> Result<Vec<Shown<'a>>> {
        let reading = self.read(user, room)?;
        let events = match self.state_of(&reading)? {
            Some(state) => self.list_state_at(state)?,
            None => self.list_state(&reading.room)?,
        };
        self.shown(user, &reading, events)
    }

    /// The member events of a room.
    ///
    /// # Errors
    /// [`Error::NotJoined`].
    pub fn list_members<'a>(
        &'a self,
        user: &'a UserId,
        room: &RoomId,
        wanted: &Members,
    ) -> Result<Vec<Shown<'a>>> {
        let reading = self.read(user, room)?;
        let state = match wanted.at {
            Some(at) => Some(self.state_after(&reading, at)?),
            None => self.state_of(&reading)?,
        };
        let events = match state {
            Some(state) => {
                let is_member = |event: &Arc<StoredEvent>| {
                    event.pdu.kind == TimelineEventType::RoomMember
                        && wanted.wants(membership(&event.pdu))
                };
                self.list_state_at(state)?
                    .into_iter()
                    .filter(is_member)
                    .collect()
            }
            None => {
                let members = self.list_state_keys(&reading.room, &StateEventType::RoomMember)?;
                let wanted = members
                    .into_iter()
                    .filter(|(_, record)| wanted.wants(record.membership));
                wanted
                    .map(|(_, record)| self.event(record.event))
                    .collect::<Result<_>>()?
            }
        };
        self.shown(user, &reading, events)
    }

    /// The room's state at a place of its timeline, but no later than the user may see.
    fn state_after(&self, reading: &Reading, at: Order) -> Result<StateId> {
        let at = reading.until.map_or(at, |until| at.min(Order::live(until)));
        let last = self.list_backwards(&reading.room, at, Order::START, 1)?;
        Ok(last
            .first()
            .map_or(StateId::EMPTY, |(_, event)| event.room_after()))
    }

    /// The members who are joined, with their member events. Only for those who are joined themselves.
    ///
    /// # Errors
    /// [`Error::NotJoined`].
    pub fn list_joined_members(
        &self,
        user: &UserId,
        room: &RoomId,
    ) -> Result<Vec<(OwnedUserId, Arc<StoredEvent>)>> {
        let room = self.get_joined(user, room)?;
        let members = self.list_state_keys(&room, &StateEventType::RoomMember)?;
        let joined = members
            .into_iter()
            .filter(|(_, r)| r.membership == Some(Membership::Join));
        let named =
            joined.filter_map(|(id, record)| Some((OwnedUserId::try_from(id).ok()?, record.event)));
        named.map(|(id, at)| Ok((id, self.event(at)?))).collect()
    }

    /// The rooms that a user is joined to.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_joined_rooms(&self, user: &UserId) -> Result<Vec<OwnedRoomId>> {
        let memberships = self.list_memberships(user)?.into_iter();
        let joined = memberships.filter(|(_, record)| record.membership == Membership::Join);
        joined
            .map(|(room, _)| Ok(self.get_number(room)?.id.clone()))
            .collect()
    }

    fn shown<'a>(
        &'a self,
        user: &'a UserId,
        reading: &Reading,
        events: Vec<Arc<StoredEvent>>,
    ) -> Result<Vec<Shown<'a>>> {
        let mut viewer = Viewer::new(self, user, reading.now);
        events
            .into_iter()
            .map(|event| {
                Ok(Shown {
                    reader: viewer.reader(&event)?,
                    event,
                })
            })
            .collect()
    }
}
