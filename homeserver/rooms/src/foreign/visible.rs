//! What servers may see of a room's history: what some user of theirs may.

use orvale_storage::trees::rooms::Membership;
use ruma::{
    ServerName, UserId,
    events::{StateEventType, TimelineEventType, room::history_visibility::HistoryVisibility},
};

use crate::{Rooms, StateId, StoredEvent, append::membership, error::Result};

impl Rooms {
    /// Whether a server that is in the room may see an event of it.
    ///
    /// # Errors
    /// Storage's.
    pub fn server_sees(&self, server: &ServerName, event: &StoredEvent) -> Result<bool> {
        // State is what the room is made of: every server needs it, and its own members' above all.
        if event.pdu.state_key.is_some() || event.pdu.sender.server_name() == server {
            return Ok(true);
        }
        // Where it stands is not known, and so neither is who was there.
        if !event.has_state() {
            return Ok(false);
        }
        // Who came or left sees the event that did it; so do their servers.
        self.state_shows_server(server, event, event.state_before())
    }

    fn state_shows_server(
        &self,
        server: &ServerName,
        event: &StoredEvent,
        state: StateId,
    ) -> Result<bool> {
        let found = self.find_state_at(state, &StateEventType::RoomHistoryVisibility, "")?;
        let visibility = found
            .and_then(|event| {
                event
                    .pdu
                    .content_field::<HistoryVisibility>("history_visibility")
            })
            .unwrap_or(HistoryVisibility::Shared);
        let is_open = matches!(
            visibility,
            HistoryVisibility::WorldReadable | HistoryVisibility::Shared
        );
        if is_open {
            return Ok(true);
        }
        let room = self.get_number(event.room)?;
        if self.servers_at(&room, state)?.contains_key(server) {
            return Ok(true);
        }
        if visibility != HistoryVisibility::Invited {
            return Ok(false);
        }
        let is_invited = |member: &StoredEvent| {
            let user = member.pdu.state_key.as_deref().map(<&UserId>::try_from);
            member.pdu.kind == TimelineEventType::RoomMember
                && membership(&member.pdu) == Some(Membership::Invite)
                && user.is_some_and(|user| user.is_ok_and(|user| user.server_name() == server))
        };
        let state = self.list_state_at(state)?;
        Ok(state.iter().any(|member| is_invited(member)))
    }
}
