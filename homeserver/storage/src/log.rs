//! The log: every durable change that somebody else must learn of, in one total order.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A place in the log. Positions grow; some are never used. [`Position::START`] is before the first.
///
/// Sync tokens are positions, and so are the numbers that stand for rooms and events inside the store: that of the entry
/// which made them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Position(pub u64);

impl Position {
    /// Before every entry.
    pub const START: Self = Self(0);
    /// After every entry.
    pub const END: Self = Self(u64::MAX);

    /// The position just after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An entry of the log: what changed, with just enough to find it. (An event is kept here itself: it is written once and
/// read at its position.)
///
/// New kinds go at the end: the order is the stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// An event, in `rooms`' hands.
    Event(EventRecord),
    /// A room came to be known; its number is this position.
    Room {
        /// The room's ID.
        room_id: String,
    },
    /// A receipt of a user in a room changed.
    Receipt {
        /// The room's number.
        room: Position,
        /// Whose receipt.
        user_id: String,
        /// Whether only its user may see it (`m.read.private`).
        private: bool,
    },
    /// Account data of a local user changed, in one room or for all.
    AccountData {
        /// Whose.
        user_id: String,
        /// The room's number, if it is about a room.
        room: Option<Position>,
        /// The event type.
        kind: String,
    },
    /// A local user's push rules changed (the account data `m.push_rules`).
    PushRules {
        /// Whose.
        user_id: String,
    },
    /// A message waits for a local device.
    ToDevice {
        /// Whose device.
        user_id: String,
        /// The device's ID.
        device_id: String,
    },
    /// A user's devices or their keys changed.
    DeviceList {
        /// Whose.
        user_id: String,
    },
    /// The number of one-time or fallback keys of a local device changed.
    DeviceKeyCounts {
        /// Whose device.
        user_id: String,
        /// The device's ID.
        device_id: String,
    },
    /// A local user's profile changed.
    Profile {
        /// Whose.
        user_id: String,
    },
    /// An access token, device or account ended: what waits in its name is to be let go.
    SessionEnded {
        /// Whose.
        user_id: String,
        /// The device, or all of them.
        device_id: Option<String>,
    },
    /// A room's directory entry or alias changed.
    Directory {
        /// The room's ID.
        room_id: String,
    },
    /// A local user forgot a room.
    Forgotten {
        /// Who.
        user_id: String,
        /// The room's number.
        room: Position,
    },
    /// A local user set a pusher.
    Pushers {
        /// Whose.
        user_id: String,
    },
    /// Keys look different to one local user alone: who signed somebody's key, or has another user-signing key.
    KeySignatures {
        /// To whom.
        user_id: String,
        /// Whose keys.
        of: String,
    },
    /// A local user follows another thread, or one less.
    ThreadSubscription {
        /// Who.
        user_id: String,
    },
    /// An event that another server handed to this one to be passed on to the room's servers.
    Forward {
        /// The event's number.
        event: Position,
        /// The server it came from, which has it.
        from: String,
    },
    /// How a local user stands in a room changed, and this server knows the room from outside only: an invite came, a knock went out,
    /// or one of these was taken back.
    Membership {
        /// Whose.
        user_id: String,
        /// The room's number.
        room: Position,
    },
    /// An event that had been known for the auth chain of others only became part of its room's timeline.
    Arrived {
        /// Its number.
        event: Position,
    },
    /// A message waits for devices of another server's users: in [`crate::trees::users::TO_DEVICE_ELSEWHERE`] at this position.
    ToDeviceElsewhere {
        /// The server.
        server: String,
    },
    /// All members of a room came to be known, later than this server came into it: what was known of the room was set right.
    Whole {
        /// The room's number.
        room: Position,
    },
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// The number of its room.
    pub room: Position,
    /// Its ID.
    pub event_id: String,
    /// The state of the room before it: the ID of a node of [`crate::trees::rooms::STATE_NODES`].
    pub state_before: u64,
    /// The state after it; another one only for an accepted state event.
    pub state_after: u64,
    /// Whether it stands.
    pub standing: Standing,
    /// How its local sender named it (`unsigned.transaction_id`).
    pub transaction: Option<Transaction>,
    /// The PDU as canonical JSON, signatures and hashes included, in the room version's federation format.
    pub pdu: Bytes,
    /// What Orvale adds under `unsigned` for every reader (`prev_content`, `redacted_because`, …), as a JSON object's
    /// inside without braces; empty for nothing.
    pub unsigned: Bytes,
    /// Where it stands in the timeline.
    pub place: Place,
}

impl EventRecord {
    /// Whether it is accepted, and was news when it came.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.standing == Standing::Accepted && !matches!(self.place, Place::Past { .. })
    }
}

/// Where an event stands in its room's timeline, and what the room was like there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Place {
    /// At its position. The room's state was the event's own, before and after it.
    #[default]
    Live,
    /// At its position, in a room whose history had forked: the room's state before and after it, which is what other forks have in it
    /// too.
    Merged {
        /// Before.
        before: u64,
        /// After.
        after: u64,
    },
    /// Later than its position, where [`Entry::Arrived`] names it: it had been known for the auth chain of others before.
    Late {
        /// Its order in [`crate::trees::rooms::TIMELINE`].
        order: u64,
        /// The room's state before it came.
        before: u64,
        /// The room's state after it came.
        after: u64,
    },
    /// Before the first live event, or in a gap between two: it was fetched later than what came after it.
    Past {
        /// Its order in [`crate::trees::rooms::TIMELINE`].
        order: u64,
    },
}

/// Where an event stands with the auth rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Part of its room.
    Accepted,
    /// Known for the auth chain of others only, without the state before it.
    Outlier,
    /// Refused by the auth rules at its place: kept for the graph, shown to nobody.
    Rejected,
    /// Allowed at its place, refused by the state of when it came: not shown, but others may build on it.
    SoftFailed,
}

/// The transaction ID of a local device for an event it sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The device that sent it.
    pub device_id: String,
    /// The ID it chose.
    pub transaction_id: String,
}
