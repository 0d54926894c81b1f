//! A room's history of before this server came, and of while it was away: fetched when somebody reads that far.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use orvale_storage::{
    Batch, Entry, EventRecord, Place, Standing,
    trees::rooms::{EVENT_NUMBERS, GAPS, TIMELINE},
};
use ruma::{OwnedEventId, ServerName};

use super::fetch::in_order;
use crate::{
    Order, Room, Rooms, StoredEvent,
    append::{put_relation, rejected},
    breaks::Break,
    error::Result,
    foreign::Arrival,
    state::{Nodes, hash},
};

impl Rooms {
    /// Fetches some of the history from before the first event that is known of a room. False if there is none to be had.
    ///
    /// # Errors
    /// Storage's.
    pub async fn fetch_history(&self, room: &Arc<Room>) -> Result<bool> {
        if !self.is_federated() || !self.is_resident(room)? || self.is_partial(room.number) {
            return Ok(false);
        }
        let Some(inbox) = self.inner.inboxes.of_history(&room.id) else {
            return Ok(false);
        };
        // Of two who read that far at once, one fetches, and the other finds it.
        let before = self.first_order(room)?;
        let _turn = inbox.lock().await;
        if self.first_order(room)? != before {
            return Ok(true);
        }
        let gaps = self.history_gaps(room)?;
        if gaps.is_empty() {
            return Ok(false);
        }
        for server in self.servers_to_ask(room, None)? {
            match self.fetch_history_from(&server, room, &gaps, None).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    tracing::info!(%error, server_name = %server, room_id = %room.id, "a server does not give a room's history");
                }
            }
        }
        Ok(false)
    }

    /// Fetches some of what is missing in a gap. False if there is none to be had.
    pub(super) async fn fetch_break(&self, room: &Arc<Room>, gap: &Break) -> Result<bool> {
        if !self.is_resident(room)? {
            return Ok(false);
        }
        let Some(inbox) = self.inner.inboxes.of_history(&room.id) else {
            return Ok(false);
        };
        let _turn = inbox.lock().await;
        // Somebody else may have fetched it meanwhile, or it came by itself.
        let now = self.last_break(room, gap.order, gap.order.before())?;
        let Some(gap) = now else {
            return Ok(true);
        };
        let missing = self.unknown(room, &gap.ends, &BTreeMap::new())?;
        if missing.len() < gap.ends.len() {
            self.move_break(room, &gap, &missing, gap.order).await?;
            return Ok(true);
        }
        for server in self.servers_to_ask(room, None)? {
            match self
                .fetch_history_from(&server, room, &missing, Some(&gap))
                .await
            {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    tracing::info!(%error, server_name = %server, room_id = %room.id, "a server does not give what is missing in a room");
                }
            }
        }
        Ok(false)
    }

    /// The events missing before the first one that is known.
    pub(super) fn history_gaps(&self, room: &Room) -> Result<Vec<OwnedEventId>> {
        let found = self.store().prefix(&GAPS, (room.number,), 1000)?;
        let past = found.into_iter().filter(|(_, gap)| gap.is_beginning);
        let ids = past.filter_map(|((_, id), _)| OwnedEventId::try_from(id).ok());
        Ok(ids.collect())
    }

    pub(super) fn first_order(&self, room: &Room) -> Result<Order> {
        let first = self.list_forwards(room, Order::START, Order::END, 1)?;
        Ok(first.first().map_or(Order::END, |(order, _)| *order))
    }

    async fn fetch_history_from(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        gaps: &[OwnedEventId],
        place: Option<&Break>,
    ) -> Result<bool> {
        let events = self.ask_backfill(server, room, gaps).await?;
        let mut found: BTreeMap<OwnedEventId, Arrival> = BTreeMap::new();
        for event in self.believe(&room.id, &room.rules, &events).await? {
            if self
                .unknown(room, std::slice::from_ref(&event.pdu.event_id), &found)?
                .len()
                == 1
            {
                found.insert(event.pdu.event_id.clone(), event);
            }
        }
        if !found.keys().any(|id| gaps.contains(id)) {
            return Ok(false);
        }
        // Where the page begins, the state before is what the server says.
        let ordered = in_order(found.clone());
        let mut starts: HashMap<OwnedEventId, Vec<OwnedEventId>> = HashMap::new();
        for event in &ordered {
            let missing = self.unknown(room, &event.pdu.prev_events, &found)?;
            if !event.pdu.auth_events.is_empty() {
                let mut unknown = Vec::new();
                for id in &event.pdu.auth_events {
                    if self.find_event(id)?.is_none() {
                        unknown.push(id.clone());
                    }
                }
                if !unknown.is_empty() {
                    self.fetch_auth_events(server, room, event, &unknown)
                        .await?;
                }
            }
            if !missing.is_empty() {
                let id = event.pdu.event_id.clone();
                let state = self.fetch_state_before(server, room, &id).await?;
                starts.insert(id, state.into_values().collect());
            }
        }
        self.write_history(room, ordered, &starts, place).await
    }

    /// Writes a page of history, oldest first, just before the first event that is known, or in a gap.
    async fn write_history(
        &self,
        room: &Arc<Room>,
        events: Vec<Arrival>,
        starts: &HashMap<OwnedEventId, Vec<OwnedEventId>>,
        place: Option<&Break>,
    ) -> Result<bool> {
        let end = match place {
            Some(gap) => gap.order.0,
            // Live orders have the highest bit; history counts down from below it.
            None => self.first_order(room)?.0.min(1 << 63),
        };
        let mut order = end.saturating_sub(events.len() as u64 + 1);
        let first = Order(order.saturating_add(1));
        if let Some(gap) = place {
            let before = self.list_backwards(room, gap.order.before(), Order::START, 1)?;
            if before.first().is_some_and(|(before, _)| *before >= first) {
                tracing::warn!(room_id = %room.id, "a gap has no room for what is missing in it");
                self.move_break(room, gap, &[], first).await?;
                return Ok(false);
            }
        }
        let mut ends = Vec::new();
        let mut waiting = None;
        for event in events {
            order += 1;
            let permit = self.inner.store.permit().await?;
            let mut head = room.lock();
            let head = &mut *head;
            self.forget_looked_up(head);
            let known = self.here(head, &event.pdu.event_id)?;
            if known.as_ref().is_some_and(|known| known.has_state()) {
                continue;
            }
            let pdu = event.pdu.clone();
            let reserved = self.inner.store.reserve(permit, 1);
            let at = reserved.at(0);
            let mut nodes = Nodes::new(at);
            let mut batch = Batch::new();
            let before = match starts.get(&pdu.event_id) {
                Some(state) => self.bridged(room, head, state, &mut nodes)?,
                None => self.state_after_all(room, head, &pdu.prev_events, &mut nodes)?,
            };
            let refused = self.judge_past(room, head, &pdu, before)?;
            let number = known.as_ref().map_or(at, |known| known.position);
            let mut after = before;
            let mut replaces = None;
            if let Some(key) = &pdu.state_key
                && refused.is_none()
            {
                let kind = pdu.kind.to_string();
                replaces = self.state_here(head, before, &kind.clone().into(), key)?;
                let change = [(hash(&kind, key), Some(number))];
                let states = &self.inner.states;
                after = states.change(before, &change, &mut nodes, &mut head.unwritten)?;
            }
            nodes.put(&mut batch);
            let standing = match &refused {
                None => Standing::Accepted,
                Some(_) => Standing::Rejected,
            };
            let record = EventRecord {
                room: room.number,
                event_id: pdu.event_id.to_string(),
                state_before: before.0,
                state_after: after.0,
                standing,
                transaction: None,
                pdu: event.json.into(),
                unsigned: replaces
                    .as_ref()
                    .map(|before| StoredEvent::unsigned_replacing(before.event_id()))
                    .unwrap_or_default(),
                place: Place::Past { order },
            };
            if refused.is_none() {
                batch.put(&TIMELINE, (room.number, order), &number);
                if put_relation(room, &pdu, number, &mut batch).is_some() {
                    self.inner.relations.gained(number.next());
                }
            }
            batch.delete(&GAPS, (room.number, &pdu.event_id));
            if starts.contains_key(&pdu.event_id) {
                for id in &pdu.prev_events {
                    if !self.here(head, id)?.is_some_and(|known| known.has_state()) {
                        let depth = pdu.depth.saturating_sub(1);
                        self.note_gap(room, head, id, depth, place.is_none(), at, &mut batch);
                        ends.push(id.clone());
                    }
                }
            }
            if known.is_some() {
                batch.rewrite(number, &Entry::Event(record.clone()));
                batch.log(Entry::Arrived { event: number });
            } else {
                batch.put(&EVENT_NUMBERS, (&pdu.event_id,), &number);
                batch.log(Entry::Event(record.clone()));
            }
            let replaced = replaces.as_ref().map(|event| &*event.pdu);
            let pdu = match standing {
                Standing::Rejected => rejected(&pdu),
                _ => pdu,
            };
            let event = Arc::new(StoredEvent::with_pdu(number, pdu, record, replaced));
            self.inner.events.insert(number, event.clone());
            head.flight.insert(at, event);
            waiting = Some(self.inner.store.submit(reserved, batch));
        }
        let Some(waiting) = waiting else {
            return Ok(false);
        };
        waiting.await?;
        if let Some(gap) = place {
            ends.extend_from_slice(&gap.ends);
            let left = self.unknown(room, &ends, &BTreeMap::new())?;
            self.move_break(room, gap, &left, first).await?;
        }
        Ok(true)
    }
}
