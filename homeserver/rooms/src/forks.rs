//! Where a room's history forks: the state where forks meet.
//!
//! All of this happens under the room's lock, on a head that runs ahead of the store: events are looked up there first.

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};

use orvale_events::{Pdu, StateMap};
use orvale_storage::Position;
use ruma::{EventId, OwnedEventId, events::StateEventType};

use crate::{
    Rooms,
    error::{Error, Result},
    event::StoredEvent,
    room::{Head, Room},
    state::{Nodes, StateHash, StateId, hash},
};

impl Rooms {
    /// The event of this ID, durable or on its way.
    pub(crate) fn here(&self, head: &Head, id: &EventId) -> Result<Option<Arc<StoredEvent>>> {
        match head.flight.get(id) {
            Some(event) => Ok(Some(event.clone())),
            None => self.find_event(id),
        }
    }

    /// The event of this number, durable or on its way.
    pub(crate) fn here_at(&self, head: &Head, at: Position) -> Result<Arc<StoredEvent>> {
        match head.flight.get_at(at) {
            Some(event) => Ok(event.clone()),
            None => self.event(at),
        }
    }

    /// The event that a state holds, as of the room's head.
    pub(crate) fn state_here(
        &self,
        head: &Head,
        state: StateId,
        kind: &StateEventType,
        key: &str,
    ) -> Result<Option<Arc<StoredEvent>>> {
        let hash = hash(&kind.to_string(), key);
        let found = self.inner.states.get(state, &hash, &head.unwritten)?;
        found.map(|at| self.here_at(head, at)).transpose()
    }

    /// The state where these events meet, all of which must be known with their states.
    pub(crate) fn state_after_all(
        &self,
        room: &Room,
        head: &mut Head,
        events: &[OwnedEventId],
        nodes: &mut Nodes,
    ) -> Result<StateId> {
        let mut states = Vec::with_capacity(events.len());
        for id in events {
            let event = self
                .here(head, id)?
                .ok_or_else(|| Error::Event(orvale_events::Error::MissingEvent(id.clone())))?;
            states.push(event.state_after());
        }
        self.meet(room, head, &states, nodes)
    }

    /// The state where forks with these states meet. It costs what they differ in.
    pub(crate) fn meet(
        &self,
        room: &Room,
        head: &mut Head,
        states: &[StateId],
        nodes: &mut Nodes,
    ) -> Result<StateId> {
        let mut ids: Vec<StateId> = Vec::with_capacity(states.len());
        for id in states {
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
        let Some((first, others)) = ids.split_first() else {
            return Ok(StateId::EMPTY);
        };
        let mut conflicted: BTreeSet<StateHash> = BTreeSet::new();
        for other in others {
            let differences = self.inner.states.diff(*first, *other, &head.unwritten)?;
            conflicted.extend(differences.iter().map(|difference| difference.hash));
        }
        if conflicted.is_empty() {
            return Ok(*first);
        }
        let conflicted: Vec<StateHash> = conflicted.into_iter().collect();
        let resolved = self.settle(room, head, &ids, &conflicted)?;

        // Mostly one of the forks has it already.
        for id in &ids {
            let mut is_same = true;
            for (hash, event) in &resolved {
                is_same &= self.inner.states.get(*id, hash, &head.unwritten)? == *event;
            }
            if is_same {
                return Ok(*id);
            }
        }
        let states = &self.inner.states;
        Ok(states.change(*first, &resolved, nodes, &mut head.unwritten)?)
    }

    /// What is to stand in the place of that on which states do not agree, and where none of them has anything.
    fn settle(
        &self,
        room: &Room,
        head: &Head,
        ids: &[StateId],
        conflicted: &[StateHash],
    ) -> Result<Vec<(StateHash, Option<Position>)>> {
        let failed: RefCell<Option<Error>> = RefCell::default();
        let kept = |found: Result<Option<Arc<StoredEvent>>>| match found {
            Ok(found) => found,
            Err(error) => {
                failed.replace(Some(error));
                None
            }
        };
        let first = ids[0];
        let mut parts = Vec::with_capacity(ids.len());
        for id in ids {
            let mut part = StateMap::new();
            for hash in conflicted {
                if let Some(at) = self.inner.states.get(*id, hash, &head.unwritten)? {
                    let pdu = self.here_at(head, at)?.pdu.clone();
                    let key = pdu.state_key.clone().unwrap_or_default();
                    part.insert((pdu.kind.to_string().into(), key), pdu.event_id.clone());
                }
            }
            parts.push(part);
        }
        let unconflicted = |(kind, key): &(StateEventType, String)| {
            let is_conflicted = conflicted
                .binary_search(&hash(&kind.to_string(), key))
                .is_ok();
            let found = kept(self.state_here(head, first, kind, key)).filter(|_| !is_conflicted);
            found.map(|event| event.pdu.event_id.clone())
        };
        let all_unconflicted = || {
            let listed = self.inner.states.list(first, &head.unwritten);
            let listed = listed.map_err(Error::from).and_then(|listed| {
                let unconflicted = listed
                    .into_iter()
                    .filter(|(hash, _)| conflicted.binary_search(hash).is_err());
                unconflicted
                    .map(|(_, at)| Ok(self.here_at(head, at)?.pdu.event_id.clone()))
                    .collect::<Result<Vec<_>>>()
            });
            listed.unwrap_or_else(|error| {
                failed.replace(Some(error));
                Vec::new()
            })
        };
        let fetch = |id: &EventId| -> Option<Arc<Pdu>> {
            let found = kept(self.here(head, id)).filter(|event| event.room == room.number);
            found.map(|event| event.pdu.clone())
        };
        let resolved = orvale_events::resolve_conflict(
            &room.rules,
            &parts,
            unconflicted,
            all_unconflicted,
            fetch,
        );
        if let Some(error) = failed.take() {
            return Err(error);
        }
        let mut changes: Vec<_> = conflicted.iter().map(|hash| (*hash, None)).collect();
        for ((kind, key), id) in resolved? {
            let event = self
                .here(head, &id)?
                .ok_or(orvale_events::Error::MissingEvent(id))?;
            let hash = hash(&kind.to_string(), &key);
            match conflicted.binary_search(&hash) {
                Ok(place) => changes[place].1 = Some(event.position),
                // Nothing stood there.
                Err(_) => changes.push((hash, Some(event.position))),
            }
        }
        changes.sort_unstable_by_key(|(hash, _)| *hash);
        Ok(changes)
    }
}
