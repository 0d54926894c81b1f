//! Trees of `delivery`.

use serde::{Deserialize, Serialize};

use crate::{Position, Tree, tree::Described};

/// What a push gateway is still owed, where it could not be told at once: localpart, app ID, pushkey → [`Owed`]. Written together
/// with the cursor of the follower that tells push gateways: what is neither here nor after that cursor has been told.
pub const OWED: Tree<(String, String, String), Owed> = Tree::new(0x0301, "owed_pushes");

/// What a push gateway is still owed for one pusher.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Owed {
    /// The numbers of the events, oldest first.
    pub events: Vec<Position>,
    /// Whether the number of what is unread has changed.
    pub badge: bool,
}

/// What a user has not read in a room, as it was found out some time ago: localpart, number of the room → [`UnreadRecord`]. It
/// spares looking at the same events again after a restart; without it, and from it, all is found out anew.
pub const UNREAD: Tree<(String, Position), UnreadRecord> = Tree::new(0x0302, "unread");

/// What a user had not read in a room.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnreadRecord {
    /// Up to where events were looked at.
    pub upto: Position,
    /// The room's last receipt when the user's were last read.
    pub receipts: Position,
    /// Up to where all is read, whatever the thread, as a place in the timeline.
    pub read: u64,
    /// The main timeline, which has no root, then the threads: up to where each is read.
    pub threads: Vec<(Option<String>, u64)>,
    /// Events that notify and are not read, oldest first: each with its place in `threads`, and whether it is a highlight.
    pub items: Vec<(Position, u32, bool)>,
}

/// What other servers are still to be told: server name, position in the log → [`ToServer`]. The log has what it is. Written together with
/// the cursor of the follower that finds out whom to tell; removed when the server has it.
pub const TO_SERVERS: Tree<(String, Position), ToServer> = Tree::new(0x0303, "to_servers");

/// What is to be told of an entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToServer {
    /// What it says.
    Entry,
    /// It is a local user's joining, and the server did not follow the user's devices before: it and the devices.
    EntryAndDevices,
}

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[&OWED, &UNREAD, &TO_SERVERS];
