//! A room's state as another server gives it, kept as it arrives: there may be much of it, and only what names what has not come yet is held in
//! memory.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use orvale_events::{Foreign, Pdu};
use ruma::{EventId, OwnedEventId, ServerName, api::federation::event::get_room_state};
use serde_json::value::RawValue;

use super::{fetch::MAX_STATE_BYTES, split::Splitter};
use crate::{
    Room, Rooms,
    error::{Error, Result},
    foreign::Arrival,
};

/// How many events are verified and kept at once.
const AT_ONCE: usize = 500;
/// How long it is waited for more of it, once it has begun.
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
    /// Keeps the events of the state before an event, and what allows them, as a server gives them: one that begins to within `patience`. What came is kept also where the server
    /// breaks off.
    pub(super) async fn keep_state(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        id: &EventId,
        patience: Duration,
    ) -> Result<()> {
        let client = self.federation()?;
        let mut bounds = client.bounds();
        bounds.timeout = bounds.timeout.max(patience);
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
        let mut new = Vec::with_capacity(events.len());
        for event in events.drain(..) {
            let read = Foreign::read(event.get().as_bytes(), &room.rules);
            let read = read.inspect_err(|error| tracing::debug!(%error, "an event is dropped"));
            let Some(event) = read.ok().filter(|event| event.room_id() == room.id) else {
                continue;
            };
            // What came the last time, or stands in both lists, need not be verified again.
            let known = self.find_event(event.event_id())?;
            if known.is_none_or(|known| self.is_noted(&known)) {
                new.push(event);
            }
        }
        let believed = self.verified(&room.rules, new).await?;
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

#[cfg(test)]
mod tests {
    use ruma::RoomVersionId;
    use serde_json::json;

    use crate::{
        foreign::tests::person,
        remote::raw,
        testing::{knowing, member, server, state},
    };

    #[tokio::test]
    async fn what_names_what_comes_later_waits_for_it() {
        let a = server("a.test");
        let b = knowing(server("b.test"), &[&a]).await;
        let here = a.public_room(RoomVersionId::V11).await;
        for name in ["bob", "carol"] {
            let user = person(name, &a);
            a.did(&here, member(&user, &user, "join")).await.unwrap();
            for n in 0..3 {
                let content = json!({ "membership": "join", "displayname": format!("{name} {n}") });
                let named = state(&user, "m.room.member", user.as_str(), &content);
                a.did(&here, named).await.unwrap();
            }
        }
        let mut all = a.list_state(&here).unwrap();
        let ids = all.iter().map(|event| event.event_id().to_owned());
        all.extend(a.auth_chain(&here, ids.collect()).unwrap());
        // What came last comes first, and one event does not come at all.
        all.sort_by_key(|event| std::cmp::Reverse(event.pdu.depth));
        let carol = person("carol", &a);
        let joined = all
            .iter()
            .rposition(|event| event.pdu.state_key.as_deref() == Some(carol.as_str()));
        let missing = all.remove(joined.unwrap());
        let there = b.find_or_note(&here.id, &here.version).await.unwrap();
        let mut waiting = Vec::new();
        for some in all.chunks(3) {
            let events = some.iter().map(|event| raw(&event.record.pdu).unwrap());
            let mut events = events.collect();
            let kept = b.keep_some(&there, &mut events, &mut waiting);
            kept.await.unwrap();
        }
        assert!(waiting.len() > 6, "{}", waiting.len());
        b.keep_waiting(&there, waiting).await.unwrap();
        for event in &all {
            let is_hers = event.pdu.sender == carol;
            let is_known = b.find_event(event.event_id()).unwrap().is_some();
            assert_eq!(is_known, !is_hers, "{}", event.event_id());
        }
        assert_eq!(missing.pdu.sender, carol);
    }
}
