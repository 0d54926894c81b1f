//! Making an event: content hash, signature and event ID in one pass over its pieces.
//!
//! The envelope of a PDU is known, so its canonical form is written straight around the content. What is signed and what
//! the event ID is the hash of are the same bytes: the redacted event without `signatures` and `unsigned`.
//! <https://spec.matrix.org/v1.19/server-server-api/#signing-events>

use std::sync::OnceLock;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use ruma::{
    CanonicalJsonObject, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId,
    canonical_json::redact_content_in_place, events::TimelineEventType,
    room_version_rules::RoomVersionRules,
};
use serde_json::value::RawValue as RawJsonValue;
use sha2::{Digest, Sha256};

use crate::{
    Error, Pdu, ServerKey,
    canonical::{self, write_integer, write_object, write_string},
    format::{MAX_AUTH_EVENTS, MAX_DEPTH, MAX_FIELD_BYTES, MAX_PDU_BYTES, MAX_PREV_EVENTS},
    pdu::{redacts, room_id_of_create},
};

/// What a new local event is made from.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its room; `None` for an `m.room.create` of version 12 and later, whose ID it becomes.
    pub room_id: Option<OwnedRoomId>,
    /// Who sends it.
    pub sender: OwnedUserId,
    /// Its `type`.
    pub kind: TimelineEventType,
    /// Present on state events.
    pub state_key: Option<String>,
    /// Its content, any JSON object as a client sent it.
    pub content: Box<RawJsonValue>,
    /// The event an `m.room.redaction` redacts; written where the room version wants it.
    pub redacts: Option<OwnedEventId>,
    /// The events before it.
    pub prev_events: Vec<OwnedEventId>,
    /// The state that allows it.
    pub auth_events: Vec<OwnedEventId>,
    /// One more than the greatest depth before it.
    pub depth: u64,
    /// Now.
    pub origin_server_ts: MilliSecondsSinceUnixEpoch,
}

/// Makes an event: checks its format and size, hashes, signs and names it. Returns it parsed, and its canonical JSON as
/// other servers receive it.
pub fn build(
    template: Template,
    rules: &RoomVersionRules,
    key: &ServerKey,
) -> Result<(Pdu, Vec<u8>), Error> {
    check_template(&template, rules)?;
    let mut content = canonical::parse_object(
        template.content.get().as_bytes(),
        canonical::Reading::CONTENT,
    )?;
    let redacts_outside = if rules.redaction.content_field_redacts {
        if let Some(redacts) = &template.redacts {
            content.insert("redacts".to_owned(), redacts.as_str().into());
        }
        None
    } else {
        template.redacts.as_ref()
    };
    let depth = template.depth.min(MAX_DEPTH);
    let kind = template.kind.to_string();

    let mut full_content = Vec::with_capacity(template.content.get().len() + 64);
    write_object(&mut full_content, &content);
    if full_content.len() > MAX_PDU_BYTES {
        return Err(Error::TooLarge {
            size: full_content.len(),
            limit: MAX_PDU_BYTES,
        });
    }
    let kept_content = redacted_content(content, &kind, rules);
    let full_content = String::from_utf8(full_content).expect("canonical JSON of strings is UTF-8");

    // In the order of the member names; what lies between them is what is hashed, signed, or left out.
    let mut before_content = Vec::with_capacity(512);
    before_content.extend_from_slice(b"{\"auth_events\":");
    write_ids(&mut before_content, &template.auth_events);
    before_content.extend_from_slice(b",\"content\":");

    let mut before_hashes = Vec::with_capacity(32);
    before_hashes.extend_from_slice(b",\"depth\":");
    write_integer(
        &mut before_hashes,
        i64::try_from(depth).expect("the greatest depth fits"),
    );

    let mut after_hashes = Vec::with_capacity(512);
    after_hashes.extend_from_slice(b",\"origin_server_ts\":");
    write_integer(
        &mut after_hashes,
        i64::from(template.origin_server_ts.get()),
    );
    after_hashes.extend_from_slice(b",\"prev_events\":");
    write_ids(&mut after_hashes, &template.prev_events);

    let mut redacts_member = Vec::new();
    if let Some(redacts) = redacts_outside {
        write_member(&mut redacts_member, "redacts", redacts.as_str());
    }

    let mut before_signatures = Vec::with_capacity(128);
    if let Some(room_id) = &template.room_id {
        write_member(&mut before_signatures, "room_id", room_id.as_str());
    }
    write_member(&mut before_signatures, "sender", template.sender.as_str());

    let mut after_signatures = Vec::with_capacity(128);
    if let Some(state_key) = &template.state_key {
        write_member(&mut after_signatures, "state_key", state_key);
    }
    write_member(&mut after_signatures, "type", &kind);
    after_signatures.push(b'}');

    let content_hash = Sha256::new()
        .chain_update(&before_content)
        .chain_update(&full_content)
        .chain_update(&before_hashes)
        .chain_update(&after_hashes)
        .chain_update(&redacts_member)
        .chain_update(&before_signatures)
        .chain_update(&after_signatures)
        .finalize();
    before_hashes.extend_from_slice(b",\"hashes\":{\"sha256\":\"");
    before_hashes.extend_from_slice(STANDARD_NO_PAD.encode(content_hash).as_bytes());
    before_hashes.extend_from_slice(b"\"}");

    let redacted = [
        &before_content[..],
        &kept_content,
        &before_hashes,
        &after_hashes,
        &before_signatures,
        &after_signatures,
    ]
    .concat();
    let event_id = event_id_of(&redacted);
    let signature = key.sign_bytes(&redacted);

    let mut signatures = Vec::with_capacity(192);
    signatures.extend_from_slice(b",\"signatures\":{");
    write_string(&mut signatures, key.server_name().as_str());
    signatures.extend_from_slice(b":{");
    write_string(&mut signatures, key.key_id());
    signatures.push(b':');
    write_string(&mut signatures, &signature);
    signatures.extend_from_slice(b"}}");

    let json = [
        &before_content[..],
        full_content.as_bytes(),
        &before_hashes,
        &after_hashes,
        &redacts_member,
        &before_signatures,
        &signatures,
        &after_signatures,
    ]
    .concat();
    if json.len() > MAX_PDU_BYTES {
        return Err(Error::TooLarge {
            size: json.len(),
            limit: MAX_PDU_BYTES,
        });
    }

    let carries_room_id = template.room_id.is_some();
    let room_id = template
        .room_id
        .unwrap_or_else(|| room_id_of_create(&event_id));
    let content = RawJsonValue::from_string(full_content).expect("canonical JSON is JSON");
    let redacts = match template.redacts {
        Some(redacts) => Some(redacts),
        None => redacts(&template.kind, None, &content, rules),
    };
    let pdu = Pdu {
        event_id,
        room_id,
        sender: template.sender,
        kind: template.kind,
        state_key: template.state_key,
        content,
        redacts,
        origin_server_ts: template.origin_server_ts,
        depth,
        prev_events: template.prev_events,
        auth_events: template.auth_events,
        rejected: false,
        carries_room_id,
        levels: OnceLock::new(),
    };
    Ok((pdu, json))
}

/// Lengths and counts; user, room and event IDs were checked when they were parsed.
fn check_template(template: &Template, rules: &RoomVersionRules) -> Result<(), Error> {
    let is_create = template.kind == TimelineEventType::RoomCreate;
    let create_names_room = is_create && !rules.event_format.require_room_create_room_id;
    match (&template.room_id, create_names_room) {
        (None, false) => return Err(Error::Format("it has no room_id".to_owned())),
        (Some(_), true) => {
            return Err(Error::Format(
                "the m.room.create event of this room version may have no room_id".to_owned(),
            ));
        }
        _ => {}
    }
    let lengths = [
        ("type", template.kind.to_string().len()),
        (
            "state_key",
            template.state_key.as_deref().map_or(0, str::len),
        ),
        ("sender", template.sender.as_str().len()),
        (
            "room_id",
            template.room_id.as_ref().map_or(0, |id| id.as_str().len()),
        ),
    ];
    for (name, length) in lengths {
        if length > MAX_FIELD_BYTES {
            return Err(Error::FieldTooLong { name, length });
        }
    }
    if template.prev_events.len() > MAX_PREV_EVENTS {
        return Err(Error::Format(format!(
            "it has more than {MAX_PREV_EVENTS} prev_events"
        )));
    }
    if template.auth_events.len() > MAX_AUTH_EVENTS {
        return Err(Error::Format(format!(
            "it has more than {MAX_AUTH_EVENTS} auth_events"
        )));
    }
    Ok(())
}

/// What redaction leaves of the content: nothing, for nearly every event.
fn redacted_content(
    mut content: CanonicalJsonObject,
    kind: &str,
    rules: &RoomVersionRules,
) -> Vec<u8> {
    redact_content_in_place(&mut content, &rules.redaction, kind);
    let mut out = Vec::with_capacity(2);
    write_object(&mut out, &content);
    out
}

/// The event ID of a redacted event without signatures: its reference hash (URL-safe since version 4).
pub(crate) fn event_id_of(redacted: &[u8]) -> OwnedEventId {
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(redacted));
    OwnedEventId::try_from(format!("${hash}")).expect("a reference hash makes a valid event ID")
}

fn write_member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b',');
    write_string(out, name);
    out.push(b':');
    write_string(out, value);
}

fn write_ids(out: &mut Vec<u8>, ids: &[OwnedEventId]) {
    out.push(b'[');
    for (index, id) in ids.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, id.as_str());
    }
    out.push(b']');
}

#[cfg(test)]
mod tests;
