//! Member events that users of other servers want to send: what they are to say, for their servers to sign.

use std::sync::Arc;

use orvale_events::{Template, canonical};
use orvale_storage::trees::rooms::Membership;
use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, OwnedEventId, UserId,
    room_version_rules::RoomVersionRules,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Arrival;
use crate::{
    Room, Rooms, View,
    error::{Error, Result},
    member::MemberContent,
    moderate::forbidden,
};

/// What another server proposes for an event that ours is to sign.
#[derive(Debug, Deserialize)]
struct Proposed {
    #[serde(default)]
    prev_events: Vec<OwnedEventId>,
    #[serde(default)]
    auth_events: Vec<OwnedEventId>,
    depth: u64,
    content: Content,
}

/// The only part of a proposed content that we take over.
#[derive(Debug, Deserialize)]
struct Content {
    join_authorised_via_users_server: Option<ruma::OwnedUserId>,
}

impl Rooms {
    /// The event by which a user of another server joins, leaves or knocks, unsigned.
    ///
    /// # Errors
    /// As of [`Rooms::join`], [`Rooms::leave`] and [`Rooms::knock`].
    pub fn member_template(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        membership: Membership,
    ) -> Result<Box<RawValue>> {
        if !self.has_local_member(room)? {
            return Err(Error::UnknownRoom(room.id.clone()));
        }
        let mut head = room.lock();
        let mut view = View {
            rooms: self,
            room,
            head: &mut head,
        };
        let now = view.membership(user)?;
        let content = MemberContent::new(membership.as_str());
        let draft = match membership {
            Membership::Join => self.join_draft(&mut view, user, content)?,
            Membership::Leave => match now {
                Some(Membership::Join | Membership::Invite | Membership::Knock) => {
                    content.draft(user, user)
                }
                _ => return Err(forbidden("they are not in the room")),
            },
            Membership::Knock => match now {
                None | Some(Membership::Leave | Membership::Knock) => content.draft(user, user),
                Some(_) => return Err(forbidden("they cannot knock")),
            },
            Membership::Invite | Membership::Ban => {
                return Err(forbidden("nobody does that to themselves"));
            }
        };
        let json = self.make_one(room, &mut head, draft)?;
        let mut object = canonical::parse_object(&json, canonical::Reading::PDU)?;
        object.remove("hashes");
        object.remove("signatures");
        let json = String::from_utf8(canonical::to_vec(&object));
        let json = json.map_err(|error| Error::Internal(error.to_string()))?;
        RawValue::from_string(json).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Makes the event that another server proposes for one of our users. Nothing of it is taken over but its place in the graph and
    /// who lets the user in; the rest must be what was asked for.
    pub(crate) fn build_proposed(
        &self,
        rules: &RoomVersionRules,
        proposed: &RawValue,
        wanted: &Wanted<'_>,
        content: MemberContent,
    ) -> Result<Arrival> {
        let object = canonical::parse_object(proposed.get().as_bytes(), canonical::Reading::PDU)?;
        wanted.check(&object)?;
        let Proposed {
            prev_events,
            auth_events,
            depth,
            content: theirs,
        } = serde_json::from_str(proposed.get())
            .map_err(|error| Error::BadContent(error.to_string()))?;
        let content = match theirs.join_authorised_via_users_server {
            Some(user) if wanted.membership == Membership::Join => {
                content.with("join_authorised_via_users_server", user.as_str())
            }
            _ => content,
        };
        let draft = content.draft(wanted.user, wanted.user);
        let template = Template {
            room_id: Some(wanted.room_id.to_owned()),
            sender: draft.sender,
            kind: draft.kind,
            state_key: draft.state_key,
            content: draft.content,
            redacts: None,
            prev_events,
            auth_events,
            depth,
            origin_server_ts: self.now(),
        };
        let (pdu, json) = orvale_events::build(template, rules, &self.inner.key)?;
        Ok(Arrival {
            pdu: Arc::new(pdu),
            json,
        })
    }

    /// Signs a template as the server of its user does.
    #[cfg(test)]
    pub(crate) fn sign_template(
        &self,
        rules: &RoomVersionRules,
        template: &RawValue,
    ) -> Result<Arrival> {
        let value: serde_json::Value = serde_json::from_str(template.get()).expect("JSON");
        let user = UserId::parse(value["sender"].as_str().expect("a sender")).expect("a user");
        let room_id = value["room_id"].as_str().expect("a room");
        let membership = match value["content"]["membership"].as_str() {
            Some("knock") => Membership::Knock,
            _ => Membership::Join,
        };
        let wanted = Wanted {
            room_id: room_id.try_into().expect("a room ID"),
            user: &user,
            membership,
        };
        let content = MemberContent::new(membership.as_str());
        self.build_proposed(rules, template, &wanted, content)
    }
}

/// What a member event has to be that a server wants to have signed, or taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) room_id: &'a ruma::RoomId,
    pub(crate) user: &'a UserId,
    pub(crate) membership: Membership,
}

impl Wanted<'_> {
    /// Refuses an event that is anything else, field by field: whoever signs it vouches for all of it.
    pub(crate) fn check(&self, event: &CanonicalJsonObject) -> Result<()> {
        let text = |object: &CanonicalJsonObject, name: &str| match object.get(name) {
            Some(CanonicalJsonValue::String(text)) => Some(text.clone()),
            _ => None,
        };
        let content = match event.get("content") {
            Some(CanonicalJsonValue::Object(content)) => content.clone(),
            _ => CanonicalJsonObject::new(),
        };
        let fields = [
            ("type", text(event, "type"), "m.room.member"),
            ("room_id", text(event, "room_id"), self.room_id.as_str()),
            ("sender", text(event, "sender"), self.user.as_str()),
            ("state_key", text(event, "state_key"), self.user.as_str()),
            (
                "membership",
                text(&content, "membership"),
                self.membership.as_str(),
            ),
        ];
        for (name, found, wanted) in fields {
            if found.as_deref() != Some(wanted) {
                return Err(Error::BadContent(format!(
                    "the event's {name} is {found:?} where it must be {wanted:?}"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ruma::{RoomVersionId, room_id, user_id};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{raw, server};

    #[test]
    fn nothing_is_signed_that_another_server_words_for_us() {
        let rooms = server("here.test");
        let (room_id, user) = (room_id!("!room:far.test"), user_id!("@bob:here.test"));
        let wanted = Wanted {
            room_id,
            user,
            membership: Membership::Join,
        };
        let rules = RoomVersionId::V10.rules().unwrap();
        let proposed = json!({
            "type": "m.room.member", "room_id": room_id, "sender": user, "state_key": user, "origin": "far.test",
            "content": {"membership": "join", "displayname": "Not me", "join_authorised_via_users_server": "@alice:far.test"},
            "prev_events": ["$a"], "auth_events": ["$b"], "depth": 7, "origin_server_ts": 1, "redacts": "$victim",
        });
        let build = |proposed: &Value| {
            let content = MemberContent::new("join").with("displayname", "Bob");
            rooms.build_proposed(&rules, &raw(proposed), &wanted, content)
        };
        let made = build(&proposed).unwrap();
        let made: Value = serde_json::from_slice(&made.json).unwrap();
        assert_eq!(
            made["content"],
            json!({"membership": "join", "displayname": "Bob", "join_authorised_via_users_server": "@alice:far.test"})
        );
        assert_eq!(made["prev_events"], json!(["$a"]));
        assert_ne!(made["origin_server_ts"], 1);
        assert!(made.get("origin").is_none() && made.get("redacts").is_none());
        let changes: [(&str, Value); 6] = [
            ("/type", json!("m.room.message")),
            ("/room_id", json!("!other:far.test")),
            ("/sender", json!("@carol:here.test")),
            ("/state_key", json!("@carol:here.test")),
            ("/content/membership", json!("leave")),
            ("/content/membership", Value::Null),
        ];
        for (field, value) in changes {
            let mut proposed = proposed.clone();
            *proposed.pointer_mut(field).unwrap() = value;
            assert!(
                matches!(build(&proposed), Err(Error::BadContent(_))),
                "{field}"
            );
        }
    }
}
