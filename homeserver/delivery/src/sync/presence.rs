//! The presence of those whom the user shares a room with.

use std::collections::HashSet;

use orvale_rooms::Membership;
use ruma::{UserId, events::presence::PresenceEventContent};

use super::{answer::Writer, json::List};
use crate::Result;

/// How many changes of presence one answer looks at.
const LOOKS: usize = 10_000;

impl Writer<'_> {
    /// Whose presence changed, of those whom the user shares a room with, and the user.
    pub(super) fn presence(&self) -> Result<List> {
        let mut events = List::default();
        let filter = &self.asked.filter.presence;
        let hub = self.inner.users.presence();
        if filter.takes_nothing() || !filter.takes_type("m.presence") || !hub.is_enabled() {
            return Ok(events);
        }
        let since = self.asked.since.as_ref().map_or(0, |since| since.presence);
        for (at, user_id) in hub.changes_since(since, LOOKS) {
            if at > self.news.reached.presence && self.since.is_some() {
                break;
            }
            if !filter.takes_sender(&user_id)
                || self.ignored.contains(&user_id)
                || !self.shares_room(&user_id)?
            {
                continue;
            }
            let presence = hub.get(&user_id)?;
            // Who never was there is not worth a word to a client that starts.
            if self.since.is_none()
                && presence.last_active_ago.is_none()
                && presence.status_msg.is_none()
            {
                continue;
            }
            let mut content = PresenceEventContent::new(presence.presence);
            content.status_msg = presence.status_msg;
            content.last_active_ago = presence.last_active_ago.map(ruma::UInt::new_saturating);
            content.currently_active = Some(presence.currently_active);
            let event =
                serde_json::json!({ "content": content, "sender": user_id, "type": "m.presence" });
            events
                .next()
                .extend_from_slice(event.to_string().as_bytes());
        }
        Ok(events)
    }

    /// Whether the user is in a room with somebody, or is somebody.
    pub(super) fn shares_room(&self, other: &UserId) -> Result<bool> {
        if other == self.asked.user_id {
            return Ok(true);
        }
        let followed = self.inner.follow.read();
        let Some(own) = followed.session(&self.asked.user_id) else {
            return Ok(false);
        };
        if let Some(theirs) = followed.session(other) {
            let (few, many) = if own.rooms.len() < theirs.rooms.len() {
                (own, theirs)
            } else {
                (theirs, own)
            };
            return Ok(few.joined().any(|room| many.is_joined(room)));
        }
        let own: HashSet<_> = own.joined().collect();
        drop(followed);
        let theirs = self.inner.rooms.list_memberships(other)?;
        Ok(theirs
            .iter()
            .any(|(room, record)| record.membership == Membership::Join && own.contains(room)))
    }
}
