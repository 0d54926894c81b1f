//! Our users leave rooms that this server is not in: they turn invites down, or take knocks back.

use std::sync::Arc;

use orvale_events::Template;
use orvale_storage::trees::rooms::Membership;
use ruma::{
    RoomVersionId, ServerName, UserId,
    api::federation::membership::{create_leave_event, prepare_leave_event},
};

use super::ask::raw;
use crate::{
    Room, Rooms,
    error::{Error, Result},
    foreign::{Arrival, Wanted},
    member::MemberContent,
};

impl Rooms {
    /// Leaves a room that this server is not in. A server that knows the room is told, if one can be reached; the user is out in
    /// any case.
    ///
    /// # Errors
    /// [`Error::NotJoined`] for strangers, [`Error::Forbidden`] for the banned.
    pub(crate) async fn leave_from_outside(
        &self,
        user: &UserId,
        room: &Arc<Room>,
        reason: Option<&str>,
    ) -> Result<()> {
        let record = self.find_membership(room, user)?.ok_or(Error::NotJoined)?;
        match record.membership {
            Membership::Invite | Membership::Knock => {}
            Membership::Leave => return Ok(()),
            Membership::Ban => {
                return Err(Error::Forbidden("you are banned from this room".to_owned()));
            }
            Membership::Join => return Err(Error::NotJoined),
        }
        let content = MemberContent::new("leave").reason(reason);
        if self.is_federated() {
            for server in self.candidates(&room.id, user, &[])? {
                match self
                    .leave_through(user, room, &server, content.clone())
                    .await
                {
                    Ok(left) => return self.note_member(room, user, left, None).await,
                    Err(error) => {
                        tracing::info!(%error, server_name = %server, room_id = %room.id, "a server did not take a leave");
                    }
                }
            }
        }
        // Nobody heard it; for the user it is so all the same.
        let left = self.leave_alone(user, room, record.event, &content)?;
        self.note_member(room, user, left, None).await
    }

    async fn leave_through(
        &self,
        user: &UserId,
        room: &Room,
        server: &ServerName,
        content: MemberContent,
    ) -> Result<Arrival> {
        let client = self.federation()?;
        let request = prepare_leave_event::v1::Request::new(room.id.clone(), user.to_owned());
        let proposed = client.send(server, request).await?;
        let version = proposed.room_version.unwrap_or(RoomVersionId::V1);
        if version != room.version {
            return Err(Error::UnsupportedRoomVersion(version.to_string()));
        }
        let wanted = Wanted {
            room_id: &room.id,
            user,
            membership: Membership::Leave,
        };
        let left = self.build_proposed(&room.rules, &proposed.event, &wanted, content)?;
        let request = create_leave_event::v2::Request::new(
            room.id.clone(),
            left.pdu.event_id.clone(),
            raw(&left.json)?,
        );
        client.send(server, request).await?;
        Ok(left)
    }

    /// The event by which a user is out of a room for this server alone.
    fn leave_alone(
        &self,
        user: &UserId,
        room: &Room,
        after: orvale_storage::Position,
        content: &MemberContent,
    ) -> Result<Arrival> {
        let before = self.event(after)?;
        let draft = content.draft(user, user);
        let template = Template {
            room_id: Some(room.id.clone()),
            sender: draft.sender,
            kind: draft.kind,
            state_key: draft.state_key,
            content: draft.content,
            redacts: None,
            prev_events: vec![before.event_id().to_owned()],
            auth_events: vec![before.event_id().to_owned()],
            depth: before.pdu.depth.saturating_add(1),
            origin_server_ts: self.now(),
        };
        let (pdu, json) = orvale_events::build(template, &room.rules, &self.inner.key)?;
        Ok(Arrival {
            pdu: Arc::new(pdu),
            json,
        })
    }
}
