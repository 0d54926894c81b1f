//! A room's state as another server gives it, kept as it arrives: there may be much of it, and only what names what has not come yet is held in
//! memory.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use orvale_events::Pdu;
use ruma::{EventId, OwnedEventId, ServerName, api::federation::event::get_room_state};
use serde_json::value::RawValue;

use super::{
    fetch::{MAX_STATE_BYTES, STATE_TIMEOUT},
    split::Splitter,
};
use crate::{
    Room, Rooms,
    error::{Error, Result},
    foreign::Arrival,
};

/// How many events are verified and kept at once.
const AT_ONCE: usize = 500;
/// How long it is waited for more of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// An event that names what has not come yet: as little of it as it can be had again from.
struct Waiting {
    depth: u64,
    id: OwnedEventId,
    json: Vec<u8>,
}

impl Waiting {
    fn new(arrival: Arrival) -> Self {
        Self {
            depth: arrival.pdu.depth,
            id: arrival.pdu.event_id.clone(),
            json: arrival.json,
        }
    }

    fn arrival(self, room: &Room) -> Result<Arrival> {
        let pdu = Pdu::parse(self.id, room.id.clone(), &self.json, &room.rules)?;
        Ok(Arrival {
            pdu: Arc::new(pdu),
            json: self.json,
        })
    }
}

impl Rooms {
    /// Keeps the events of the state before an event, and what allows them, as a server gives them. What came is kept also where the server
    /// breaks off.
    pub(super) async fn keep_state(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        id: &EventId,
    ) -> Result<()> {
        let client = self.federation()?;
        let mut bounds = client.bounds();
        bounds.timeout = bounds.timeout.max(STATE_TIMEOUT);
        let request = get_room_state::v1::Request::new(id.to_owned(), room.id.clone());
        let mut body = client.open(server, request, bounds).await?.into_body();
        let (mut splitter, mut events) = (Splitter::default(), Vec::new());
        let (mut length, mut waiting) = (0, Vec::new());
        let late = |_| Error::BadContent("the answer does not go on".to_owned());
        while let Some(bytes) = tokio::time::timeout(PATIENCE, body.next())
            .await
            .map_err(late)?
        {
            let bytes = bytes?;
            length += bytes.len();
            if length > MAX_STATE_BYTES {
                return Err(Error::BadContent("the answer is too large".to_owned()));
            }
            splitter.read(&bytes, &mut events)?;
            if events.len() >= AT_ONCE {
                self.keep_some(room, &mut events, &mut waiting).await?;
            }
        }
        if !splitter.is_over() {
            return Err(Error::BadContent("the answer ends early".to_owned()));
        }
        self.keep_some(room, &mut events, &mut waiting).await?;
        self.keep_waiting(room, waiting).await
    }

    async fn keep_some(
        &self,
        room: &Arc<Room>,
        events: &mut Vec<Box<RawValue>>,
        waiting: &mut Vec<Waiting>,
    ) -> Result<()> {
        let believed = self.believe(&room.id, &room.rules, events).await?;
        events.clear();
        let left = self.keep_what_is_allowed(room, believed).await?;
        waiting.extend(left.into_iter().map(Waiting::new));
        Ok(())
    }

    /// Keeps those that named what came after them.
    async fn keep_waiting(&self, room: &Arc<Room>, mut waiting: Vec<Waiting>) -> Result<()> {
        loop {
            let before = waiting.len();
            // What allows an event is mostly less deep.
            waiting.sort_by_key(|waiting| waiting.depth);
            let mut left = Vec::new();
            let mut rest = waiting.into_iter().peekable();
            while rest.peek().is_some() {
                let some = rest.by_ref().take(AT_ONCE);
                let some = some.map(|waiting| waiting.arrival(room));
                let some = some.collect::<Result<Vec<_>>>()?;
                let still = self.keep_what_is_allowed(room, some).await?;
                left.extend(still.into_iter().map(Waiting::new));
            }
            waiting = left;
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        for left in waiting {
            tracing::debug!(event_id = %left.id, "an event cannot be judged, and is left out");
        }
        Ok(())
    }
}
