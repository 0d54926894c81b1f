//! What an answer tells of a room's history.

use std::sync::Arc;

use orvale_rooms::{Order, Room, StateId, StoredEvent, Viewer};
use orvale_storage::Position;

use super::answer::Writer;
use crate::{
    Result,
    follow::RecentEvent,
    walk::{Stretch, Verdict, walk},
};

/// Which part of a room's history is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    /// What the client knows, if it knows the room.
    pub(super) since: Option<Position>,
    /// Whether it wants the last events even if it knows them.
    pub(super) anew: bool,
    /// The end.
    pub(super) upto: Position,
    /// All events since what the client knows, where they are remembered.
    pub(super) recent: Option<&'a [RecentEvent]>,
    /// Whether the reader was in the room all the time since.
    pub(super) all_seen: bool,
    /// How many events at most.
    pub(super) limit: usize,
}

/// The end of a room's history, as far as one answer tells it.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The events to show, oldest first.
    pub(super) events: Vec<Arc<StoredEvent>>,
    /// Whether there are more events to show before these that the client does not know.
    pub(super) limited: bool,
    /// The place before the first of them.
    pub(super) prev_batch: Order,
    /// The state that the client knows.
    pub(super) known: StateId,
    /// The state at the end.
    pub(super) end: StateId,
}

impl Writer<'_> {
    /// The end of a room's history.
    pub(super) fn timeline(
        &self,
        room: &Room,
        viewer: &mut Viewer<'_>,
        span: Span<'_>,
    ) -> Result<Timeline> {
        let until = span.since.filter(|_| !span.anew);
        let stretch = Stretch {
            from: Order::live(span.upto),
            until: until.map_or(Order::START, Order::live),
            recent: span.recent.filter(|_| until.is_some()),
            limit: span.limit,
            first_page: if until.is_some() { 20 } else { 2 },
        };
        let walked = walk(&self.inner.rooms, room, stretch, |event, _| {
            Ok(match self.shows(event, viewer, span)? {
                true => Verdict::Shown,
                false => Verdict::Passed,
            })
        })?;
        let end = match walked.end {
            Some(end) => end,
            None => self.state_at(room, span.upto)?,
        };
        let known = match (span.since, walked.first.filter(|_| walked.complete)) {
            (None, _) => StateId::EMPTY,
            (Some(_), None) if walked.complete => end,
            (Some(_), Some(first)) if until.is_some() && first.record.is_live() => {
                first.room_before()
            }
            (Some(since), _) => self.state_at(room, since)?,
        };
        let nothing = Order::live(until.unwrap_or(span.upto));
        Ok(Timeline {
            events: walked.events,
            limited: walked.limited,
            prev_batch: walked.prev_batch.unwrap_or(nothing),
            known,
            end,
        })
    }

    /// The state of a room at a position.
    pub(super) fn state_at(&self, room: &Room, at: Position) -> Result<StateId> {
        let last = self
            .inner
            .rooms
            .list_backwards(room, Order::live(at), Order::START, 1)?;
        Ok(last
            .first()
            .map_or(StateId::EMPTY, |(_, event)| event.room_after()))
    }

    /// Whether an event is shown to the reader who asks.
    fn shows(&self, event: &StoredEvent, viewer: &mut Viewer<'_>, span: Span<'_>) -> Result<bool> {
        // Clients hear nothing of those whom they ignore, except what makes up the room.
        if event.pdu.state_key.is_none() && self.ignored.contains(&event.pdu.sender) {
            return Ok(false);
        }
        let seen = span.all_seen && span.since.is_some_and(|since| event.position > since);
        Ok(seen || viewer.sees(event)?)
    }
}
