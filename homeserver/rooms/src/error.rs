//! What can be refused about rooms.

use ruma::{OwnedEventId, OwnedRoomId};

/// The result of a call to rooms.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call about a room failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such room here.
    #[error("there is no room {0} on this server")]
    UnknownRoom(OwnedRoomId),
    /// No such event, or none that this user may see.
    #[error("there is no event {0} that you can see")]
    UnknownEvent(OwnedEventId),
    /// No state of this type and key.
    #[error("the room has no such state")]
    NoSuchState,
    /// The user is not joined to the room.
    #[error("you are not a member of this room")]
    NotJoined,
    /// The room's rules forbid it.
    #[error("{0}")]
    Forbidden(String),
    /// What was sent breaks a rule of its event type.
    #[error("{0}")]
    BadContent(String),
    /// What was sent cannot be an event.
    #[error(transparent)]
    Event(#[from] orvale_events::Error),
    /// A parameter is malformed.
    #[error("{0}")]
    InvalidParam(String),
    /// The room version is not one we speak.
    #[error("this server does not support room version {0}")]
    UnsupportedRoomVersion(String),
    /// The room is known, but reached only through servers that we cannot ask.
    #[error("the room can only be reached through other servers, and federation is not available")]
    Unreachable,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] orvale_storage::Error),
    /// Something that cannot be went wrong.
    #[error("{0}")]
    Internal(String),
}
