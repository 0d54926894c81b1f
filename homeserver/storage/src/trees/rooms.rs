//! Trees of `rooms`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Position, Tree, record::JsonText, tree::Described};

/// Room ID → the room's number, the position of its [`crate::Entry::Room`].
pub const ROOM_NUMBERS: Tree<(String,), Position> = Tree::new(0x0101, "room_numbers");

/// Room's number → what never changes about it.
pub const ROOMS: Tree<(Position,), RoomRecord> = Tree::new(0x0102, "rooms");

/// Room's number → where it stands; written with each of its events.
pub const HEADS: Tree<(Position,), HeadRecord> = Tree::new(0x0103, "heads");

/// Event ID → the event's number, its position in the log.
pub const EVENT_NUMBERS: Tree<(String,), Position> = Tree::new(0x0104, "event_numbers");

/// Room's number, order → the event there: the room as its members may read it, accepted events only.
///
/// A live event's order is its position with the highest bit set; one fetched later from before its room's first known
/// event counts downwards from there, and one that filled a gap counts downwards from the gap's end.
pub const TIMELINE: Tree<(Position, u64), Position> = Tree::new(0x0105, "timeline");

/// Room's number, event type, state key → the event that is the room's state there now.
pub const CURRENT_STATE: Tree<(Position, String, String), StateRecord> =
    Tree::new(0x0106, "current_state");

/// User ID, room's number → how the user stands in the room. For every user who was ever more than a stranger there.
pub const MEMBERSHIPS: Tree<(String, Position), MembershipRecord> =
    Tree::new(0x0107, "memberships");

/// Position of the event that made them, chunk → nodes of the tries that hold rooms' states (see `rooms::state`).
pub const STATE_NODES: Tree<(Position, u32), Vec<StateNode>> = Tree::new(0x0108, "state_nodes");

/// User ID, device ID, request (endpoint's name, room, event type and transaction ID) → the event it made: the same request
/// again makes no second one.
pub const TRANSACTIONS: Tree<(String, String, String), String> = Tree::new(0x0109, "transactions");

/// Event ID of the parent, `rel_type`, event's number of the child → the child's sender and aggregation key (`""` for none):
/// who relates to an event.
pub const RELATIONS: Tree<(String, String, Position), RelationRecord> =
    Tree::new(0x010a, "relations");

/// Room's number, event ID of a thread's first event → nothing: which threads there are in a room. It stays when all answers
/// are redacted.
pub const THREADS: Tree<(Position, String), ()> = Tree::new(0x0110, "threads");

/// What never changes about a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRecord {
    /// Its ID.
    pub room_id: String,
    /// Its room version.
    pub version: String,
}

/// Where a room stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeadRecord {
    /// The IDs of the events that no known event follows.
    pub extremities: Vec<String>,
    /// The greatest depth of these.
    pub depth: u64,
    /// The state after all of them.
    pub state: u64,
    /// The last event of the timeline.
    pub latest: Position,
    /// How many users are joined.
    pub joined: u64,
    /// How many users are invited.
    pub invited: u64,
}

/// An event of a room's current state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRecord {
    /// Its number.
    pub event: Position,
    /// For `m.room.member`: the membership.
    pub membership: Option<Membership>,
}

/// How a user stands in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipRecord {
    /// The member event's number.
    pub event: Position,
    /// What it says.
    pub membership: Membership,
    /// What it said before, if it said anything.
    pub before: Option<Membership>,
    /// Whether the user was joined at any time.
    pub was_joined: bool,
    /// Whether the user forgot the room.
    pub forgotten: bool,
    /// Where it came to be so, if that is not the member event's position: another event made forks meet, and the member event was
    /// there before.
    pub since: Option<Position>,
}

impl MembershipRecord {
    /// Where it came to be so.
    #[must_use]
    pub fn at(&self) -> Position {
        self.since.unwrap_or(self.event)
    }
}

/// The membership of a user in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Membership {
    /// Asked to come.
    Invite,
    /// In it.
    Join,
    /// Asks to be let in.
    Knock,
    /// Gone, kicked or refused.
    Leave,
    /// Kept out.
    Ban,
}

impl Membership {
    /// Its name in the specification.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Join => "join",
            Self::Knock => "knock",
            Self::Leave => "leave",
            Self::Ban => "ban",
        }
    }
}

/// A node of the trie that holds a room's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateNode {
    /// Few entries: the hash of type and state key, and the event's number, sorted by hash.
    Leaf(Vec<([u8; 16], Position)>),
    /// A child for each value of the next four bits of the hash that occurs: which values, and the children's IDs.
    Branch(u16, Vec<u64>),
}

/// An event that relates to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationRecord {
    /// Its room's number. The other event is perhaps in another room; that counts for nothing.
    pub room: Position,
    /// Its sender.
    pub sender: String,
    /// Its type.
    pub kind: String,
    /// The annotation's key.
    pub key: String,
}

/// Room alias → what it stands for. Put with the precondition that it is absent: of two who want one, one gets it.
pub const ALIASES: Tree<(String,), AliasRecord> = Tree::new(0x010b, "aliases");

/// What a local room alias stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasRecord {
    /// The room's number.
    pub room: Position,
    /// Who made the alias.
    pub creator: String,
}

/// Room's number, room alias: the local aliases of a room.
pub const ROOM_ALIASES: Tree<(Position, String), ()> = Tree::new(0x010c, "room_aliases");

/// Room's number: the rooms that the public directory lists.
pub const PUBLISHED: Tree<(Position,), ()> = Tree::new(0x010d, "published");

/// Room's number, user ID, receipt type, thread ID (`""` for unthreaded) → the receipt.
pub const RECEIPTS: Tree<(Position, String, String, String), ReceiptRecord> =
    Tree::new(0x010e, "receipts");

/// How far a user has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptRecord {
    /// The position at which it came to stand here.
    pub at: Position,
    /// The event.
    pub event_id: String,
    /// The event's order in the timeline.
    pub order: u64,
    /// When it was sent, in milliseconds since the Unix epoch.
    pub timestamp: u64,
}

/// Room's number, position → whose receipt in [`RECEIPTS`] changed there; only the last change of each is kept.
pub const RECEIPT_STREAM: Tree<(Position, Position), ReceiptKey> =
    Tree::new(0x010f, "receipt_stream");

/// The rest of the key of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptKey {
    /// Whose it is.
    pub user_id: String,
    /// Its type.
    pub kind: String,
    /// Its thread ID, `""` for unthreaded.
    pub thread: String,
}

/// Two local users, the localpart that sorts first before the other → the number of the room in which they write each other directly. Put with
/// what was there before as the precondition: of two who make that room at once, one does.
pub const DIRECT_ROOMS: Tree<(String, String), Position> = Tree::new(0x0118, "direct_rooms");

/// What people reported to the administrators: its number → the report. Numbers grow with time.
pub const REPORTS: Tree<(u64,), ReportRecord> = Tree::new(0x0119, "reports");

/// Who reported, what they reported → the number of the report in [`REPORTS`]: whoever reports the same again says it anew.
pub const REPORTED: Tree<(String, String), u64> = Tree::new(0x011a, "reported");

/// Room's number, ID of an event that is not known here, or not with its state → what is known of it: where the room's history has a gap, or
/// begins.
pub const GAPS: Tree<(Position, String), GapRecord> = Tree::new(0x0121, "gaps");

/// Room's number, order in [`TIMELINE`], ID of an event that is not known here → nothing: before the event of that order, and after the one before it, the
/// room's history has a gap that ends with that event. Orders are left out there for what is fetched.
pub const BREAKS: Tree<(Position, u64, String), ()> = Tree::new(0x0131, "breaks");

/// An event that others follow and that is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapRecord {
    /// Its depth, as those who follow it have it.
    pub depth: u64,
    /// Whether the history begins after it: what is before can be fetched.
    pub is_beginning: bool,
}

/// ID of an event that is not known here, redaction's number: redactions that came before what they redact.
pub const HELD_REDACTIONS: Tree<(String, Position), ()> = Tree::new(0x0122, "held_redactions");

/// Room ID, when it came in milliseconds since the epoch, a number → an event of another server that was acknowledged and is still to be taken in: its room
/// was too slow for its transaction.
pub const INBOX: Tree<(String, u64, u64), InboxRecord> = Tree::new(0x0130, "inbox");

/// An event that waits to be taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRecord {
    /// The server that sent it.
    pub origin: String,
    /// The PDU as it came, JSON.
    pub pdu: JsonText,
}

/// Room's number → how this server came into it, of rooms whose members it does not all know yet.
pub const PARTIAL_ROOMS: Tree<(Position,), PartialRecord> = Tree::new(0x0132, "partial_rooms");

/// Room's number, position at which it took its place → number of an event that stands on a state without all members: what is judged
/// anew once these are known, in this order.
pub const PARTIAL_EVENTS: Tree<(Position, Position), Position> =
    Tree::new(0x0133, "partial_events");

/// Room's number → the position at which all its members came to be known, of rooms where that was later than the join.
pub const WHOLE_SINCE: Tree<(Position,), Position> = Tree::new(0x0134, "whole_since");

/// Room's number, number of an event → what a redaction took from it while not all members of the room were known: given back if that
/// turns out to have been forbidden, gone otherwise once they are known.
pub const PARTIAL_REDACTED: Tree<(Position, Position), RedactedRecord> =
    Tree::new(0x0135, "partial_redacted");

/// An event as it was before it was redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactedRecord {
    /// The PDU, as [`crate::EventRecord::pdu`] has it.
    pub pdu: Bytes,
}

/// How this server came into a room without being told of all members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialRecord {
    /// The number of the join.
    pub join: Position,
    /// The server that let it in.
    pub via: String,
    /// The servers that were in the room then, as that one said.
    pub servers: Vec<String>,
}

/// Number of a member event of a local user, in a room that this server knows from outside only → the stripped state that came with it,
/// a JSON list.
pub const STRIPPED: Tree<(Position,), JsonText> = Tree::new(0x0120, "stripped");

/// Something that somebody found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRecord {
    /// Who says so.
    pub reporter: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Why; may be empty.
    pub reason: String,
    /// What is wrong.
    pub subject: ReportSubject,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReportSubject {
    /// An event.
    Event {
        /// The room's ID.
        room_id: String,
        /// The event's ID.
        event_id: String,
        /// Who sent it.
        sender: String,
        /// The event as it was when it was reported, a JSON object: it may be gone when somebody looks.
        event: JsonText,
    },
    /// A whole room.
    Room {
        /// Its ID.
        room_id: String,
    },
    /// A person.
    User {
        /// Their ID.
        user_id: String,
    },
}

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[
    &ROOM_NUMBERS,
    &ROOMS,
    &HEADS,
    &EVENT_NUMBERS,
    &TIMELINE,
    &CURRENT_STATE,
    &MEMBERSHIPS,
    &STATE_NODES,
    &TRANSACTIONS,
    &RELATIONS,
    &THREADS,
    &ALIASES,
    &ROOM_ALIASES,
    &PUBLISHED,
    &RECEIPTS,
    &RECEIPT_STREAM,
    &DIRECT_ROOMS,
    &REPORTS,
    &REPORTED,
    &GAPS,
    &BREAKS,
    &HELD_REDACTIONS,
    &INBOX,
    &STRIPPED,
    &PARTIAL_ROOMS,
    &PARTIAL_EVENTS,
    &PARTIAL_REDACTED,
    &WHOLE_SINCE,
];
