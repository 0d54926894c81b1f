//! Our users knock on rooms through other servers.

use std::sync::Arc;

use orvale_events::SUPPORTED_ROOM_VERSIONS;
use ruma::{
    OwnedServerName, RoomId, ServerName, UserId,
    api::federation::membership::{create_knock_event, prepare_knock_event},
};
use serde_json::value::RawValue;

use super::{
    ask::raw,
    invite::stripped,
    through::{Signed, Step, Wish},
};
use crate::{Room, Rooms, error::Result};

impl Rooms {
    /// Knocks on a room, through other servers if this one is not in it.
    ///
    /// # Errors
    /// As of [`Rooms::knock`]; [`crate::Error::Unreachable`] and [`crate::Error::Remote`] if no server helps.
    pub async fn knock_anywhere(
        &self,
        user: &UserId,
        id: &RoomId,
        via: &[OwnedServerName],
        reason: Option<&str>,
    ) -> Result<Arc<Room>> {
        let servers = match self.is_federated() {
            true => self.candidates(id, user, via)?,
            false => Vec::new(),
        };
        if let Some(room) = self.find(id)?
            && (self.is_resident(&room)? || servers.is_empty())
        {
            self.knock(user, &room, reason).await?;
            return Ok(room);
        }
        self.step_through(servers, (user, id), Step::Knock, reason)
            .await
    }

    pub(super) async fn knock_through(
        &self,
        server: &ServerName,
        wish: &Wish<'_>,
    ) -> Result<Arc<Room>> {
        let (user, id) = (wish.user, wish.room_id);
        let client = self.federation()?;
        let mut request = prepare_knock_event::v1::Request::new(id.to_owned(), user.to_owned());
        request.ver = SUPPORTED_ROOM_VERSIONS.to_vec();
        let proposed = client.send(server, request).await?;
        let Signed {
            event: knock,
            version,
            ..
        } = self.sign(wish, proposed.room_version, &proposed.event)?;
        let request = create_knock_event::v1::Request::new(
            id.to_owned(),
            knock.pdu.event_id.clone(),
            raw(&knock.json)?,
        );
        let given = client.send(server, request).await?;
        let room = self.find_or_note(id, &version).await?;
        let stripped: Vec<Box<RawValue>> = given
            .knock_room_state
            .iter()
            .filter_map(|event| serde_json::value::to_raw_value(event).ok())
            .filter_map(|event| stripped(&event))
            .collect();
        self.note_member(&room, user, knock, Some(&stripped))
            .await?;
        Ok(room)
    }
}
