//! What is missing before an event can be judged: the events before it, or the state there; the events that allow it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use orvale_events::Foreign;
use orvale_storage::trees::rooms::EVENT_NUMBERS;
use ruma::{
    EventId, OwnedEventId, ServerName, UInt,
    api::federation::{
        authorization::get_event_authorization,
        backfill::get_backfill,
        event::{get_event, get_missing_events, get_room_state_ids},
    },
};

use crate::{
    Room, Rooms,
    error::{Error, Result},
    foreign::{Accepted, Arrival, Bridge},
};

/// The most events before one that are fetched; a longer gap is bridged by the state after it.
const MAX_GAP: usize = 3_000;
/// How many are asked for at once.
const PAGE: u32 = 100;
/// The most events before one that are fetched where the room's members are not all known yet: what goes back further waits until they are.
const MAX_PARTIAL_GAP: usize = 100;
/// How many single events are asked for before the whole state is.
const FEW: usize = 30;
/// The most bytes of a state.
pub(super) const MAX_STATE_BYTES: usize = 256 << 20;
/// How long a state may take to arrive, at least.
pub(super) const STATE_TIMEOUT: Duration = Duration::from_secs(180);

impl Rooms {
    /// Fetches what an event needs from servers of its room, and accepts it on top of that.
    pub(super) async fn fetch_and_accept(
        &self,
        origin: &ServerName,
        room: &Arc<Room>,
        arrival: Arrival,
    ) -> Result<Accepted> {
        let mut last = Accepted::Missing(crate::Missing::default());
        for server in self.servers_to_ask(room, Some(origin))? {
            match self.fetch_from(&server, room, arrival.clone()).await {
                Ok(missing @ Accepted::Missing(_)) => last = missing,
                Ok(accepted) => return Ok(accepted),
                Err(error) => {
                    tracing::info!(%error, server_name = %server, room_id = %room.id, event_id = %arrival.pdu.event_id, "a server does not give what an event needs");
                }
            }
        }
        Ok(last)
    }

    async fn fetch_from(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        arrival: Arrival,
    ) -> Result<Accepted> {
        let before = self.fetch_before(server, room, &arrival).await?;
        for event in before {
            let id = event.pdu.event_id.clone();
            match self.accept_with_help(server, room, event).await? {
                Accepted::Missing(missing) => {
                    tracing::debug!(event_id = %id, ?missing, "an event of a gap cannot be judged");
                }
                _ => tokio::task::consume_budget().await,
            }
        }
        self.accept_with_help(server, room, arrival).await
    }

    /// Accepts an event, fetching the events that allow it, and the state where the events before it cannot be had.
    async fn accept_with_help(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        arrival: Arrival,
    ) -> Result<Accepted> {
        let missing = match self.accept(room, arrival.clone()).await? {
            Accepted::Missing(missing) => missing,
            accepted => return Ok(accepted),
        };
        if !missing.auth_events.is_empty() {
            self.fetch_auth_events(server, room, &arrival, &missing.auth_events)
                .await?;
        }
        if self.is_partial(room.number) && !missing.prev_events.is_empty() {
            // The state there would be another than the room's in all the members that are not known.
            return Ok(Accepted::Missing(missing));
        }
        let mut bridge = Bridge::new();
        for id in missing.prev_events {
            let state = self.fetch_state_after(server, room, &id).await?;
            bridge.insert(id, state);
        }
        self.accept_over(room, arrival, &bridge).await
    }

    /// The events between one and what is known of its room, oldest first.
    async fn fetch_before(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        arrival: &Arrival,
    ) -> Result<Vec<Arrival>> {
        let mut found: BTreeMap<OwnedEventId, Arrival> = BTreeMap::new();
        let mut missing = self.unknown(room, &arrival.pdu.prev_events, &found)?;
        let mut is_first = true;
        let most = match self.is_partial(room.number) {
            true => MAX_PARTIAL_GAP,
            false => MAX_GAP,
        };
        while !missing.is_empty() && found.len() < most {
            let events = if std::mem::take(&mut is_first) {
                self.ask_missing(server, room, arrival).await?
            } else {
                self.ask_backfill(server, room, &missing).await?
            };
            let before = found.len();
            for event in self.believe(&room.id, &room.rules, &events).await? {
                if !self.is_known(room, &event.pdu.event_id)? {
                    found.insert(event.pdu.event_id.clone(), event);
                }
            }
            let prev: Vec<OwnedEventId> = found
                .values()
                .flat_map(|event| event.pdu.prev_events.iter().cloned())
                .chain(arrival.pdu.prev_events.iter().cloned())
                .collect();
            missing = self.unknown(room, &prev, &found)?;
            if found.len() == before {
                break;
            }
        }
        Ok(in_order(found))
    }

    async fn ask_missing(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        arrival: &Arrival,
    ) -> Result<Vec<Box<serde_json::value::RawValue>>> {
        let earliest = room.lock().extremities.clone();
        let mut request = get_missing_events::v1::Request::new(
            room.id.clone(),
            earliest,
            vec![arrival.pdu.event_id.clone()],
        );
        request.limit = UInt::from(PAGE);
        let answer = self.federation()?.send(server, request).await?;
        Ok(answer.events)
    }

    pub(super) async fn ask_backfill(
        &self,
        server: &ServerName,
        room: &Room,
        from: &[OwnedEventId],
    ) -> Result<Vec<Box<serde_json::value::RawValue>>> {
        let from = from.iter().take(20).cloned().collect();
        let request = get_backfill::v1::Request::new(room.id.clone(), from, UInt::from(PAGE));
        let answer = self.federation()?.send(server, request).await?;
        Ok(answer.pdus)
    }

    fn is_known(&self, room: &Room, id: &EventId) -> Result<bool> {
        let head = room.lock();
        let known = self.here(&head, id)?;
        let is_known = known.is_some_and(|event| event.room == room.number && event.has_state());
        Ok(is_known || self.state_before_join(room, &head, id)?.is_some())
    }

    pub(super) fn unknown(
        &self,
        room: &Room,
        ids: &[OwnedEventId],
        found: &BTreeMap<OwnedEventId, Arrival>,
    ) -> Result<Vec<OwnedEventId>> {
        let mut seen = HashSet::new();
        let mut unknown = Vec::new();
        for id in ids {
            if !found.contains_key(id) && seen.insert(id) && !self.is_known(room, id)? {
                unknown.push(id.clone());
            }
        }
        Ok(unknown)
    }

    /// Fetches the events that allow one, and those that allow these.
    pub(super) async fn fetch_auth_events(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        arrival: &Arrival,
        missing: &[OwnedEventId],
    ) -> Result<()> {
        let client = self.federation()?;
        let request = get_event_authorization::v1::Request::new(
            room.id.clone(),
            arrival.pdu.event_id.clone(),
        );
        let chain = match client.send(server, request).await {
            Ok(answer) => {
                self.believe(&room.id, &room.rules, &answer.auth_chain)
                    .await?
            }
            Err(error) if error.is_answer() => {
                // They do not know the event, but may know what it names.
                self.fetch_events(server, room, missing).await?
            }
            Err(error) => return Err(error.into()),
        };
        self.keep_outliers(room, chain).await
    }

    /// Fetches single events.
    async fn fetch_events(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        ids: &[OwnedEventId],
    ) -> Result<Vec<Arrival>> {
        let client = self.federation()?;
        let mut pdus = Vec::with_capacity(ids.len());
        for id in ids {
            let request = get_event::v1::Request::new(id.clone());
            match client.send(server, request).await {
                Ok(answer) => pdus.push(answer.pdu),
                Err(error) if error.is_answer() => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.believe(&room.id, &room.rules, &pdus).await
    }

    /// Fetches the state before an event; its events are kept, and found here by type and key.
    pub(super) async fn fetch_state_before(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        id: &EventId,
    ) -> Result<NamedState> {
        let named = self.fetch_state_ids(server, room, id, STATE_TIMEOUT);
        let late = |_| Error::BadContent("the state takes too long".to_owned());
        let named = tokio::time::timeout(2 * STATE_TIMEOUT, named)
            .await
            .map_err(late)??;
        let mut state = NamedState::new();
        for id in &named {
            let event = self
                .find_event(id)?
                .filter(|event| event.room == room.number)
                .ok_or_else(|| Error::BadContent(format!("{id} of the state cannot be had")))?;
            if let Some(key) = &event.pdu.state_key {
                state.insert((event.pdu.kind.to_string(), key.clone()), id.clone());
            }
        }
        Ok(state)
    }

    /// Fetches the events of the state before an event, and what allows them, as far as they are not known here. Which ones the state has.
    /// The server has to begin its answers within `patience`.
    pub(crate) async fn fetch_state_ids(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        id: &EventId,
        patience: Duration,
    ) -> Result<Vec<OwnedEventId>> {
        let client = self.federation()?;
        let mut bounds = client.bounds();
        bounds.max_bytes = MAX_STATE_BYTES;
        bounds.timeout = bounds.timeout.max(patience);
        let request = get_room_state_ids::v1::Request::new(id.to_owned(), room.id.clone());
        let named = client.send_within(server, request, bounds).await?;
        let mut missing = Vec::new();
        for id in named.pdu_ids.iter().chain(&named.auth_chain_ids) {
            if !self.store().contains(&EVENT_NUMBERS, (id,))? {
                missing.push(id.clone());
            }
        }
        if missing.len() > FEW {
            self.keep_state(server, room, id, patience).await?;
        } else {
            let arrivals = self.fetch_events(server, room, &missing).await?;
            self.keep_outliers(room, arrivals).await?;
        }
        Ok(named.pdu_ids)
    }

    /// Fetches the state after an event that cannot be had in its place.
    async fn fetch_state_after(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        id: &EventId,
    ) -> Result<Vec<OwnedEventId>> {
        let mut state = self.fetch_state_before(server, room, id).await?;
        let client = self.federation()?;
        // The event itself, which is part of the state after it if it is a state event.
        let mut own = self.find_event(id)?.map(|event| event.pdu.clone());
        if own.is_none() {
            let request = get_event::v1::Request::new(id.to_owned());
            let answer = client.send(server, request).await?;
            let event = Foreign::read(answer.pdu.get().as_bytes(), &room.rules)?;
            if event.event_id() != id {
                return Err(Error::BadContent("another event was given".to_owned()));
            }
            let event = self.believe_one(&room.id, &room.rules, event).await?;
            own = Some(event.pdu.clone());
            self.keep_outliers(room, vec![event]).await?;
        }
        if let Some(own) = own
            && let Some(key) = &own.state_key
        {
            state.insert((own.kind.to_string(), key.clone()), own.event_id.clone());
        }
        Ok(state.into_values().collect())
    }
}

/// The events of a state by type and key.
pub(super) type NamedState = HashMap<(String, String), OwnedEventId>;

/// Each event after those of them that it follows.
pub(super) fn in_order(mut events: BTreeMap<OwnedEventId, Arrival>) -> Vec<Arrival> {
    let mut ids: Vec<_> = events.keys().cloned().collect();
    // What servers say of depth is a good guess; what events follow is certain.
    ids.sort_by_key(|id| events.get(id).map(|event| event.pdu.depth));
    let mut ordered = Vec::with_capacity(ids.len());
    let mut entered = HashSet::new();
    for id in ids {
        let mut open = vec![id];
        while let Some(id) = open.last().cloned() {
            let Some(event) = events.get(&id) else {
                open.pop();
                continue;
            };
            let before = event.pdu.prev_events.iter();
            let before: Vec<_> = before
                .filter(|id| events.contains_key(*id))
                .cloned()
                .collect();
            if entered.insert(id.clone()) && !before.is_empty() {
                open.extend(before);
                continue;
            }
            open.pop();
            ordered.extend(events.remove(&id));
        }
    }
    ordered
}
