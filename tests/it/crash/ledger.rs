//! What somebody was told, and what somebody asked for and was not told of.

use std::collections::BTreeMap;

use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;

/// The rooms.
#[derive(Clone, Default)]
pub(crate) struct Places {
    /// Where everybody is.
    pub(crate) shared: Vec<String>,
    /// Where people come and go.
    pub(crate) doors: Vec<String>,
}

/// A person with their ledger.
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) user_id: String,
    /// The tokens of all devices; the first is the one that works.
    pub(crate) tokens: Vec<String>,
    /// Events, the same request of which makes no second one.
    pub(crate) sent: Vec<Sent>,
    /// How many of these were verified in earlier rounds.
    pub(crate) verified: usize,
    pub(crate) slots: BTreeMap<Slot, Kept>,
    pub(crate) media: Vec<(String, Vec<u8>)>,
    pub(crate) verified_media: usize,
    /// The number of what is done next.
    pub(crate) next: u64,
    pub(crate) random: StdRng,
}

/// An event that was sent.
pub(crate) struct Sent {
    pub(crate) room: String,
    /// The request: path with transaction ID, and body.
    pub(crate) path: String,
    pub(crate) body: Value,
    /// None if there was no answer.
    pub(crate) event_id: Option<String>,
    /// Whether it was redacted.
    pub(crate) redacted: Redacted,
    /// Whether it is a redaction itself.
    pub(crate) is_redaction: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redacted {
    No,
    /// Asked for, without an answer.
    Perhaps,
    Yes,
}

/// Something that has one value at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// A state event in a shared room whose key is the user's name.
    State(String),
    AccountData,
    RoomAccountData(String),
    /// The public receipt of the person in a shared room.
    Receipt(String),
    /// Whether the person is in a room.
    Membership(String),
    DisplayName,
}

/// The value of a slot.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) acknowledged: Option<Value>,
    /// Asked for last, without an answer.
    pub(crate) unsure: Option<Value>,
}

impl Person {
    pub(crate) fn new(number: usize, user_id: &str, token: &str) -> Self {
        Self {
            number,
            user_id: user_id.to_owned(),
            tokens: vec![token.to_owned()],
            sent: Vec::new(),
            verified: 0,
            slots: BTreeMap::new(),
            media: Vec::new(),
            verified_media: 0,
            next: 0,
            random: StdRng::from_rng(&mut rand::rng()),
        }
    }
}
