//! The summary of a room: by whom it can be called, how many are in it.

use orvale_rooms::Room;
use ruma::OwnedUserId;

use super::{answer::Writer, timeline::Timeline};
use crate::Result;

impl Writer<'_> {
    /// The summary as JSON, if it may have changed, and the members in it.
    pub(super) fn summary(
        &self,
        room: &Room,
        timeline: &Timeline,
        full: bool,
    ) -> Result<(Option<String>, Vec<OwnedUserId>)> {
        let is_about = |kind: &str| {
            matches!(
                kind,
                "m.room.member" | "m.room.name" | "m.room.canonical_alias"
            )
        };
        let changed = full
            || timeline.known != timeline.end && {
                let changes = self
                    .inner
                    .rooms
                    .list_state_changes(timeline.known, timeline.end)?;
                changes
                    .iter()
                    .any(|event| is_about(&event.pdu.kind.to_string()))
            };
        if !changed {
            return Ok((None, Vec::new()));
        }
        let summary = self.inner.rooms.summary(room, &self.asked.user_id)?;
        let mut json = serde_json::json!({
            "m.joined_member_count": summary.joined,
            "m.invited_member_count": summary.invited,
        });
        let heroes = summary.heroes.unwrap_or_default();
        if !heroes.is_empty() {
            json["m.heroes"] = serde_json::json!(heroes);
        }
        Ok((Some(json.to_string()), heroes))
    }
}
