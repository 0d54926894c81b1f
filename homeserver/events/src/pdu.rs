//! [`Pdu`]: an event parsed once, as other events and the auth rules see it.

use std::sync::OnceLock;

use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UserId,
    events::TimelineEventType, room_version_rules::RoomVersionRules, state_res::Event,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue as RawJsonValue;

use crate::{Error, auth::Levels};

/// An event as other events and the auth rules see it, parsed once. Cheap to share as `Arc<Pdu>`, which ruma's state
/// resolution takes as an [`Event`] too.
#[derive(Debug, Clone)]
pub struct Pdu {
    /// Its reference hash.
    pub event_id: OwnedEventId,
    /// Its room; for an `m.room.create` of version 12 and later, derived from its own ID.
    pub room_id: OwnedRoomId,
    /// Who sent it.
    pub sender: OwnedUserId,
    /// Its `type`.
    pub kind: TimelineEventType,
    /// Present on state events.
    pub state_key: Option<String>,
    /// Its content, canonical.
    pub content: Box<RawJsonValue>,
    /// The event an `m.room.redaction` redacts, from where its room version puts it.
    pub redacts: Option<OwnedEventId>,
    /// When its server says it was made.
    pub origin_server_ts: MilliSecondsSinceUnixEpoch,
    /// One more than the greatest depth before it, as its server says.
    pub depth: u64,
    /// The events before it.
    pub prev_events: Vec<OwnedEventId>,
    /// The state that allows it.
    pub auth_events: Vec<OwnedEventId>,
    /// Whether the auth rules rejected it when it came.
    pub rejected: bool,
    /// Whether the event itself carries a `room_id`: a create event of version 12 must not.
    pub(crate) carries_room_id: bool,
    /// Of an `m.room.power_levels`: the levels, read when they were first asked for.
    pub(crate) levels: OnceLock<Option<Levels>>,
}

/// The fields of a PDU that [`Pdu`] keeps.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    room_id: Option<serde::de::IgnoredAny>,
    sender: OwnedUserId,
    #[serde(rename = "type")]
    kind: TimelineEventType,
    #[serde(default)]
    state_key: Option<String>,
    content: Box<RawJsonValue>,
    #[serde(default)]
    redacts: Option<Box<RawJsonValue>>,
    origin_server_ts: MilliSecondsSinceUnixEpoch,
    depth: u64,
    prev_events: Vec<OwnedEventId>,
    auth_events: Vec<OwnedEventId>,
}

impl Pdu {
    /// Reads an event that was checked before it was stored: `json` is the canonical PDU.
    pub fn parse(
        event_id: OwnedEventId,
        room_id: OwnedRoomId,
        json: &[u8],
        rules: &RoomVersionRules,
    ) -> Result<Self, Error> {
        let fields: Fields =
            serde_json::from_slice(json).map_err(|error| Error::Format(error.to_string()))?;
        let redacts = redacts(
            &fields.kind,
            fields.redacts.as_deref(),
            &fields.content,
            rules,
        );
        Ok(Self {
            event_id,
            room_id,
            sender: fields.sender,
            kind: fields.kind,
            state_key: fields.state_key,
            content: fields.content,
            redacts,
            origin_server_ts: fields.origin_server_ts,
            depth: fields.depth,
            prev_events: fields.prev_events,
            auth_events: fields.auth_events,
            rejected: false,
            carries_room_id: fields.room_id.is_some(),
            levels: OnceLock::new(),
        })
    }

    /// The whole content as `T`.
    pub fn content_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.content.get())
    }

    /// One top-level member of the content; `None` if it is missing or not a `T`.
    pub fn content_field<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let mut found = None;
        let mut reader = serde_json::Deserializer::from_str(self.content.get());
        serde::Deserializer::deserialize_map(
            &mut reader,
            Member {
                name,
                found: &mut found,
            },
        )
        .ok()?;
        serde_json::from_str(found?.get()).ok()
    }
}

/// Finds one member of an object without building the rest.
struct Member<'a, 'de> {
    name: &'a str,
    found: &'a mut Option<&'de RawJsonValue>,
}

impl<'de> serde::de::Visitor<'de> for Member<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == self.name {
                *self.found = Some(members.next_value()?);
            } else {
                members.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Which event a redaction redacts: version 11 moved `redacts` into the content.
pub(crate) fn redacts(
    kind: &TimelineEventType,
    top_level: Option<&RawJsonValue>,
    content: &RawJsonValue,
    rules: &RoomVersionRules,
) -> Option<OwnedEventId> {
    #[derive(Deserialize)]
    struct Content {
        redacts: Option<OwnedEventId>,
    }
    if *kind != TimelineEventType::RoomRedaction {
        None
    } else if rules.redaction.content_field_redacts {
        serde_json::from_str::<Content>(content.get()).ok()?.redacts
    } else {
        serde_json::from_str(top_level?.get()).ok()
    }
}

impl Event for Pdu {
    type Id = OwnedEventId;

    fn event_id(&self) -> &OwnedEventId {
        &self.event_id
    }

    /// As written in the event: a create event of version 12 has none, and breaks the auth rules if it does.
    fn room_id(&self) -> Option<&RoomId> {
        self.carries_room_id.then_some(&*self.room_id)
    }

    fn sender(&self) -> &UserId {
        &self.sender
    }

    fn origin_server_ts(&self) -> MilliSecondsSinceUnixEpoch {
        self.origin_server_ts
    }

    fn event_type(&self) -> &TimelineEventType {
        &self.kind
    }

    fn content(&self) -> &RawJsonValue {
        &self.content
    }

    fn state_key(&self) -> Option<&str> {
        self.state_key.as_deref()
    }

    fn prev_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        Box::new(self.prev_events.iter())
    }

    fn auth_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        Box::new(self.auth_events.iter())
    }

    fn redacts(&self) -> Option<&OwnedEventId> {
        self.redacts.as_ref()
    }

    fn rejected(&self) -> bool {
        self.rejected
    }
}

/// The ID of a room of version 12 and later, which is that of its create event with another sigil.
pub(crate) fn room_id_of_create(create: &EventId) -> OwnedRoomId {
    let hash = create.as_str().trim_start_matches('$');
    OwnedRoomId::try_from(format!("!{hash}")).expect("a reference hash makes a valid room ID")
}

#[cfg(test)]
mod tests {
    use ruma::{RoomVersionId, event_id, room_id};

    use super::*;

    fn parse(json: &str) -> Result<Pdu, Error> {
        let rules = RoomVersionId::V12.rules().unwrap();
        Pdu::parse(
            event_id!("$x").to_owned(),
            room_id!("!r").to_owned(),
            json.as_bytes(),
            &rules,
        )
    }

    #[test]
    fn content_is_read_in_whole_or_by_member() {
        let pdu = parse(
            r#"{"auth_events":[],"content":{"a":{"b":1},"body":"hi","n\"":null},"depth":1,"origin_server_ts":1,
                "prev_events":[],"room_id":"!r","sender":"@a:x","type":"m.x"}"#,
        )
        .unwrap();
        assert_eq!(pdu.content_field::<String>("body").as_deref(), Some("hi"));
        assert_eq!(
            pdu.content_field::<serde_json::Value>("a"),
            Some(serde_json::json!({ "b": 1 }))
        );
        assert_eq!(pdu.content_field::<u32>("body"), None);
        assert_eq!(pdu.content_field::<u32>("b"), None);
        assert_eq!(pdu.content_field::<()>("n\""), Some(()));
        assert_eq!(pdu.content_as::<serde_json::Value>().unwrap()["body"], "hi");
        assert_eq!(Event::room_id(&pdu), Some(room_id!("!r")));
    }

    #[test]
    fn event_without_its_fields_is_refused() {
        assert!(matches!(parse("{}"), Err(Error::Format(_))));
        assert!(matches!(parse("["), Err(Error::Format(_))));
    }
}
