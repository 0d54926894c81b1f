//! The format an event must have to be one at all.
//! <https://spec.matrix.org/v1.19/client-server-api/#size-limits>

use ruma::{CanonicalJsonObject, CanonicalJsonValue, room_version_rules::RoomVersionRules};

use crate::Error;

/// The greatest size of an event as canonical JSON, signatures included.
pub const MAX_PDU_BYTES: usize = 65_536;

/// The greatest length of `type`, `state_key`, `sender` and `room_id`.
pub const MAX_FIELD_BYTES: usize = 255;

/// The most `prev_events` an event may have.
pub const MAX_PREV_EVENTS: usize = 20;

/// The most `auth_events` an event may have.
pub const MAX_AUTH_EVENTS: usize = 10;

/// The greatest `depth`: the greatest integer canonical JSON can say. A room that has come there stays there.
pub const MAX_DEPTH: u64 = (1 << 53) - 1;

/// Whether an event another server sent has the format of its room version. One that has not is dropped.
///
/// What identifiers look like is checked where they are parsed.
pub(crate) fn check(event: &CanonicalJsonObject, rules: &RoomVersionRules) -> Result<(), Error> {
    let kind = string(event, "type")?.ok_or_else(|| missing("type"))?;
    string(event, "sender")?.ok_or_else(|| missing("sender"))?;
    string(event, "state_key")?;
    let names_room = kind == "m.room.create" && !rules.event_format.require_room_create_room_id;
    if string(event, "room_id")?.is_none() && !names_room {
        return Err(missing("room_id"));
    }
    ids(event, "prev_events", MAX_PREV_EVENTS)?;
    ids(event, "auth_events", MAX_AUTH_EVENTS)?;
    natural(event, "depth")?;
    natural(event, "origin_server_ts")?;
    object(event, "content")?;
    object(event, "signatures")?;
    match object(event, "hashes")?.get("sha256") {
        Some(CanonicalJsonValue::String(_)) => Ok(()),
        _ => Err(Error::Format("hashes has no sha256 string".to_owned())),
    }
}

fn missing(name: &str) -> Error {
    Error::Format(format!("it has no {name}"))
}

fn string<'a>(
    event: &'a CanonicalJsonObject,
    name: &'static str,
) -> Result<Option<&'a str>, Error> {
    match event.get(name) {
        None => Ok(None),
        Some(CanonicalJsonValue::String(text)) if text.len() > MAX_FIELD_BYTES => {
            Err(Error::FieldTooLong {
                name,
                length: text.len(),
            })
        }
        Some(CanonicalJsonValue::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::Format(format!("{name} is not a string"))),
    }
}

fn object<'a>(
    event: &'a CanonicalJsonObject,
    name: &str,
) -> Result<&'a CanonicalJsonObject, Error> {
    match event.get(name) {
        Some(CanonicalJsonValue::Object(object)) => Ok(object),
        Some(_) => Err(Error::Format(format!("{name} is not an object"))),
        None => Err(missing(name)),
    }
}

fn ids(event: &CanonicalJsonObject, name: &str, most: usize) -> Result<(), Error> {
    match event.get(name) {
        Some(CanonicalJsonValue::Array(ids)) if ids.len() <= most => Ok(()),
        Some(CanonicalJsonValue::Array(_)) => {
            Err(Error::Format(format!("it has more than {most} {name}")))
        }
        Some(_) => Err(Error::Format(format!("{name} is not a list"))),
        None => Err(missing(name)),
    }
}

fn natural(event: &CanonicalJsonObject, name: &str) -> Result<(), Error> {
    match event.get(name) {
        Some(CanonicalJsonValue::Integer(number)) if i64::from(*number) >= 0 => Ok(()),
        Some(_) => Err(Error::Format(format!(
            "{name} is not an integer from 0 to 9007199254740991"
        ))),
        None => Err(missing(name)),
    }
}
