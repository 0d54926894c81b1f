//! Contents of events, made and read as JSON.

use ruma::{RoomVersionId, UserId, events::StateEventType};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    append::Draft,
    error::{Error, Result},
};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// The JSON of a value that has one.
pub(crate) fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("contents have string keys")
}

/// The object that a content is.
pub(crate) fn object(content: &RawValue) -> Result<Object> {
    serde_json::from_str(content.get())
        .map_err(|e| Error::BadContent(format!("the content is not a JSON object: {e}")))
}

/// A state event with the empty state key.
pub(crate) fn state(sender: &UserId, kind: StateEventType, content: &impl Serialize) -> Draft {
    Draft::state(sender, kind, "", raw(content))
}

/// Whether the creators of a room of this version stand above all power levels.
pub(crate) fn privileges_creators(version: &RoomVersionId) -> bool {
    version
        .rules()
        .is_some_and(|rules| rules.authorization.explicitly_privilege_room_creators)
}
