//! The section of a room that the user is invited to, or knocks at.

use orvale_rooms::{InviteVerdict, Membership};

use super::{
    answer::Writer,
    json::{List, Object},
};
use crate::{Result, follow::Standing};

impl Writer<'_> {
    /// Writes the section of a room that the user is invited to, or knocks at.
    pub(super) fn invited(&self, standing: &Standing, out: &mut Vec<u8>) -> Result<bool> {
        if self.since.is_some_and(|since| standing.since <= since) && !self.asked.full_state {
            return Ok(false);
        }
        let member = self.inner.rooms.event(standing.event)?;
        let is_invite = standing.membership == Membership::Invite;
        let rooms = &self.inner.rooms;
        if is_invite
            && rooms.invite_verdict(&self.asked.user_id, &member.pdu.sender)?
                != InviteVerdict::Allow
        {
            return Ok(false);
        }
        let mut events = List::default();
        for event in self.inner.rooms.stripped_state(&member)? {
            events.next().extend_from_slice(event.get().as_bytes());
        }
        let mut object = Object::open(out);
        object.events(
            if is_invite {
                "invite_state"
            } else {
                "knock_state"
            },
            events,
        );
        object.close();
        Ok(true)
    }
}
