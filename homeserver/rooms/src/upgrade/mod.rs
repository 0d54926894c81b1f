//! Upgrading a room: a new one takes its place.
//!
//! `successor.rs` says what the new one starts with, `hand_over.rs` what the old one hands over.

mod hand_over;
mod successor;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ruma::{OwnedRoomId, OwnedUserId, RoomVersionId, UserId, events::StateEventType};
use serde_json::json;

use crate::{
    Room, Rooms,
    error::{Error, Result},
    json::state,
    moderate::forbidden,
};

impl Rooms {
    /// Makes a new room of another version in the place of one, which is closed.
    ///
    /// # Errors
    /// [`Error::UnsupportedRoomVersion`], [`Error::NotJoined`], [`Error::Forbidden`] for who may not close the room.
    pub async fn upgrade(
        &self,
        user: &UserId,
        old: &Arc<Room>,
        version: RoomVersionId,
        additional_creators: &[OwnedUserId],
    ) -> Result<Arc<Room>> {
        let rules = orvale_events::rules(&version)
            .map_err(|_| Error::UnsupportedRoomVersion(version.to_string()))?;
        self.must_be_joined(user, old)?;
        if !self
            .power_levels(old)?
            .user_can_send_state(user, StateEventType::RoomTombstone)
        {
            return Err(forbidden("you may not close this room"));
        }
        let closed = self.find_state(old, &StateEventType::RoomTombstone, "")?;
        let successor = closed
            .as_ref()
            .and_then(|event| event.pdu.content_field::<OwnedRoomId>("replacement_room"));
        if let Some(successor) = successor.map(|id| self.find(&id)).transpose()?.flatten()
            && self.count_joined(successor.number)? > 0
        {
            return Err(Error::Forbidden(format!(
                "{} has taken the place of this room",
                successor.id
            )));
        }
        let drafts = self.successor_events(
            user,
            old,
            &version,
            &rules.authorization,
            additional_creators,
        )?;
        let is_published = self.is_published(old)?;
        let new = self
            .make_room(user, version, drafts, None, is_published, |_, _| {})
            .await?;

        let closed = closed.map(|event| event.event_id().to_owned());
        let tombstone = json!({"body": "This room has been replaced", "replacement_room": new.id});
        self.append(old, |view| {
            let now = view
                .state(&StateEventType::RoomTombstone, "")?
                .map(|event| event.event_id.clone());
            if now != closed {
                return Err(forbidden("somebody else has just upgraded this room"));
            }
            Ok(vec![state(user, StateEventType::RoomTombstone, &tombstone)])
        })
        .await?;
        self.move_aliases(old, &new).await?;
        self.take_place_in_spaces(user, old, &new).await?;
        self.still(user, old).await?;
        self.carry_over(user, &new).await;
        tracing::info!(old = %old.id, new = %new.id, "room upgraded");
        Ok(new)
    }
}
