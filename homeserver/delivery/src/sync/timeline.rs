//! What a room's section holds of its history.

use std::{collections::HashSet, sync::Arc};

use orvale_rooms::{Order, Room, StateId, StoredEvent, Viewer};
use orvale_storage::Position;
use ruma::events::TimelineEventType;

use super::answer::Writer;
use crate::{Result, follow::RecentEvent};

/// How many events of one room are looked at for one answer: what is left then is a gap for the client to fill.
const LOOKS: usize = 2000;

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
    /// Member events that were looked at, shown or not.
    pub(super) members: Vec<Arc<StoredEvent>>,
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
        let limit = self.asked.filter.timeline_limit;
        let mut walk = Walk::new(self, room, span);
        let mut timeline = Timeline {
            events: Vec::new(),
            limited: false,
            prev_batch: Order::live(span.since.unwrap_or_default()),
            known: StateId::EMPTY,
            start: StateId::EMPTY,
            end: StateId::EMPTY,
            members: Vec::new(),
        };
        let shows_any = self.asked.filter.timeline.takes_room(&room.id);
        let mut first: Option<(Order, Arc<StoredEvent>)> = None;
        let mut looks = 0;
        let mut complete = false;
        // State that was passed over, being later than what the walk still meets.
        let mut passed = HashSet::new();
        loop {
            let Some((order, event)) = walk.next(limit)? else {
                complete = true;
                break;
            };
            if looks == 0 {
                timeline.end = event.state_after();
            }
            let shown = shows_any && self.shows(&event, viewer, span)?;
            let is_over = shown && timeline.events.len() == limit || looks == LOOKS;
            if is_over || shown && self.is_outdated(&event, &passed) {
                timeline.limited = true;
                break;
            }
            if !shown && let Some(state_key) = &event.pdu.state_key {
                passed.insert((event.pdu.kind.clone(), state_key.clone()));
            }
            looks += 1;
            if event.pdu.kind == TimelineEventType::RoomMember && event.pdu.state_key.is_some() {
                timeline.members.push(event.clone());
            }
            if shown {
                timeline.prev_batch = order.before();
                timeline.events.push(event.clone());
            }
            first = Some((order, event));
        }
        timeline.events.reverse();
        timeline.members.reverse();
        timeline.start = timeline
            .events
            .first()
            .map_or(timeline.end, |event| event.state_before());
        let Some((order, first)) = first else {
            return Ok(None);
        };
        if timeline.limited && timeline.events.is_empty() {
            timeline.prev_batch = order.before();
        }
        timeline.known = match span.since {
            None => StateId::EMPTY,
            Some(_) if complete => first.state_before(),
            Some(since) => {
                let before = rooms.list_backwards(room, Order::live(since), Order::START, 1)?;
                before
                    .first()
                    .map_or(StateId::EMPTY, |(_, event)| event.state_after())
            }
        };
        Ok(Some(timeline))
    }

    /// Whether a client would take an event for the room's state though a later one, which it is not shown, has replaced it. It would,
    /// if it updates its state by the timeline; then the timeline starts after the event.
    fn is_outdated(
        &self,
        event: &StoredEvent,
        passed: &HashSet<(TimelineEventType, String)>,
    ) -> bool {
        let key = || Some((event.pdu.kind.clone(), event.pdu.state_key.clone()?));
        !self.asked.state_after
            && !passed.is_empty()
            && key().is_some_and(|key| passed.contains(&key))
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

/// The events of a span, newest first.
struct Walk<'a, 'b> {
    writer: &'a Writer<'b>,
    room: &'a Room,
    span: Span<'a>,
    recent: Option<&'a [RecentEvent]>,
    page: std::vec::IntoIter<(Order, Arc<StoredEvent>)>,
    from: Order,
    done: bool,
}

impl<'a, 'b> Walk<'a, 'b> {
    fn new(writer: &'a Writer<'b>, room: &'a Room, span: Span<'a>) -> Self {
        let (recent, from) = (span.recent, Order::live(span.upto));
        Self {
            writer,
            room,
            span,
            recent,
            page: Vec::new().into_iter(),
            from,
            done: false,
        }
    }

    fn next(&mut self, limit: usize) -> Result<Option<(Order, Arc<StoredEvent>)>> {
        let rooms = &self.writer.inner.rooms;
        if let Some(recent) = &mut self.recent {
            let Some((last, rest)) = recent.split_last() else {
                return Ok(None);
            };
            *recent = rest;
            return Ok(Some((Order::live(last.at), rooms.event(last.at)?)));
        }
        if self.page.len() == 0 && !self.done {
            // One more than wanted says whether something is left.
            let wanted = (limit + 1).max(20);
            let until = self.span.since.map_or(Order::START, Order::live);
            let page = rooms.list_backwards(self.room, self.from, until, wanted)?;
            self.done = page.len() < wanted;
            if let Some((order, _)) = page.last() {
                self.from = order.before();
            }
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }
}
