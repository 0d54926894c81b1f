//! What an answer tells of a room's history.

use std::sync::Arc;

use orvale_rooms::{Order, Room, StateId, StoredEvent, Viewer};
use orvale_storage::Position;

use super::answer::Writer;
use crate::{Result, follow::RecentEvent};

/// How many events of one room are looked at for one answer: what is left then is a gap for the client to fill.
const LOOKS: usize = 2000;

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
        let mut timeline = Timeline {
            events: Vec::new(),
            limited: false,
            prev_batch: Order::live(until.unwrap_or(span.upto)),
            known: StateId::EMPTY,
            end: StateId::EMPTY,
        };
        let mut pages = Pages {
            recent: span.recent.filter(|_| until.is_some()),
            page: Vec::new().into_iter(),
            from: Order::live(span.upto),
            until: until.map_or(Order::START, Order::live),
            wanted: (span.limit + 1).max(if until.is_some() { 20 } else { 2 }),
            done: false,
        };
        let mut first: Option<Arc<StoredEvent>> = None;
        let mut looks = 0;
        let mut complete = false;
        loop {
            let Some((order, event)) = pages.next(self, room)? else {
                complete = true;
                break;
            };
            if looks == 0 {
                timeline.end = event.state_after();
            }
            let shown = self.shows(&event, viewer, span)?;
            if shown && timeline.events.len() == span.limit || looks == LOOKS {
                timeline.limited = true;
                if timeline.events.is_empty() {
                    timeline.prev_batch = order;
                }
                break;
            }
            looks += 1;
            if shown {
                timeline.prev_batch = order.before();
                timeline.events.push(event.clone());
            }
            first = Some(event);
        }
        timeline.events.reverse();
        if looks == 0 && !timeline.limited {
            timeline.end = self.state_at(room, span.upto)?;
        }
        timeline.known = match (span.since, &first) {
            (None, _) => StateId::EMPTY,
            (Some(_), None) if complete => timeline.end,
            (Some(_), Some(first)) if complete && until.is_some() => first.state_before(),
            (Some(since), _) => self.state_at(room, since)?,
        };
        Ok(timeline)
    }

    /// The state of a room at a position.
    pub(super) fn state_at(&self, room: &Room, at: Position) -> Result<StateId> {
        let last = self
            .inner
            .rooms
            .list_backwards(room, Order::live(at), Order::START, 1)?;
        Ok(last
            .first()
            .map_or(StateId::EMPTY, |(_, event)| event.state_after()))
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

/// Events, newest first.
struct Pages<'a> {
    recent: Option<&'a [RecentEvent]>,
    page: std::vec::IntoIter<(Order, Arc<StoredEvent>)>,
    from: Order,
    until: Order,
    wanted: usize,
    done: bool,
}

impl Pages<'_> {
    fn next(
        &mut self,
        writer: &Writer<'_>,
        room: &Room,
    ) -> Result<Option<(Order, Arc<StoredEvent>)>> {
        let rooms = &writer.inner.rooms;
        if let Some(recent) = &mut self.recent {
            let Some((last, rest)) = recent.split_last() else {
                return Ok(None);
            };
            *recent = rest;
            return Ok(Some((Order::live(last.at), rooms.event(last.at)?)));
        }
        if self.page.len() == 0 && !self.done {
            let page = rooms.list_backwards(room, self.from, self.until, self.wanted)?;
            self.done = page.len() < self.wanted;
            if let Some((order, _)) = page.last() {
                self.from = order.before();
            }
            self.page = page.into_iter();
            self.wanted = self.wanted.max(20);
        }
        Ok(self.page.next())
    }
}
