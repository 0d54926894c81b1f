//! The auth rules, asked about an event of another server.
//!
//! <https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu>

use std::{collections::HashMap, sync::Arc};

use orvale_events::{Forbidden, Pdu};
use ruma::{EventId, OwnedEventId, events::StateEventType};

use crate::{
    Rooms,
    error::{Error, Result},
    room::{Head, Room},
    state::StateId,
};

/// Whether the auth rules allow something.
pub(crate) type Verdict = std::result::Result<(), Forbidden>;

/// The events that an event names as those that allow it.
pub(crate) type AuthEvents = HashMap<OwnedEventId, Arc<Pdu>>;

impl Rooms {
    /// The rules about the event itself and the events it names as those that allow it, all of which are given.
    pub(super) fn judge_alone(
        &self,
        room: &Room,
        pdu: &Pdu,
        create: Option<&Arc<Pdu>>,
        auth_events: &AuthEvents,
    ) -> Verdict {
        let by_id = |id: &EventId| {
            let create = create.filter(|create| create.event_id == id);
            auth_events.get(id).or(create).cloned()
        };
        let in_state = |kind: &StateEventType, key: &str| {
            let is = |pdu: &&Arc<Pdu>| {
                pdu.kind.to_string() == kind.to_string() && pdu.state_key.as_deref() == Some(key)
            };
            auth_events.values().chain(create).find(is).cloned()
        };
        let rules = &room.rules.authorization;
        orvale_events::check_auth_events(rules, pdu, by_id)?;
        orvale_events::check_state(rules, pdu, in_state)
    }

    /// The rules against a state of the room.
    pub(crate) fn judge_by(
        &self,
        room: &Room,
        head: &Head,
        pdu: &Pdu,
        state: StateId,
    ) -> Result<Verdict> {
        self.judge_with(room, head, pdu, state, &[])
    }

    /// As [`Rooms::judge_by`], where the state says nothing of some members by whom it is asked about.
    pub(crate) fn judge_with(
        &self,
        room: &Room,
        head: &Head,
        pdu: &Pdu,
        state: StateId,
        members: &[Arc<Pdu>],
    ) -> Result<Verdict> {
        let rules = &room.rules.authorization;
        let wanted = orvale_events::auth_types(
            &pdu.kind,
            &pdu.sender,
            pdu.state_key.as_deref(),
            &pdu.content,
            rules,
        );
        let mut wanted = match wanted {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(Forbidden(error.to_string()))),
        };
        // All that the rules may ask of the state is what authorises the event, and the create event.
        wanted.push((StateEventType::RoomCreate, String::new()));
        let mut found: Vec<Arc<Pdu>> = Vec::with_capacity(wanted.len());
        for (kind, key) in &wanted {
            let event = self.state_here(head, state, kind, key)?;
            found.extend(event.map(|event| event.pdu.clone()));
        }
        let in_state = |kind: &StateEventType, key: &str| {
            let is = |pdu: &&Arc<Pdu>| {
                pdu.kind.to_string() == kind.to_string() && pdu.state_key.as_deref() == Some(key)
            };
            found.iter().chain(members).find(is).cloned()
        };
        Ok(orvale_events::check_state(rules, pdu, in_state))
    }

    /// The room's create event, which from version 12 on no event names among those that allow it.
    pub(super) fn create_here(&self, room: &Room, head: &Head) -> Result<Option<Arc<Pdu>>> {
        let named = room.id.as_str().strip_prefix('!');
        let id = named.and_then(|hash| OwnedEventId::try_from(format!("${hash}")).ok());
        let Some(id) = id.filter(|_| !room.id.as_str().contains(':')) else {
            return Ok(None);
        };
        let event = self.here(head, &id)?;
        Ok(event
            .filter(|event| event.room == room.number)
            .map(|event| event.pdu.clone()))
    }

    /// The events that an event names as those that allow it; those that are not known here.
    pub(crate) fn auth_events_here(
        &self,
        room: &Room,
        head: &Head,
        pdu: &Pdu,
    ) -> Result<(AuthEvents, Vec<OwnedEventId>)> {
        let (mut known, mut missing) = (HashMap::new(), Vec::new());
        for id in &pdu.auth_events {
            match self.here(head, id)? {
                // One of another room is left out, so that the rules refuse the event.
                Some(event) if event.room == room.number => {
                    known.insert(id.clone(), event.pdu.clone());
                }
                Some(_) => {}
                None => missing.push(id.clone()),
            }
        }
        Ok((known, missing))
    }
}

/// The error of an event that the rules refuse where somebody waits for it.
pub(crate) fn forbidden(forbidden: &Forbidden) -> Error {
    Error::Forbidden(forbidden.to_string())
}
