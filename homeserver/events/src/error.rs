//! What can be wrong with an event, in sentences fit for the `error` field of an answer.

use ruma::{OwnedEventId, RoomVersionId};

/// Why an event could not be read, made, or resolved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not JSON, or JSON that has no canonical form (`M_BAD_JSON`).
    #[error("The JSON cannot be used: {0}.")]
    Json(String),
    /// The event is larger than the specification allows (`M_TOO_LARGE`).
    #[error("The event would have {size} bytes; an event may have at most {limit}.")]
    TooLarge {
        /// Its size as canonical JSON.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A field is longer than the 255 bytes the specification allows (`M_TOO_LARGE`).
    #[error("The {name} of the event has {length} bytes; it may have at most 255.")]
    FieldTooLong {
        /// Which field.
        name: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// A field of the event is missing or has the wrong type (`M_BAD_JSON`).
    #[error("The event is malformed: {0}.")]
    Format(String),
    /// The room version is not one we know (`M_UNSUPPORTED_ROOM_VERSION`).
    #[error("Room version {0} is not supported.")]
    UnsupportedRoomVersion(RoomVersionId),
    /// A signature is missing or wrong: the event must be dropped.
    #[error("The event is not validly signed: {0}.")]
    Signature(String),
    /// A signing key is not one.
    #[error("The signing key cannot be used: {0}.")]
    Key(String),
    /// An event that state resolution needs is not there.
    #[error("The event {0} is missing, so the state of the room cannot be resolved.")]
    MissingEvent(OwnedEventId),
    /// The auth chains to walk are longer than any honest room's.
    #[error("The state of the room cannot be resolved: its auth chains have more than {0} events.")]
    AuthChainTooLong(usize),
    /// State resolution met an event it cannot use.
    #[error("The state of the room cannot be resolved: {0}.")]
    Resolution(String),
}

/// Why the auth rules forbid an event (`M_FORBIDDEN`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Forbidden(pub String);
