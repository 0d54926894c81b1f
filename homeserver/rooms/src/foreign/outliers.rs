//! Events that are known for the auth chain of others only, without the state before them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use orvale_events::Pdu;
use orvale_storage::{
    Batch, Entry, EventRecord, Pending, Permit, Place, Standing, trees::rooms::EVENT_NUMBERS,
};
use ruma::OwnedEventId;

use super::Arrival;
use crate::{
    Rooms,
    append::rejected,
    error::Result,
    event::StoredEvent,
    room::{Head, Room},
};

/// How many are written in one batch.
const AT_ONCE: usize = 500;

impl Rooms {
    /// Keeps events for the auth chain of others. One that names an event which is neither known nor among these is left out:
    /// whether it may be there cannot be told. Resolves when they are durable.
    pub(crate) async fn keep_outliers(
        &self,
        room: &Arc<Room>,
        arrivals: Vec<Arrival>,
    ) -> Result<()> {
        for left in self.keep_what_is_allowed(room, arrivals).await? {
            tracing::debug!(event_id = %left.pdu.event_id, "an event cannot be judged, and is left out");
        }
        Ok(())
    }

    /// As [`Rooms::keep_outliers`], which gives those that are left out.
    pub(crate) async fn keep_what_is_allowed(
        &self,
        room: &Arc<Room>,
        arrivals: Vec<Arrival>,
    ) -> Result<Vec<Arrival>> {
        let mut left = Vec::new();
        let mut waiting = None;
        let mut rest = in_auth_order(arrivals).into_iter().peekable();
        while rest.peek().is_some() {
            let some = rest.by_ref().take(AT_ONCE).collect();
            let permit = self.inner.store.permit().await?;
            let mut head = room.lock();
            waiting = self
                .write_outliers(room, &mut head, some, permit, &mut left)?
                .or(waiting);
        }
        if let Some(waiting) = waiting {
            waiting.await?;
        }
        Ok(left)
    }

    fn write_outliers(
        &self,
        room: &Room,
        head: &mut Head,
        arrivals: Vec<Arrival>,
        permit: Permit,
        left: &mut Vec<Arrival>,
    ) -> Result<Option<Pending>> {
        self.forget_looked_up(head);
        let mut judged: HashMap<OwnedEventId, Arc<Pdu>> = HashMap::new();
        let mut written = Vec::with_capacity(arrivals.len());
        let mut undone = Vec::new();
        for Arrival { pdu, json } in arrivals {
            let known = self.here(head, &pdu.event_id)?;
            // An invite was taken before anything was known of its room: now it can be judged.
            let is_judged = known.as_ref().is_some_and(|known| !self.is_noted(known));
            if is_judged || judged.contains_key(&pdu.event_id) {
                continue;
            }
            let (mut auth_events, mut missing) = self.auth_events_here(room, head, &pdu)?;
            missing.retain(|id| match judged.get(id) {
                Some(pdu) => {
                    auth_events.insert(id.clone(), pdu.clone());
                    false
                }
                None => true,
            });
            if !missing.is_empty() {
                left.push(Arrival { pdu, json });
                continue;
            }
            let create = match self.create_here(room, head)? {
                Some(create) => Some(create),
                None => judged.values().find(|pdu| is_create(room, pdu)).cloned(),
            };
            let verdict = self.judge_alone(room, &pdu, create.as_ref(), &auth_events);
            let (pdu, standing) = match verdict {
                Ok(()) => (pdu, Standing::Outlier),
                Err(refused) => {
                    tracing::debug!(event_id = %pdu.event_id, %refused, "an event of an auth chain is refused");
                    (rejected(&pdu), Standing::Rejected)
                }
            };
            judged.insert(pdu.event_id.clone(), pdu.clone());
            match known {
                Some(known) if standing == Standing::Rejected => undone.push(known),
                Some(_) => {}
                None => written.push((pdu, json, standing)),
            }
        }
        if written.is_empty() && undone.is_empty() {
            return Ok(None);
        }
        let reserved = self.inner.store.reserve(permit, written.len() as u64);
        let mut batch = Batch::new();
        for known in undone {
            let mut record = known.record.clone();
            record.standing = Standing::Rejected;
            batch.rewrite(known.position, &Entry::Event(record.clone()));
            let event = StoredEvent::new(known.position, &room.id, &room.rules, record, None)?;
            self.inner.events.insert(known.position, Arc::new(event));
        }
        for (n, (pdu, json, standing)) in (0..).zip(written) {
            let at = reserved.at(n);
            let record = EventRecord {
                room: room.number,
                event_id: pdu.event_id.to_string(),
                state_before: 0,
                state_after: 0,
                standing,
                transaction: None,
                pdu: json.into(),
                unsigned: bytes::Bytes::new(),
                place: Place::Live,
            };
            batch
                .put(&EVENT_NUMBERS, (&pdu.event_id,), &at)
                .log(Entry::Event(record.clone()));
            let event = Arc::new(StoredEvent::with_pdu(at, pdu, record, None));
            self.inner.events.insert(at, event.clone());
            head.flight.insert(at, event);
        }
        Ok(Some(self.inner.store.submit(reserved, batch)))
    }
}

/// Whether an event is the one that made a room whose ID names it.
fn is_create(room: &Room, pdu: &Pdu) -> bool {
    pdu.event_id.as_str().get(1..) == room.id.as_str().get(1..)
}

/// Each event after those of them that allow it.
fn in_auth_order(arrivals: Vec<Arrival>) -> Vec<Arrival> {
    let mut left: HashMap<OwnedEventId, Arrival> = HashMap::with_capacity(arrivals.len());
    let mut ids = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let id = arrival.pdu.event_id.clone();
        ids.push(id.clone());
        left.insert(id, arrival);
    }
    // From version 12 on, what allows an event does not name the create event: it comes first by itself.
    ids.sort_by_key(|id| {
        let event = left.get(id);
        event.is_none_or(|event| !event.pdu.prev_events.is_empty())
    });
    let mut ordered = Vec::with_capacity(ids.len());
    let mut entered = HashSet::new();
    for id in ids {
        let mut open = vec![id];
        while let Some(id) = open.last().cloned() {
            let Some(event) = left.get(&id) else {
                open.pop();
                continue;
            };
            // Hashes make cycles impossible; whoever comes here twice has all below it done.
            let first_time = entered.insert(id.clone());
            let before = event.pdu.auth_events.iter();
            let before: Vec<_> = before
                .filter(|id| left.contains_key(*id))
                .cloned()
                .collect();
            if first_time && !before.is_empty() {
                open.extend(before);
                continue;
            }
            open.pop();
            ordered.extend(left.remove(&id));
        }
    }
    ordered
}
