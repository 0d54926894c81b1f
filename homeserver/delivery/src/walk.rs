//! The walk back from the end of a room's history, as far as one answer of a sync tells it.

use std::sync::Arc;

use orvale_rooms::{Order, Room, Rooms, StateId, StoredEvent};

use crate::{Result, follow::RecentEvent};

/// How many events of one room are looked at for one answer: what is left then is a gap for the client to fill.
const LOOKS: usize = 2000;
/// How many events are read at least where one read was not enough.
const PAGE: usize = 20;

/// Which part of a room's history is walked through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch<'a> {
    /// Where the walk begins.
    pub(crate) from: Order,
    /// Where it ends at the latest.
    pub(crate) until: Order,
    /// All events of it, where they are remembered.
    pub(crate) recent: Option<&'a [RecentEvent]>,
    /// How many events are wanted at most.
    pub(crate) limit: usize,
    /// How many are read first, at least.
    pub(crate) first_page: usize,
}

/// Whether an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Shown,
    Passed,
    /// What is told starts after it.
    Barred,
}

/// What a walk came by.
#[derive(Debug)]
pub(crate) struct Walked {
    /// The events to show, oldest first.
    pub(crate) events: Vec<Arc<StoredEvent>>,
    /// Whether there are more events to show before these, or events are missing there.
    pub(crate) limited: bool,
    /// The place before the first of them, or where the walk ended without any; nothing if it came by nothing at all.
    pub(crate) prev_batch: Option<Order>,
    /// The first event of the stretch, as far as the walk came.
    pub(crate) first: Option<Arc<StoredEvent>>,
    /// The state after the last one.
    pub(crate) end: Option<StateId>,
    /// Whether it came to the end of the stretch, and nothing is missing in it.
    pub(crate) complete: bool,
}

impl Walked {
    /// The walk ends before its time.
    fn stop(&mut self, at: Order, event: Option<Arc<StoredEvent>>) {
        self.limited = true;
        if self.events.is_empty() {
            // What is left out is found by going back from here.
            self.prev_batch = Some(at);
            self.first = self.first.take().or(event);
        }
    }
}

/// Walks back; `judge` says of each event whether it is told, given the state at the end.
pub(crate) fn walk(
    rooms: &Rooms,
    room: &Room,
    stretch: Stretch<'_>,
    mut judge: impl FnMut(&Arc<StoredEvent>, StateId) -> Result<Verdict>,
) -> Result<Walked> {
    let mut walked = Walked {
        events: Vec::new(),
        limited: false,
        prev_batch: None,
        first: None,
        end: None,
        complete: false,
    };
    // What is missing is fetched when the client goes back there.
    let gap = rooms.find_break(room, stretch.from, stretch.until)?;
    let mut pages = Pages::new(rooms, room, stretch);
    for looks in 0.. {
        let Some((order, event)) = pages.next()? else {
            match gap {
                // Before the first event of the stretch.
                Some(gap) => walked.stop(gap.before(), None),
                None => walked.complete = true,
            }
            break;
        };
        let end = *walked.end.get_or_insert_with(|| event.room_after());
        if let Some(gap) = gap.filter(|gap| order < *gap) {
            walked.stop(gap.before(), Some(event));
            break;
        }
        let verdict = judge(&event, end)?;
        let is_full = verdict == Verdict::Shown && walked.events.len() == stretch.limit;
        if is_full || looks == LOOKS || verdict == Verdict::Barred {
            walked.stop(order, Some(event));
            break;
        }
        if verdict == Verdict::Shown {
            walked.prev_batch = Some(order.before());
            walked.events.push(event.clone());
        }
        walked.first = Some(event);
    }
    walked.events.reverse();
    Ok(walked)
}

/// Events, newest first.
struct Pages<'a> {
    rooms: &'a Rooms,
    room: &'a Room,
    recent: Option<&'a [RecentEvent]>,
    page: std::vec::IntoIter<(Order, Arc<StoredEvent>)>,
    from: Order,
    until: Order,
    wanted: usize,
    done: bool,
}

impl<'a> Pages<'a> {
    fn new(rooms: &'a Rooms, room: &'a Room, stretch: Stretch<'a>) -> Self {
        Self {
            rooms,
            room,
            recent: stretch.recent,
            page: Vec::new().into_iter(),
            from: stretch.from,
            until: stretch.until,
            // One more than wanted says whether something is left.
            wanted: (stretch.limit + 1).max(stretch.first_page),
            done: false,
        }
    }

    fn next(&mut self) -> Result<Option<(Order, Arc<StoredEvent>)>> {
        if let Some(recent) = &mut self.recent {
            let Some((last, rest)) = recent.split_last() else {
                return Ok(None);
            };
            *recent = rest;
            return Ok(Some((Order::live(last.at), self.rooms.event(last.at)?)));
        }
        if self.page.len() == 0 && !self.done {
            let (rooms, wanted) = (self.rooms, self.wanted);
            let page = rooms.list_backwards(self.room, self.from, self.until, wanted)?;
            self.done = page.len() < wanted;
            if let Some((order, _)) = page.last() {
                self.from = order.before();
            }
            self.page = page.into_iter();
            self.wanted = wanted.max(PAGE);
        }
        Ok(self.page.next())
    }
}
