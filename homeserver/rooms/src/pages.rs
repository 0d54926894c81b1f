//! A room's history as one reader sees it, in pages.

use std::{collections::HashSet, sync::Arc};

use orvale_storage::Position;
use ruma::{
    EventId, OwnedUserId, RoomId, UserId,
    api::{Direction, client::filter::RoomEventFilter},
    events::StateEventType,
};

use crate::{
    Rooms, Viewer,
    access::Reading,
    error::{Error, Result},
    event::{Reader, StoredEvent},
    filter::EventFilter,
    timeline::Order,
};

/// The most events that a page has.
pub const MAX_PAGE: usize = 1000;

/// How many events one request looks at before it gives what it has: a history of which the reader sees little costs more
/// requests, not a longer one.
const MAX_LOOKS: usize = 4000;

/// An event as one reader is shown it.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    /// The event.
    pub event: Arc<StoredEvent>,
    /// What is added for the reader.
    pub reader: Reader<'a>,
}

/// A stretch of a room's history.
#[derive(Debug)]
pub struct Page<'a> {
    /// Where it starts.
    pub start: Order,
    /// Where the next one starts; `None` if nothing is left.
    pub end: Option<Order>,
    /// The events.
    pub events: Vec<Shown<'a>>,
    /// The member events of their senders, if the filter loads members lazily.
    pub members: Vec<Shown<'a>>,
}

/// Which stretch of a room's history is wanted.
#[derive(Debug, Clone)]
pub struct Stretch<'a> {
    /// Where it starts; `None` for that end of the history from which the direction leads.
    pub from: Option<Order>,
    /// Where it ends at the latest.
    pub to: Option<Order>,
    /// Its direction.
    pub direction: Direction,
    /// How many events at most.
    pub limit: usize,
    /// Which events.
    pub filter: &'a RoomEventFilter,
    /// An event before which history is missing that the next page may have: this one ends there ([`Rooms::reach`]).
    pub bound: Option<Order>,
}

/// How far to go from an event to one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// How many events at most.
    pub limit: usize,
    /// As [`Stretch::bound`].
    pub bound: Option<Order>,
}

impl Side {
    /// So many events, whatever may be missing there.
    #[must_use]
    pub fn of(limit: usize) -> Self {
        Self { limit, bound: None }
    }

    /// So many events at most on both sides together: before an event, and after it.
    #[must_use]
    pub fn halves(limit: usize) -> [Self; 2] {
        let limit = limit.min(MAX_PAGE);
        [Self::of(limit / 2), Self::of(limit - limit / 2)]
    }
}

/// The events around one, without it.
#[derive(Debug)]
pub struct Around<'a> {
    /// Those before it, newest first.
    pub before: Vec<Shown<'a>>,
    /// Those after it, oldest first.
    pub after: Vec<Shown<'a>>,
    /// Where earlier events are found.
    pub start: Order,
    /// Where later events are found.
    pub end: Order,
}

/// The events around one, and the room's state there.
#[derive(Debug)]
pub struct Context<'a> {
    /// The event itself.
    pub event: Shown<'a>,
    /// Those before it, newest first.
    pub before: Vec<Shown<'a>>,
    /// Those after it, oldest first.
    pub after: Vec<Shown<'a>>,
    /// Where earlier events are found.
    pub start: Order,
    /// Where later events are found.
    pub end: Order,
    /// The state at the last of these events; with lazy loading, only those members who sent one of them.
    pub state: Vec<Shown<'a>>,
}

impl Rooms {
    /// A page of a room's history.
    ///
    /// # Errors
    /// [`crate::Error::NotJoined`] if it is not the user's to see.
    pub fn list_events<'a>(
        &'a self,
        user: &'a UserId,
        device: &'a str,
        room: &RoomId,
        stretch: &Stretch<'_>,
    ) -> Result<Page<'a>> {
        let reading = self.read(user, room)?;
        let mut viewer = Viewer::new(self, user, reading.now).on(device);
        let filter = EventFilter::new(stretch.filter, &reading.room);
        let last = reading.until.map_or(Order::END, Order::live);
        let from = match (stretch.from, stretch.direction) {
            (None, Direction::Backward) => last.min(Order::live(self.store().visible())),
            (None, Direction::Forward) => Order::START,
            (Some(from), _) => from.min(last),
        };
        let bound = stretch.bound.map(Order::before);
        let to = match stretch.direction {
            Direction::Backward => {
                let to = stretch.to.unwrap_or(Order::START);
                to.max(bound.unwrap_or(Order::START))
            }
            Direction::Forward => {
                let to = stretch.to.unwrap_or(Order::END);
                to.min(last).min(bound.unwrap_or(Order::END))
            }
        };
        let limit = stretch.limit.min(MAX_PAGE);
        let walk = Walk {
            rooms: self,
            reading: &reading,
            direction: stretch.direction,
            to,
            filter: &filter,
        };
        let Found {
            events,
            mut at,
            mut is_more,
        } = walk.collect(&mut viewer, from, limit)?;
        if let Some(bound) = bound
            && !is_more
        {
            is_more = true;
            at = match stretch.direction {
                Direction::Backward => bound,
                // Another place in the same gap: clients take a page without events that ends where it began for the last.
                Direction::Forward if at == from => Order(at.0 + 1).min(bound.before()).max(at),
                Direction::Forward => at,
            };
        }
        let members = if stretch.filter.lazy_load_options.is_disabled() {
            Vec::new()
        } else {
            self.senders(&mut viewer, &events)?
        };
        Ok(Page {
            start: from,
            end: is_more.then_some(at),
            events,
            members,
        })
    }

    /// The member event of each sender of events, as it was when they sent the first of these.
    fn senders<'a>(&self, viewer: &mut Viewer<'a>, events: &[Shown<'a>]) -> Result<Vec<Shown<'a>>> {
        let mut seen = HashSet::new();
        let mut members = Vec::new();
        for Shown { event, .. } in events {
            if seen.insert(&event.pdu.sender) {
                let sender = event.pdu.sender.as_str();
                let member =
                    self.find_state_at(event.state_after(), &StateEventType::RoomMember, sender)?;
                if let Some(event) = member {
                    members.push(Shown {
                        reader: viewer.reader(&event)?,
                        event,
                    });
                }
            }
        }
        Ok(members)
    }

    /// One event.
    ///
    /// # Errors
    /// [`crate::Error::UnknownEvent`] if the user cannot see it, or not even its room.
    pub fn get_event<'a>(
        &'a self,
        user: &'a UserId,
        device: &'a str,
        room: &RoomId,
        id: &EventId,
    ) -> Result<Shown<'a>> {
        let unknown = || Error::UnknownEvent(id.to_owned());
        let room = self.find(room)?.ok_or_else(unknown)?;
        let now = self.find_membership(&room, user)?;
        if now.is_some_and(|now| now.forgotten) && !self.is_world_readable(&room)? {
            return Err(unknown());
        }
        let event = self.visible_event(user, &room, id)?;
        let reader = Viewer::new(self, user, now).on(device).reader(&event)?;
        Ok(Shown { event, reader })
    }

    /// An event with those around it.
    ///
    /// # Errors
    /// [`crate::Error::UnknownEvent`] if the user cannot see it, [`crate::Error::NotJoined`] if they cannot see the room.
    pub fn event_context<'a>(
        &'a self,
        user: &'a UserId,
        device: &'a str,
        room: &RoomId,
        id: &EventId,
        sides: [Side; 2],
        filter: &RoomEventFilter,
    ) -> Result<Context<'a>> {
        let reading = self.read(user, room)?;
        let event = self.visible_event(user, &reading.room, id)?;
        let mut viewer = Viewer::new(self, user, reading.now).on(device);
        let around = self.around(&mut viewer, &reading, &event, sides, filter)?;
        let at = around.after.last().map_or(&event, |shown| &shown.event);
        let lazily = !filter.lazy_load_options.is_disabled();
        let state = self.list_state_at(at.room_after())?;
        let event = Shown {
            reader: viewer.reader(&event)?,
            event,
        };
        let Around {
            before,
            after,
            start,
            end,
        } = around;
        let senders: HashSet<OwnedUserId> = before
            .iter()
            .chain(&after)
            .chain([&event])
            .map(|shown| shown.event.pdu.sender.clone())
            .collect();
        let wanted = |state: &StoredEvent| {
            let is_member = state.pdu.kind == ruma::events::TimelineEventType::RoomMember;
            let key = state.pdu.state_key.as_deref().unwrap_or_default();
            !(lazily && is_member) || senders.iter().any(|sender| sender == key)
        };
        let state = state.into_iter().filter(|state| wanted(state));
        Ok(Context {
            state: state
                .map(|event| {
                    Ok(Shown {
                        reader: viewer.reader(&event)?,
                        event,
                    })
                })
                .collect::<Result<_>>()?,
            start,
            end,
            event,
            before,
            after,
        })
    }

    /// The events before and after one that the reader may see.
    ///
    /// # Errors
    /// Storage's.
    pub fn around<'a>(
        &self,
        viewer: &mut Viewer<'a>,
        reading: &Reading,
        event: &StoredEvent,
        [before, after]: [Side; 2],
        filter: &RoomEventFilter,
    ) -> Result<Around<'a>> {
        let here = event.order();
        let filter = EventFilter::new(filter, &reading.room);
        let mut walk = Walk {
            rooms: self,
            reading,
            direction: Direction::Backward,
            to: before.bound.map_or(Order::START, Order::before),
            filter: &filter,
        };
        let back = walk.collect(viewer, here.before(), before.limit)?;
        walk.direction = Direction::Forward;
        let until = reading.until.map_or(Order::END, Order::live);
        walk.to = after.bound.map_or(until, |bound| until.min(bound.before()));
        let on = walk.collect(viewer, here, after.limit)?;
        Ok(Around {
            before: back.events,
            after: on.events,
            start: back.at,
            end: on.at,
        })
    }
}

/// What a walk found.
struct Found<'a> {
    events: Vec<Shown<'a>>,
    /// How far it went.
    at: Order,
    /// Whether there are events further on.
    is_more: bool,
}

/// A walk through a room's history.
struct Walk<'a> {
    rooms: &'a Rooms,
    reading: &'a Reading,
    direction: Direction,
    to: Order,
    filter: &'a EventFilter<'a>,
}

impl Walk<'_> {
    /// At most `limit` events that the reader may see and wants, and where to go on, if anything is left there.
    fn collect<'a>(&self, viewer: &mut Viewer<'a>, from: Order, limit: usize) -> Result<Found<'a>> {
        let mut found = Found {
            events: Vec::with_capacity(limit.min(100)),
            at: from,
            is_more: false,
        };
        if self.filter.is_nothing() {
            return Ok(found);
        }
        let mut looks = 0;
        while found.events.len() < limit && looks < MAX_LOOKS {
            let wanted = (limit - found.events.len()).clamp(10, 200);
            let events = self.list(found.at, wanted)?;
            if events.is_empty() {
                return Ok(found);
            }
            looks += events.len();
            for (order, event) in events {
                found.at = match self.direction {
                    Direction::Backward => order.before(),
                    Direction::Forward => order,
                };
                if self.filter.matches(&event) && viewer.sees(&event)? {
                    found.events.push(Shown {
                        reader: viewer.reader(&event)?,
                        event,
                    });
                    if found.events.len() == limit {
                        break;
                    }
                }
            }
        }
        found.is_more = !self.list(found.at, 1)?.is_empty();
        Ok(found)
    }

    fn list(&self, from: Order, limit: usize) -> Result<Vec<(Order, Arc<StoredEvent>)>> {
        let room = &self.reading.room;
        match self.direction {
            Direction::Backward => self.rooms.list_backwards(room, from, self.to, limit),
            Direction::Forward => self.rooms.list_forwards(room, from, self.to, limit),
        }
    }
}

impl Shown<'_> {
    /// Appends the event as every endpoint but `/sync` shows it.
    ///
    /// # Errors
    /// If what is stored is no event.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        self.event.write_client_format(&self.reader, out)
    }

    /// Its number.
    #[must_use]
    pub fn position(&self) -> Position {
        self.event.position
    }
}
