//! What an answer tells of a room's state.

use std::{collections::HashSet, sync::Arc};

use orvale_rooms::{Room, StateId, StoredEvent};
use orvale_storage::Position;
use ruma::{
    OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType},
};

use super::{
    answer::{Candidate, Writer},
    required::{Required, member},
    timeline::Timeline,
};
use crate::Result;

/// What changed in a room's state, and what of it is told.
#[derive(Debug, Default)]
pub(super) struct State {
    /// All changes; nothing where the client does not know the room.
    pub(super) changes: Vec<Arc<StoredEvent>>,
    /// What is told.
    pub(super) told: Vec<Arc<StoredEvent>>,
}

impl Writer<'_> {
    /// The state that goes with a timeline.
    pub(super) fn state(
        &mut self,
        room: &Room,
        candidate: &Candidate,
        timeline: &Timeline,
        since: Option<Position>,
    ) -> Result<State> {
        let rooms = &self.inner.rooms;
        let required = candidate.required.clone();
        let mut state = State::default();
        let mut told = HashSet::new();
        let mut found = Vec::new();
        if since.is_none() {
            found = self.list(room, timeline.end, &required)?;
        } else {
            if timeline.known != timeline.end {
                state.changes = rooms.list_state_changes(timeline.known, timeline.end)?;
            }
            let wanted = |event: &&Arc<StoredEvent>| {
                let key = event.pdu.state_key.as_deref().unwrap_or_default();
                required.matches(&event.pdu.kind, key)
            };
            found.extend(state.changes.iter().filter(wanted).cloned());
            let before = candidate
                .sent
                .and_then(|sent| self.connection.config(sent.config));
            if !before.is_some_and(|before| required.is_within(before)) {
                let is_known = |event: &Arc<StoredEvent>| {
                    let key = event.pdu.state_key.as_deref().unwrap_or_default();
                    before.is_some_and(|before| before.matches(&event.pdu.kind, key))
                };
                let all = self.list(room, timeline.end, &required)?;
                found.extend(all.into_iter().filter(|event| !is_known(event)));
            }
        }
        if required.lazy {
            self.add_members(room, timeline, since.is_some(), &state.changes, &mut found)?;
        }
        found.retain(|event| told.insert(event.position));
        // In the order they came, which is how they make sense.
        found.sort_by_key(|event| event.position);
        if required.lazy {
            let members = found
                .iter()
                .filter_map(|event| member(&event.pdu.kind, event.pdu.state_key.as_deref()));
            for user_id in members {
                let user = self.inner.sliding.hash(&user_id);
                self.added.members.push((room.number, user));
            }
        }
        state.told = found;
        Ok(state)
    }

    /// Members that a client needs which loads them lazily: who wrote what is shown, whom it is about, and who changed. One that does
    /// not know the room knows nobody there, whatever it was told before it left.
    fn add_members(
        &self,
        room: &Room,
        timeline: &Timeline,
        is_known: bool,
        changes: &[Arc<StoredEvent>],
        found: &mut Vec<Arc<StoredEvent>>,
    ) -> Result<()> {
        let mut wanted: HashSet<OwnedUserId> = HashSet::new();
        for event in &timeline.events {
            wanted.insert(event.pdu.sender.clone());
            wanted.extend(member(&event.pdu.kind, event.pdu.state_key.as_deref()));
        }
        let knows = |user_id: &UserId| {
            let user = self.inner.sliding.hash(user_id);
            is_known && self.connection.has_member(room.number, user)
        };
        for event in changes {
            if let Some(user_id) = member(&event.pdu.kind, event.pdu.state_key.as_deref()) {
                // Over a gap, only those whom the client may take for something else.
                if !timeline.limited || knows(&user_id) || wanted.contains(&user_id) {
                    found.push(event.clone());
                    wanted.remove(&user_id);
                }
            }
        }
        for user_id in wanted.into_iter().filter(|user_id| !knows(user_id)) {
            found.extend(self.inner.rooms.find_state_at(
                timeline.end,
                &StateEventType::RoomMember,
                user_id.as_str(),
            )?);
        }
        Ok(())
    }

    /// What is required of a state.
    fn list(
        &self,
        room: &Room,
        state: StateId,
        required: &Required,
    ) -> Result<Vec<Arc<StoredEvent>>> {
        let rooms = &self.inner.rooms;
        if required.takes_members() && required.elements().any(|element| element.kind.is_none()) {
            let mut all = rooms.list_state_at(state)?;
            all.retain(|event| {
                let key = event.pdu.state_key.as_deref().unwrap_or_default();
                required.matches(&event.pdu.kind, key)
            });
            return Ok(all);
        }
        let mut places: Vec<(StateEventType, String)> = Vec::new();
        let mut others = None;
        for element in required.elements() {
            match (&element.kind, &element.key) {
                (Some(kind), Some(key)) => places.push((kind.as_str().into(), key.clone())),
                (Some(kind), None) => {
                    let kind = StateEventType::from(kind.as_str());
                    let keys = rooms.list_state_keys(room, &kind)?.into_iter();
                    places.extend(keys.map(|(key, _)| (kind.clone(), key)));
                }
                (None, key) => {
                    if others.is_none() {
                        others = Some(rooms.list_state_keys_but_members(room)?);
                    }
                    let matching = others.iter().flatten();
                    let matching =
                        matching.filter(|(_, own)| key.as_ref().is_none_or(|key| key == own));
                    places.extend(matching.map(|(kind, key)| (kind.as_str().into(), key.clone())));
                    if let Some(key) = key {
                        places.push((StateEventType::RoomMember, key.clone()));
                    }
                }
            }
        }
        let mut events = Vec::with_capacity(places.len());
        for (kind, key) in places {
            if required.matches(&TimelineEventType::from(kind.clone()), &key) {
                events.extend(rooms.find_state_at(state, &kind, &key)?);
            }
        }
        Ok(events)
    }
}
