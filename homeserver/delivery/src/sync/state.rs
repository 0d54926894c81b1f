//! What a room's section holds of its state.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use orvale_rooms::{Room, StateId, StoredEvent};
use ruma::{
    OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType},
};

use super::{answer::Writer, timeline::Timeline};
use crate::Result;

/// State events by type and key: a later one takes the place of an earlier one.
#[derive(Debug, Default)]
struct Chosen {
    events: Vec<Arc<StoredEvent>>,
    places: HashMap<(TimelineEventType, String), usize>,
}

impl Chosen {
    fn add(&mut self, event: Arc<StoredEvent>) {
        let Some(state_key) = event.pdu.state_key.clone() else {
            return;
        };
        match self.places.entry((event.pdu.kind.clone(), state_key)) {
            std::collections::hash_map::Entry::Occupied(place) => self.events[*place.get()] = event,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(self.events.len());
                self.events.push(event);
            }
        }
    }

    fn has(&self, kind: &TimelineEventType, state_key: &str) -> bool {
        self.places
            .contains_key(&(kind.clone(), state_key.to_owned()))
    }
}

impl Writer<'_> {
    /// The state that a client needs besides a timeline: all of it, or what changed since what it knows; up to the start of
    /// the timeline, or up to its end if the client asked so.
    ///
    /// `heroes` are members that a client which loads members lazily needs to name the room.
    pub(super) fn state(
        &self,
        room: &Room,
        timeline: &Timeline,
        full: bool,
        heroes: &[OwnedUserId],
    ) -> Result<Vec<Arc<StoredEvent>>> {
        let rooms = &self.inner.rooms;
        let filter = &self.asked.filter;
        let target = if self.asked.state_after {
            timeline.end
        } else {
            timeline.start
        };
        let mut chosen = Chosen::default();
        let listed = match (full, &self.lazy) {
            (true, None) => rooms.list_state_at(target)?,
            (true, Some(_)) => self.state_but_members(room, target)?,
            (false, _) if timeline.known == target => Vec::new(),
            (false, _) => rooms.list_state_changes(timeline.known, target)?,
        };
        listed.into_iter().for_each(|event| chosen.add(event));
        if target != timeline.end {
            // State that a timeline would bring, had the filter not kept it out.
            let shown: HashSet<_> = timeline.events.iter().map(|event| event.position).collect();
            let changes = rooms
                .list_state_changes(timeline.start, timeline.end)?
                .into_iter();
            changes
                .filter(|event| !shown.contains(&event.position))
                .for_each(|event| chosen.add(event));
        }
        self.add_members(room, timeline, full, heroes, target, &mut chosen)?;
        let mut events = chosen.events;
        events.retain(|event| filter.state.takes(event));
        // In the order they came, which is how they make sense.
        events.sort_by_key(|event| event.position);
        Ok(events)
    }

    /// Members that a client needs which loads them lazily: who wrote what is shown, and who names the room.
    fn add_members(
        &self,
        room: &Room,
        timeline: &Timeline,
        full: bool,
        heroes: &[OwnedUserId],
        target: StateId,
        chosen: &mut Chosen,
    ) -> Result<()> {
        let (Some(lazy), Some(connection)) = (self.asked.filter.lazy, &self.lazy) else {
            return Ok(());
        };
        let senders = timeline.events.iter().map(|event| &*event.pdu.sender);
        let own = full.then_some(&*self.asked.user_id);
        let mut wanted: HashSet<&UserId> = HashSet::new();
        for user_id in senders.chain(own).chain(heroes.iter().map(|hero| &**hero)) {
            let is_new = wanted.insert(user_id)
                && !chosen.has(&TimelineEventType::RoomMember, user_id.as_str());
            if is_new && (full || lazy.redundant || !connection.has(room.number, user_id)) {
                let member = self.inner.rooms.find_state_at(
                    target,
                    &StateEventType::RoomMember,
                    user_id.as_str(),
                )?;
                member.into_iter().for_each(|event| chosen.add(event));
            }
        }
        let told = chosen
            .events
            .iter()
            .chain(&timeline.events)
            .filter(|event| event.pdu.kind == TimelineEventType::RoomMember);
        let told =
            told.filter_map(|event| <&UserId>::try_from(event.pdu.state_key.as_deref()?).ok());
        connection.send(
            room.number,
            told.chain(wanted.iter().copied()),
            self.news.reached.position,
        );
        Ok(())
    }

    /// A state without the members: of a room of thousands, a handful of events.
    fn state_but_members(&self, room: &Room, state: StateId) -> Result<Vec<Arc<StoredEvent>>> {
        let rooms = &self.inner.rooms;
        let mut events = Vec::new();
        for (kind, state_key) in rooms.list_state_keys_but_members(room)? {
            events.extend(rooms.find_state_at(state, &kind.into(), &state_key)?);
        }
        Ok(events)
    }
}
