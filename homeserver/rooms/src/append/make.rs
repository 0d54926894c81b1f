//! Making the events that local users want, each on top of the ones before.

use std::{collections::HashMap, sync::Arc};

use orvale_events::{Pdu, Template};
use orvale_storage::{Position, trees::rooms::TRANSACTIONS};
use ruma::{
    OwnedEventId, UserId,
    events::{StateEventType, TimelineEventType},
};

use super::{
    Appended, Draft, Request,
    content::same_content,
    write::{Before, Made},
};
use crate::{
    Rooms,
    error::{Error, Result},
    redaction,
    room::{Head, Room},
};

/// How many of the events that nothing follows a new event follows.
const FOLLOWED: usize = orvale_events::MAX_PREV_EVENTS;

/// What became of a draft, until its event has a place.
pub(super) enum Outcome {
    Made(usize),
    Existed(OwnedEventId),
}

impl Rooms {
    /// Makes the events of drafts, in order, each on top of the ones before.
    pub(super) fn make(
        &self,
        room: &Room,
        head: &mut Head,
        drafts: Vec<Draft>,
    ) -> Result<(Vec<Outcome>, Vec<Made>)> {
        let mut made: Vec<Made> = Vec::with_capacity(drafts.len());
        let mut changed: HashMap<(StateEventType, String), Arc<Pdu>> = HashMap::new();
        let mut outcomes = Vec::with_capacity(drafts.len());
        for draft in drafts {
            if let Some(id) = self.find_request(head, &draft)? {
                outcomes.push(Outcome::Existed(id));
                continue;
            }
            let mut state = |kind: &StateEventType, key: &str| match changed
                .get(&(kind.clone(), key.to_owned()))
            {
                Some(pdu) => Ok(Some(pdu.clone())),
                None => known_state(self, room, head, kind, key),
            };
            let replaces = match &draft.state_key {
                Some(key) => state(&draft.kind.to_string().into(), key)?,
                None => None,
            };
            // What another server is to sign is made in any case: it may know of a change that is not known here yet.
            if let Some(before) = &replaces
                && before.sender == draft.sender
                && self.is_local(&draft.sender)
                && draft.kind != TimelineEventType::RoomCreate
                && same_content(&before.content, &draft.content)
            {
                outcomes.push(Outcome::Existed(before.event_id.clone()));
                continue;
            }
            let wanted = orvale_events::auth_types(
                &draft.kind,
                &draft.sender,
                draft.state_key.as_deref(),
                &draft.content,
                &room.rules.authorization,
            )?;
            let mut authorising = Vec::with_capacity(wanted.len());
            for (kind, key) in &wanted {
                authorising.extend(state(kind, key)?);
            }
            // All that the rules may ask of the state is what authorises the event, and the create event, which v12 leaves
            // out of that.
            let create = state(&StateEventType::RoomCreate, "")?;
            let redacts = match &draft.redacts {
                Some(id) => redaction::target(self, room, id)?,
                None => None,
            };
            // Of more forks than an event can follow, it follows the latest, and stands on their state.
            let forks = head.extremities.len().saturating_sub(FOLLOWED);
            let (prev_events, depth) = match made.last() {
                Some(last) => (vec![last.pdu.event_id.clone()], last.pdu.depth + 1),
                None => (head.extremities[forks..].to_vec(), head.depth + 1),
            };
            let before = if forks > 0 {
                Before::Prev
            } else {
                Before::Head
            };
            let template = Template {
                room_id: Some(room.id.clone()),
                sender: draft.sender,
                kind: draft.kind,
                state_key: draft.state_key,
                content: draft.content,
                redacts: draft.redacts,
                prev_events,
                auth_events: authorising.iter().map(|pdu| pdu.event_id.clone()).collect(),
                depth,
                origin_server_ts: draft.timestamp.unwrap_or_else(|| self.now()),
            };
            let (pdu, json) = orvale_events::build(template, &room.rules, &self.inner.key)?;
            let find = |kind: &StateEventType, key: &str| {
                let is = |pdu: &&Arc<Pdu>| {
                    pdu.kind.to_string() == kind.to_string()
                        && pdu.state_key.as_deref() == Some(key)
                };
                authorising.iter().chain(&create).find(is).cloned()
            };
            let by_id = |id: &ruma::EventId| {
                authorising
                    .iter()
                    .chain(&create)
                    .find(|pdu| pdu.event_id == id)
                    .cloned()
            };
            orvale_events::check(&room.rules.authorization, &pdu, by_id, find)
                .map_err(|e| Error::Forbidden(e.to_string()))?;
            if let Some(target) = &redacts {
                redaction::allowed(room, &pdu, target, find)?;
            }
            let pdu = Arc::new(pdu);
            if let Some(key) = &pdu.state_key {
                changed.insert((pdu.kind.to_string().into(), key.clone()), pdu.clone());
            }
            outcomes.push(Outcome::Made(made.len()));
            made.push(Made {
                request: draft.request,
                redacts,
                ..Made::new(pdu, json, before)
            });
        }
        Ok((outcomes, made))
    }

    /// Makes the event of one draft as if it were to be appended; its canonical JSON.
    pub(crate) fn make_one(&self, room: &Room, head: &mut Head, draft: Draft) -> Result<Vec<u8>> {
        let (_, mut made) = self.make(room, head, vec![draft])?;
        let made = made.pop();
        made.map(|made| made.json)
            .ok_or_else(|| Error::Forbidden("the room is like that already".to_owned()))
    }

    pub(super) fn find_request(&self, head: &Head, draft: &Draft) -> Result<Option<OwnedEventId>> {
        let Some(request) = &draft.request else {
            return Ok(None);
        };
        let key = transaction_key(&draft.sender, request);
        if let Some((_, id)) = head.transactions.get(&key) {
            return Ok(Some(id.clone()));
        }
        let found = self
            .inner
            .store
            .get(&TRANSACTIONS, (&key.0, &key.1, &key.2))?;
        Ok(found.and_then(|id| id.try_into().ok()))
    }
}

/// What became of a draft whose event has an ID.
pub(super) fn appended(outcome: Outcome, made: &[OwnedEventId]) -> Appended {
    match outcome {
        Outcome::Made(n) => Appended {
            event_id: made[n].clone(),
            existed: false,
        },
        Outcome::Existed(event_id) => Appended {
            event_id,
            existed: true,
        },
    }
}

/// The key of a request in [`TRANSACTIONS`].
pub(super) fn transaction_key(sender: &UserId, request: &Request) -> (String, String, String) {
    let Request {
        device_id,
        transaction_id,
        scope,
    } = request;
    (
        sender.to_string(),
        device_id.clone(),
        format!("{scope}|{transaction_id}"),
    )
}

/// The state under the lock: what was looked up or appended before, else what the store holds.
pub(crate) fn known_state(
    rooms: &Rooms,
    room: &Room,
    head: &mut Head,
    kind: &StateEventType,
    key: &str,
) -> Result<Option<Arc<Pdu>>> {
    let wanted = (kind.clone(), key.to_owned());
    if let Some((_, known)) = head.known.get(&wanted) {
        return Ok(known.clone());
    }
    // A room that is being made has nothing in the store yet.
    let found = if room.number == Position::START {
        None
    } else if head.mended.is_some() {
        // What is kept of the state flat is on its way.
        rooms.state_here(head, head.state, kind, key)?
    } else {
        rooms.find_state(room, kind, key)?
    };
    let pdu = found.map(|event| event.pdu.clone());
    head.known.note(wanted, pdu.clone());
    Ok(pdu)
}
