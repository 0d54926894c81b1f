//! What a search gives.

use orvale_rooms::{Around, Shown};
use ruma::{OwnedEventId, OwnedRoomId, OwnedUserId};

use crate::Token;

/// A page of what was found.
#[derive(Debug, Default)]
pub struct Page<'a> {
    /// How many events say it, as far as is known: those on this page are judged for the reader, those after it not yet.
    pub count: usize,
    /// What was found, in the order asked for.
    pub hits: Vec<Hit<'a>>,
    /// The words by which it was found, as they stand there.
    pub highlights: Vec<String>,
    /// Where the next page starts.
    pub next: Option<Token>,
    /// The hits by what was asked to group them by.
    pub groups: Vec<(GroupKey, Vec<Group>)>,
}

/// Something that was found.
#[derive(Debug)]
pub struct Hit<'a> {
    /// How well it matches.
    pub rank: f32,
    /// The event.
    pub event: Shown<'a>,
    /// Its room.
    pub room_id: OwnedRoomId,
    /// What was said around it, if that was asked for.
    pub around: Option<Around<'a>>,
    /// Who wrote these events, as they called themselves then, if that was asked for.
    pub profiles: Vec<Profile>,
}

/// What somebody called themselves in a room.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Who.
    pub user_id: OwnedUserId,
    /// Their name there and then.
    pub display_name: Option<String>,
    /// Their picture.
    pub avatar_url: Option<String>,
}

/// What hits are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKey {
    /// Their room.
    Room,
    /// Who sent them.
    Sender,
}

/// Hits that belong together.
#[derive(Debug, Clone)]
pub struct Group {
    /// The room or the sender.
    pub value: String,
    /// The hits of this page in it.
    pub events: Vec<OwnedEventId>,
    /// Where its next page starts.
    pub next: Option<Token>,
}
