//! What can be refused about rooms.

use ruma::{OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedUserId};

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
    /// No event near that time.
    #[error("there is no event from then on in that direction that you can see")]
    NoEventThen,
    /// No state of this type and key.
    #[error("the room has no such state")]
    NoSuchState,
    /// The user is not joined to the room.
    #[error("you are not a member of this room")]
    NotJoined,
    /// No such local user.
    #[error("there is no user {0} on this server")]
    UnknownUser(OwnedUserId),
    /// The user is another server's, and federation is not available.
    #[error("{0} is a user of another server, and federation is not available")]
    RemoteUser(OwnedUserId),
    /// The user takes no invites.
    #[error("{0} does not take invites")]
    InviteBlocked(OwnedUserId),
    /// No such alias.
    #[error("there is no room alias {0}")]
    UnknownAlias(OwnedRoomAliasId),
    /// The alias already stands for a room.
    #[error("the room alias {0} is already taken")]
    AliasInUse(OwnedRoomAliasId),
    /// An alias in `m.room.canonical_alias` does not stand for the room.
    #[error("{0}")]
    BadAlias(String),
    /// The first state that was asked for is not one a room can have.
    #[error("the room cannot start like this: {0}")]
    InvalidRoomState(String),
    /// The user has already reacted with this key.
    #[error("you have already reacted to this event with this key")]
    DuplicateAnnotation,
    /// A thread starts from an event that does not relate to another itself.
    #[error(
        "a thread cannot start from an event that is itself part of something: answer in its thread"
    )]
    NestedThread,
    /// The event for which a thread is to be followed is not in it.
    #[error("{0} is not in this thread")]
    NotInThread(OwnedEventId),
    /// Whether the user may join depends on rooms that this server knows nothing of.
    #[error("this server is in none of the rooms whose members may join")]
    UnableToAuthoriseJoin,
    /// No member of this server may let the user in.
    #[error("no member of this server has the power to let you in")]
    UnableToGrantJoin,
    /// The room does not admit guests.
    #[error("this room does not admit guests")]
    GuestsForbidden,
    /// The user is still in the room.
    #[error("leave the room before you forget it")]
    StillInRoom,
    /// Third-party invites need an identity server.
    #[error("this server does not invite by e-mail address or phone number")]
    ThirdPartyInvite,
    /// The room's rules forbid it.
    #[error("{0}")]
    Forbidden(String),
    /// This server does not let its people do that.
    #[error(transparent)]
    Policy(#[from] orvale_policy::Refusal),
    /// The user has reported very much already.
    #[error("you have reported {0} things that nobody has dealt with yet")]
    TooManyReports(usize),
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
    /// Not all members of the room are known here yet.
    #[error(
        "this server has joined the room a short while ago and does not know all of its members yet"
    )]
    PartialState,
    /// The room is known, but reached only through servers that we cannot ask.
    #[error("the room can only be reached through other servers, and federation is not available")]
    Unreachable,
    /// The other server does not know the room's version.
    #[error("your server does not know version {0}, which the room is of")]
    IncompatibleRoomVersion(String),
    /// Another server refused, or could not be reached.
    #[error(transparent)]
    Remote(#[from] orvale_federation_client::Error),
    /// The room's policy server refuses the event, in its words.
    #[error("the room's policy server refuses it: {0}")]
    PolicyServer(Box<orvale_federation_client::Answered>),
    /// Too much waits for the room's policy server.
    #[error("too much waits for the room's policy server")]
    PolicyServerBusy,
    /// Something about the people of this server failed.
    #[error(transparent)]
    Users(#[from] orvale_users::Error),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] orvale_storage::Error),
    /// Something that cannot be went wrong.
    #[error("{0}")]
    Internal(String),
}
