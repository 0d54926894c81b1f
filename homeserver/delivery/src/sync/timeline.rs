//! What a room's section holds of its history.

use std::{collections::HashSet, sync::Arc};

use orvale_rooms::{Order, Room, StateId, StoredEvent, Viewer};
use orvale_storage::Position;
use ruma::events::TimelineEventType;

use super::answer::Writer;
use crate::{
    Result,
    follow::RecentEvent,
    walk::{Stretch, Verdict, walk},
};

/// The end of a room's history, as far as one answer tells it.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The events to show, oldest first.
    pub(super) events: Vec<Arc<StoredEvent>>,
    /// Whether events to show are missing between what the client knows and these.
    pub(super) limited: bool,
    /// The place before the first of them.
    pub(super) prev_batch: Order,
    /// The state that the client knows.
    pub(super) known: StateId,
    /// The state before the first event shown; at the end, if there is none.
    pub(super) start: StateId,
    /// The state at the end.
    pub(super) end: StateId,
}

/// State of which a walk backwards has met the last event.
#[derive(Debug, Default)]
struct Settled {
    /// It is shown.
    shown: HashSet<(TimelineEventType, String)>,
    /// It is not.
    passed: HashSet<(TimelineEventType, String)>,
}

/// Which part of a room's history is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    /// What the client knows, if it knows the room.
    pub(super) since: Option<Position>,
    /// The end.
    pub(super) upto: Position,
    /// All events of it, where they are remembered.
    pub(super) recent: Option<&'a [RecentEvent]>,
    /// Whether the reader was in the room all the time.
    pub(super) all_seen: bool,
    /// An event that the reader is told of, though they may not see others of the kind: that they are out.
    pub(super) told: Option<Position>,
}

impl Writer<'_> {
    /// The end of a room's history; `None` if nothing happened since the client's token.
    pub(super) fn timeline(
        &self,
        room: &Room,
        viewer: &mut Viewer<'_>,
        span: Span<'_>,
    ) -> Result<Option<Timeline>> {
        let rooms = &self.inner.rooms;
        let shows_any = self.asked.filter.timeline.takes_room(&room.id);
        // State of which something later than what the walk still meets is settled: shown, or passed over.
        let mut settled = Settled::default();
        let stretch = Stretch {
            from: Order::live(span.upto),
            until: span.since.map_or(Order::START, Order::live),
            recent: span.recent,
            limit: self.asked.filter.timeline_limit,
            first_page: 20,
        };
        let walked = walk(rooms, room, stretch, |event, end| {
            if shows_any && self.shows(event, viewer, span)? {
                return Ok(match self.is_outdated(event, end, &mut settled)? {
                    true => Verdict::Barred,
                    false => Verdict::Shown,
                });
            }
            if let Some(state_key) = &event.pdu.state_key {
                let key = (event.pdu.kind.clone(), state_key.clone());
                settled.passed.insert(key);
            }
            Ok(Verdict::Passed)
        })?;
        let Some(first) = walked.first else {
            return Ok(None);
        };
        let known = match span.since {
            None => StateId::EMPTY,
            // Of what was fetched later, nobody knew when it was news.
            Some(_) if walked.complete && first.record.is_live() => first.room_before(),
            Some(since) => {
                let before = rooms.list_backwards(room, Order::live(since), Order::START, 1)?;
                before
                    .first()
                    .map_or(StateId::EMPTY, |(_, event)| event.room_after())
            }
        };
        let end = walked.end.unwrap_or(StateId::EMPTY);
        let start = walked.events.first().map(|event| event.room_before());
        let nothing = Order::live(span.since.unwrap_or_default());
        Ok(Some(Timeline {
            events: walked.events,
            limited: walked.limited,
            prev_batch: walked.prev_batch.unwrap_or(nothing),
            known,
            start: start.unwrap_or(end),
            end,
        }))
    }

    /// Whether a client would take an event for the room's state though it is not: a later one, which it is not shown, has replaced it, or it does
    /// not count where forks met. It would, if it updates its state by the timeline; then the timeline starts after the event.
    fn is_outdated(
        &self,
        event: &StoredEvent,
        end: StateId,
        settled: &mut Settled,
    ) -> Result<bool> {
        let Some(state_key) = event.pdu.state_key.as_deref() else {
            return Ok(false);
        };
        if self.asked.state_after {
            return Ok(false);
        }
        let key = (event.pdu.kind.clone(), state_key.to_owned());
        if settled.passed.contains(&key) {
            return Ok(true);
        }
        if settled.shown.contains(&key) {
            return Ok(false);
        }
        let kind = event.pdu.kind.to_string().into();
        let counts = self.inner.rooms.find_state_at(end, &kind, state_key)?;
        settled.shown.insert(key);
        Ok(counts.is_none_or(|counts| counts.position != event.position))
    }

    /// Whether an event is shown to the reader who asks.
    fn shows(&self, event: &StoredEvent, viewer: &mut Viewer<'_>, span: Span<'_>) -> Result<bool> {
        // Clients hear nothing of those whom they ignore, except what makes up the room.
        if event.pdu.state_key.is_none()
            && !self.ignored.is_empty()
            && self.ignored.contains(&event.pdu.sender)
        {
            return Ok(false);
        }
        let seen = span.all_seen || span.told == Some(event.position);
        Ok(self.asked.filter.timeline.takes(event) && (seen || viewer.sees(event)?))
    }
}
