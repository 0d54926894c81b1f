//! Who may see which event: the history visibility at the event, and the reader's membership then and since.

use orvale_storage::trees::rooms::{Membership, MembershipRecord};
use ruma::{
    EventId, UserId,
    events::{StateEventType, room::history_visibility::HistoryVisibility},
};

use crate::{
    Rooms,
    append::membership,
    error::{Error, Result},
    event::StoredEvent,
    room::Room,
    state::StateId,
};

impl Rooms {
    /// Whether a user may see an event.
    ///
    /// # Errors
    /// Storage's.
    pub fn may_see(&self, user: &UserId, event: &StoredEvent) -> Result<bool> {
        let room = self.get_number(event.room)?;
        let now = self.find_membership(&room, user)?;
        self.may_see_as(user, now.as_ref(), &room, event)
    }

    /// As [`Rooms::may_see`], the user's membership now being known (for many events of one room).
    ///
    /// # Errors
    /// Storage's.
    pub fn may_see_as(
        &self,
        user: &UserId,
        now: Option<&MembershipRecord>,
        room: &Room,
        event: &StoredEvent,
    ) -> Result<bool> {
        if now.is_some_and(|now| now.membership == Membership::Join && event.position >= now.event)
        {
            return Ok(true);
        }
        if self.state_shows(user, now, event, event.state_before())? {
            return Ok(true);
        }
        // Who came or left, or opened or closed the history, sees the event that did it.
        let changes_visibility = event.pdu.kind == "m.room.history_visibility".into()
            || event.pdu.state_key.as_deref() == Some(user.as_str())
                && event.pdu.kind == "m.room.member".into();
        debug_assert_eq!(room.number, event.room);
        Ok(changes_visibility && self.state_shows(user, now, event, event.state_after())?)
    }

    fn state_shows(
        &self,
        user: &UserId,
        now: Option<&MembershipRecord>,
        event: &StoredEvent,
        state: StateId,
    ) -> Result<bool> {
        let visibility = self.find_state_at(state, &StateEventType::RoomHistoryVisibility, "")?;
        let visibility = visibility
            .and_then(|event| {
                event
                    .pdu
                    .content_field::<HistoryVisibility>("history_visibility")
            })
            .unwrap_or(HistoryVisibility::Shared);
        if visibility == HistoryVisibility::WorldReadable {
            return Ok(true);
        }
        let then = self
            .find_state_at(state, &StateEventType::RoomMember, user.as_str())?
            .and_then(|e| membership(&e.pdu));
        Ok(match (visibility, then) {
            (_, Some(Membership::Join))
            | (HistoryVisibility::Invited, Some(Membership::Invite)) => true,
            (HistoryVisibility::Shared, _) => self.joined_after(now, event)?,
            _ => false,
        })
    }

    /// Whether a user was joined at any time after an event.
    fn joined_after(&self, now: Option<&MembershipRecord>, event: &StoredEvent) -> Result<bool> {
        let Some(now) = now.filter(|now| now.was_joined) else {
            return Ok(false);
        };
        let mut at = Some(self.event(now.event)?);
        while let Some(member) = at.filter(|member| member.position > event.position) {
            if membership(&member.pdu) == Some(Membership::Join) {
                return Ok(true);
            }
            at = match StoredEvent::replaces(&member.record) {
                Some(id) => self.find_event(id)?,
                None => None,
            };
        }
        Ok(false)
    }

    /// The event of this ID if it is in this room and the user may see it.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] else: whether it exists is not told.
    pub fn visible_event(
        &self,
        user: &UserId,
        room: &Room,
        id: &EventId,
    ) -> Result<std::sync::Arc<StoredEvent>> {
        let event = self
            .find_event(id)?
            .filter(|event| event.room == room.number && event.is_shown());
        match event {
            Some(event) if self.may_see(user, &event)? => Ok(event),
            _ => Err(Error::UnknownEvent(id.to_owned())),
        }
    }
}
