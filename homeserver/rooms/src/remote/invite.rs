//! Inviting users of other servers, and being invited by them.

use std::sync::Arc;

use orvale_events::Foreign;
use orvale_storage::trees::rooms::Membership;
use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, EventId, OwnedUserId, RoomId, RoomVersionId,
    ServerName, UserId,
    api::federation::membership::{RawStrippedState, create_invite},
    events::StateEventType,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ask::raw;
use crate::{
    InviteVerdict, Room, Rooms, View,
    error::{Error, Result},
    foreign::{Accepted, Arrival},
    member::MemberContent,
    moderate::forbidden,
    news::STRIPPED,
};

/// The most events that an invite shows of its room.
const MAX_STRIPPED: usize = 100;

impl Rooms {
    /// Invites a user of another server: that server has to take the invite, and signs it.
    pub(crate) async fn invite_remote(
        &self,
        sender: &UserId,
        target: &UserId,
        room: &Arc<Room>,
        content: MemberContent,
    ) -> Result<()> {
        let server = target.server_name();
        if !self.acl_allows(room, server)? {
            return Err(forbidden("the room does not let their server take part"));
        }
        let (json, checker) = {
            let mut head = room.lock();
            let mut view = View {
                rooms: self,
                room,
                head: &mut head,
            };
            if view.membership(sender)? != Some(Membership::Join) {
                return Err(Error::NotJoined);
            }
            match view.membership(target)? {
                Some(Membership::Join) => return Err(forbidden("they are already in the room")),
                Some(Membership::Ban) => return Err(forbidden("they are banned from the room")),
                Some(Membership::Invite | Membership::Knock | Membership::Leave) | None => {}
            }
            let json = self.make_one(room, &mut head, content.draft(sender, target))?;
            (json, self.policy_server(room, &mut head)?)
        };
        let json = match checker {
            Some(server) => self.ask_policy_server(&server, &room.rules, &json).await?,
            None => json,
        };
        let invite = Foreign::read(&json, &room.rules)?;
        let mut shown = Vec::new();
        for kind in &STRIPPED {
            shown.extend(self.find_state(room, kind, "")?);
        }
        shown.extend(self.find_state(room, &StateEventType::RoomMember, sender.as_str())?);
        let shown = shown
            .iter()
            .map(|event| Ok(RawStrippedState::Pdu(raw(&event.record.pdu)?)))
            .collect::<Result<Vec<_>>>()?;
        let request = create_invite::v2::Request::new(
            room.id.clone(),
            invite.event_id().to_owned(),
            room.version.clone(),
            raw(&json)?,
            shown,
        );
        let answer = self.federation()?.send(server, request).await?;
        let signed = Foreign::read(answer.event.get().as_bytes(), &room.rules)?;
        if signed.event_id() != invite.event_id() {
            return Err(Error::BadContent(
                "the invite came back as another".to_owned(),
            ));
        }
        if signed.key_ids(server).is_empty() {
            return Err(Error::BadContent(
                "their server did not sign the invite".to_owned(),
            ));
        }
        let signed = self.believe_one(&room.id, &room.rules, signed).await?;
        match self.accept(room, signed).await? {
            Accepted::Live | Accepted::Known => Ok(()),
            Accepted::SoftFailed(reason) | Accepted::Rejected(reason) => {
                Err(Error::Forbidden(reason))
            }
            Accepted::Missing(_) => Err(Error::Internal("our own invite misses events".to_owned())),
        }
    }

    /// Takes the invite of one of our users by a user of another server, and signs it.
    ///
    /// # Errors
    /// [`Error::BadContent`] if it is anything else; [`Error::Forbidden`], [`Error::UnknownUser`], [`Error::InviteBlocked`];
    /// [`Error::UnsupportedRoomVersion`].
    pub async fn take_invite(
        &self,
        origin: &ServerName,
        (id, event_id): (&RoomId, &EventId),
        version: &RoomVersionId,
        event: &RawValue,
        shown: &[Box<RawValue>],
    ) -> Result<Box<RawValue>> {
        let rules = orvale_events::rules(version)
            .map_err(|_| Error::UnsupportedRoomVersion(version.to_string()))?;
        let mut invite = Foreign::read(event.get().as_bytes(), &rules)?;
        if invite.event_id() != event_id {
            return Err(Error::BadContent("the event has another ID".to_owned()));
        }
        let (sender, target) = invited(invite.object(), id, origin)?;
        if !self.is_local(&target) || !self.users().exists(&target)? {
            return Err(Error::UnknownUser(target));
        }
        if self.invite_verdict(&target, &sender)? == InviteVerdict::Block {
            return Err(Error::InviteBlocked(target));
        }
        let known = self.find(id)?;
        let is_resident = match &known {
            Some(room) if room.version != *version => {
                return Err(Error::BadContent(
                    "the room is of another version".to_owned(),
                ));
            }
            Some(room) => {
                if !self.acl_allows(room, origin)? {
                    return Err(forbidden("the room does not let that server take part"));
                }
                if let Some(now) = self.find_membership(room, &target)?
                    && now.membership == Membership::Join
                {
                    return Err(forbidden("they are in the room already"));
                }
                self.is_resident(room)?
            }
            None => false,
        };
        // Their signature first; ours is not asked for by the rules, and is added to what theirs was found to be.
        let verified = self.believe_one(id, &rules, invite.clone()).await?;
        if verified
            .pdu
            .content_field::<String>("membership")
            .as_deref()
            != Some("invite")
        {
            return Err(Error::BadContent(
                "its content is not what was signed".to_owned(),
            ));
        }
        invite.sign(&rules, &self.inner.key)?;
        let json = orvale_events::canonical::to_vec(invite.object());
        let signed = raw(&json)?;
        if !is_resident {
            let room = self.find_or_note(id, version).await?;
            let stripped: Vec<_> = shown
                .iter()
                .take(MAX_STRIPPED)
                .filter_map(|event| stripped(event))
                .collect();
            let arrival = Arrival {
                pdu: verified.pdu,
                json,
            };
            self.note_member(&room, &target, arrival, Some(&stripped))
                .await?;
        }
        Ok(signed)
    }
}

/// Who invites whom by an event, if it does nothing else, and nobody signs it for more.
fn invited(
    event: &CanonicalJsonObject,
    room: &RoomId,
    origin: &ServerName,
) -> Result<(OwnedUserId, OwnedUserId)> {
    let bad = |what: &str| Error::BadContent(format!("this is no invite of {origin}'s: {what}"));
    let text = |object: &CanonicalJsonObject, name: &str| match object.get(name) {
        Some(CanonicalJsonValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if text(event, "type").as_deref() != Some("m.room.member") {
        return Err(bad("its type"));
    }
    if text(event, "room_id").as_deref() != Some(room.as_str()) {
        return Err(bad("its room"));
    }
    let sender = text(event, "sender")
        .and_then(|sender| UserId::parse(sender).ok())
        .filter(|sender| sender.server_name() == origin)
        .ok_or_else(|| bad("its sender"))?;
    let Some(CanonicalJsonValue::Object(content)) = event.get("content") else {
        return Err(bad("its content"));
    };
    if text(content, "membership").as_deref() != Some("invite") {
        return Err(bad("its membership"));
    }
    let target = text(event, "state_key").and_then(|target| UserId::parse(target).ok());
    target
        .map(|target| (sender, target))
        .ok_or_else(|| bad("its state key"))
}

/// A state event, in whatever form, as clients are shown it from outside.
pub(super) fn stripped(event: &RawValue) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(borrow)]
        content: &'a RawValue,
        sender: ruma::OwnedUserId,
        state_key: String,
        #[serde(rename = "type")]
        kind: String,
    }
    let parts: Parts<'_> = serde_json::from_str(event.get()).ok()?;
    // Clients take it for an object.
    if !parts.content.get().starts_with('{') {
        return None;
    }
    let text = serde_json::json!({
        "content": parts.content,
        "sender": parts.sender,
        "state_key": parts.state_key,
        "type": parts.kind,
    });
    serde_json::value::to_raw_value(&text).ok()
}
