//! What is known of a room whose members are not all known: who sends something is in it, as far as what allows their event says so.

use std::{collections::HashMap, sync::Arc};

use orvale_events::Pdu;
use orvale_storage::Standing;
use ruma::{EventId, OwnedEventId, events::TimelineEventType};

use crate::{
    Room, Rooms,
    error::Result,
    room::Head,
    state::{Nodes, StateId, hash},
};

impl Rooms {
    /// The members that an event names as what allows it, where the room's own members are not all known: believed until they are.
    pub(crate) fn trusted(
        head: &Head,
        auth_events: &HashMap<OwnedEventId, Arc<Pdu>>,
    ) -> Vec<Arc<Pdu>> {
        match head.is_partial {
            true => Self::members_among(auth_events.clone()),
            false => Vec::new(),
        }
    }

    /// The members among the events that an event names as what allows it.
    pub(crate) fn members_among(auth_events: HashMap<OwnedEventId, Arc<Pdu>>) -> Vec<Arc<Pdu>> {
        let mut members: Vec<_> = auth_events.into_values().collect();
        members.retain(|pdu| pdu.kind == TimelineEventType::RoomMember && !pdu.rejected);
        members
    }

    /// A state with those of these members of whom it says nothing.
    pub(crate) fn learn(
        &self,
        head: &mut Head,
        state: StateId,
        members: &[Arc<Pdu>],
        nodes: &mut Nodes,
    ) -> Result<StateId> {
        let states = &self.inner.states;
        let mut learnt = Vec::new();
        for member in members {
            let Some(key) = &member.state_key else {
                continue;
            };
            let place = hash(&member.kind.to_string(), key);
            if states.get(state, &place, &head.unwritten)?.is_none()
                && let Some(event) = self.here(head, &member.event_id)?
                && event.record.standing != Standing::Rejected
            {
                learnt.push((place, Some(event.position)));
            }
        }
        if learnt.is_empty() {
            return Ok(state);
        }
        Ok(states.change(state, &learnt, nodes, &mut head.unwritten)?)
    }

    /// The state after an event that is not known here but comes just before the join by which this server came into a room that is
    /// not whole: that before the join.
    pub(crate) fn state_before_join(
        &self,
        room: &Room,
        head: &Head,
        id: &EventId,
    ) -> Result<Option<StateId>> {
        if !head.is_partial {
            return Ok(None);
        }
        let Some(partial) = self.inner.partial.get(room.number) else {
            return Ok(None);
        };
        let join = self.here_at(head, partial.join)?;
        let is_before = join.pdu.prev_events.iter().any(|before| before == id);
        Ok(is_before.then(|| join.state_before()))
    }
}
