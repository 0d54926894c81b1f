//! What other servers ask of a room's graph.

use std::{
    collections::{BinaryHeap, HashSet, VecDeque},
    sync::Arc,
};

use orvale_storage::Standing;
use ruma::{EventId, OwnedEventId, RoomId, ServerName};

use crate::{
    Room, Rooms, StoredEvent,
    error::{Error, Result},
};

/// The most events that one answer has.
const MAX_EVENTS: usize = 100;
/// The most events that are looked at for one answer.
const MAX_LOOKS: usize = 2_000;

impl Rooms {
    /// The auth chain of events, without themselves unless they allow one another.
    ///
    /// # Errors
    /// Storage's.
    pub fn auth_chain(
        &self,
        room: &Room,
        events: Vec<OwnedEventId>,
    ) -> Result<Vec<Arc<StoredEvent>>> {
        let mut seen: HashSet<OwnedEventId> = HashSet::new();
        let mut chain = Vec::new();
        let mut open = VecDeque::from(events);
        let mut is_start = open.len();
        while let Some(id) = open.pop_front() {
            let starts = is_start > 0;
            is_start = is_start.saturating_sub(1);
            let Some(event) = self
                .find_event(&id)?
                .filter(|event| event.room == room.number)
            else {
                continue;
            };
            for auth in &event.pdu.auth_events {
                if seen.insert(auth.clone()) {
                    open.push_back(auth.clone());
                }
            }
            if !starts {
                chain.push(event);
            }
        }
        Ok(chain)
    }

    /// The room of this ID, for a server that is in it and that its access list lets take part.
    ///
    /// # Errors
    /// [`Error::NotJoined`] else, whether or not there is such a room.
    pub fn room_for_server(&self, server: &ServerName, id: &RoomId) -> Result<Arc<Room>> {
        let room = self.find(id)?.ok_or(Error::NotJoined)?;
        if self.is_server_in(&room, server)? && self.acl_allows(&room, server)? {
            Ok(room)
        } else {
            Err(Error::NotJoined)
        }
    }

    /// An event, for a server that may see it: whole, or redacted where its users may not see what it says.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] else.
    pub fn event_for_server(&self, server: &ServerName, id: &EventId) -> Result<Arc<StoredEvent>> {
        let unknown = || Error::UnknownEvent(id.to_owned());
        let event = self.find_event(id)?.ok_or_else(unknown)?;
        // The room is the event's own, whatever the request says.
        let room = self.get_number(event.room)?;
        self.room_for_server(server, &room.id)
            .map_err(|_| unknown())?;
        if event.record.standing == Standing::Rejected || !self.server_sees(server, &event)? {
            return Err(unknown());
        }
        Ok(event)
    }

    /// Which of some events of a room a server is given: what its users may not see it gets redacted, which is enough to know what follows what.
    ///
    /// # Errors
    /// Storage's.
    pub fn for_server(
        &self,
        server: &ServerName,
        room: &Room,
        events: Vec<Arc<StoredEvent>>,
    ) -> Result<Vec<Vec<u8>>> {
        let mut given = Vec::with_capacity(events.len());
        for event in events {
            given.push(if self.server_sees(server, &event)? {
                event.record.pdu.to_vec()
            } else {
                orvale_events::redact(&event.record.pdu, &room.rules)?
            });
        }
        Ok(given)
    }

    /// The state before an event, and its auth chain, for a server that is in the event's room.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] if the event is not of that room, or its state is not known.
    pub fn state_for_server(
        &self,
        server: &ServerName,
        room: &RoomId,
        id: &EventId,
    ) -> Result<StateGiven> {
        let room = self.room_for_server(server, room)?;
        self.must_be_whole(&room)?;
        let event = self.event_in(&room, id)?;
        if !event.has_state() {
            return Err(Error::UnknownEvent(id.to_owned()));
        }
        let state = self.list_state_at(event.state_before())?;
        let ids = state
            .iter()
            .map(|event| event.event_id().to_owned())
            .collect();
        let auth_chain = self.auth_chain(&room, ids)?;
        Ok(StateGiven { state, auth_chain })
    }

    /// The auth chain of an event, for a server that is in its room.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] if the event is not of that room.
    pub fn auth_chain_for_server(
        &self,
        server: &ServerName,
        room: &RoomId,
        id: &EventId,
    ) -> Result<Vec<Arc<StoredEvent>>> {
        let room = self.room_for_server(server, room)?;
        self.event_in(&room, id)?;
        self.auth_chain(&room, vec![id.to_owned()])
    }

    fn event_in(&self, room: &Room, id: &EventId) -> Result<Arc<StoredEvent>> {
        self.find_event(id)?
            .filter(|event| event.room == room.number)
            .ok_or_else(|| Error::UnknownEvent(id.to_owned()))
    }

    /// The events before some events, themselves included, the latest first.
    ///
    /// # Errors
    /// [`Error::NotJoined`].
    pub fn backfill_for_server(
        &self,
        server: &ServerName,
        room: &RoomId,
        from: &[OwnedEventId],
        limit: usize,
    ) -> Result<Vec<Vec<u8>>> {
        let room = self.room_for_server(server, room)?;
        let found = self.walk_back(&room, from, limit.min(MAX_EVENTS), |_| true)?;
        self.for_server(server, &room, found)
    }

    /// The events between what a server has and what it wants to reach, oldest first.
    ///
    /// # Errors
    /// [`Error::NotJoined`].
    pub fn missing_for_server(
        &self,
        server: &ServerName,
        room: &RoomId,
        (earliest, latest): (&[OwnedEventId], &[OwnedEventId]),
        min_depth: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>> {
        let room = self.room_for_server(server, room)?;
        let mut starts = Vec::new();
        for id in latest.iter().take(orvale_events::MAX_PREV_EVENTS) {
            if let Some(event) = self
                .find_event(id)?
                .filter(|event| event.room == room.number)
            {
                starts.extend(event.pdu.prev_events.iter().cloned());
            }
        }
        let known: HashSet<&OwnedEventId> = earliest.iter().collect();
        let limit = limit.min(MAX_EVENTS);
        let mut found = self.walk_back(&room, &starts, limit, |event| {
            event.pdu.depth >= min_depth && !known.contains(&event.pdu.event_id)
        })?;
        found.reverse();
        self.for_server(server, &room, found)
    }

    /// At most so many accepted events from some on backwards through the graph, the deepest first; what `passes` refuses ends a path.
    fn walk_back(
        &self,
        room: &Room,
        from: &[OwnedEventId],
        limit: usize,
        passes: impl Fn(&StoredEvent) -> bool,
    ) -> Result<Vec<Arc<StoredEvent>>> {
        let mut seen = HashSet::new();
        let mut open = BinaryHeap::new();
        let mut add = |id: &OwnedEventId, open: &mut BinaryHeap<_>| -> Result<()> {
            if seen.len() < MAX_LOOKS && seen.insert(id.clone()) {
                let event = self.find_event(id)?;
                if let Some(event) = event.filter(|event| event.room == room.number) {
                    open.push((event.pdu.depth, event.position));
                }
            }
            Ok(())
        };
        for id in from {
            add(id, &mut open)?;
        }
        let mut found = Vec::new();
        while let Some((_, at)) = open.pop() {
            let event = self.event(at)?;
            if !passes(&event) {
                continue;
            }
            for id in &event.pdu.prev_events {
                add(id, &mut open)?;
            }
            if event.is_shown() {
                found.push(event);
                if found.len() == limit {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// A room's state as another server is given it.
#[derive(Debug)]
pub struct StateGiven {
    /// The state.
    pub state: Vec<Arc<StoredEvent>>,
    /// Its auth chain.
    pub auth_chain: Vec<Arc<StoredEvent>>,
}
