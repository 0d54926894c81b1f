//! Events that other servers send in transactions.
//!
//! Each room has an inbox: its events are taken one after the other, and a room that has to ask for what is missing holds up no other. What a
//! transaction does not wait for is kept in the store before it is answered (`inbox.rs`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use orvale_events::Foreign;
use orvale_storage::Error as Failure;
use ruma::{OwnedEventId, OwnedRoomId, RoomId, ServerName, UserId, events::MessageLikeEventType};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Draft, Room, Rooms,
    error::{Error, Result},
    foreign::{Accepted, Arrival},
};

/// How long a transaction waits for its rooms. What takes longer goes on without it.
const PATIENCE: Duration = Duration::from_secs(20);

/// From how many forks on they are tied together.
const MANY_FORKS: usize = 10;
/// The type of the event that does it, as other servers know it; it says nothing.
const TIE: &str = "org.matrix.dummy_event";

/// What became of the events of a transaction, by ID: nothing, or why one was refused.
pub type Received = BTreeMap<OwnedEventId, std::result::Result<(), String>>;

#[derive(Deserialize)]
struct Named {
    room_id: Option<OwnedRoomId>,
}

impl Rooms {
    /// Takes the events of a transaction in, those of each room in their order. Resolves when they are durable: taken in, or, where a room is slow, kept
    /// until they are.
    ///
    /// # Errors
    /// Storage's: the transaction has to be sent again.
    pub async fn receive(&self, origin: &ServerName, pdus: Vec<Box<RawValue>>) -> Result<Received> {
        self.receive_within(PATIENCE, origin, pdus).await
    }

    /// As [`Rooms::receive`], for as long as the rooms may take.
    pub(super) async fn receive_within(
        &self,
        patience: Duration,
        origin: &ServerName,
        pdus: Vec<Box<RawValue>>,
    ) -> Result<Received> {
        let mut by_room: BTreeMap<OwnedRoomId, Vec<Box<RawValue>>> = BTreeMap::new();
        for pdu in pdus {
            let named = serde_json::from_str::<Named>(pdu.get());
            // A create event of version 12 names no room; nobody has to be told of one: it comes with the room's state.
            if let Ok(Named { room_id: Some(id) }) = named {
                by_room.entry(id).or_default().push(pdu);
            }
        }
        let mut received = Received::new();
        let mut tasks = Vec::new();
        for (id, pdus) in by_room {
            let events = self
                .find(&id)?
                .map(|room| read(&room, &pdus, &mut received));
            // Until it is known better, they are taken: a slow room tells nobody.
            let ids: Vec<_> = events.iter().flatten().map(id_of).collect();
            received.extend(ids.iter().map(|id| (id.clone(), Ok(()))));
            let pdus: Arc<[Box<RawValue>]> = pdus.into();
            let Some(inbox) = self.inner.inboxes.of(&id) else {
                match self.keep_for_later(origin, &id, &pdus).await? {
                    Some(_) => self.empty_inbox(&id),
                    None => self.refuse_all(&id, &pdus, &mut received),
                }
                continue;
            };
            let (rooms, from, room_id, taken) =
                (self.clone(), origin.to_owned(), id.clone(), pdus.clone());
            let task = tokio::spawn(async move {
                // Who comes into a room holds its inbox: what is sent meanwhile waits until they are in.
                let _turn = inbox.lock().await;
                rooms.receive_room(&from, &room_id, &taken, events).await
            });
            tasks.push((id, ids, pdus, task));
        }
        let deadline = tokio::time::Instant::now() + patience;
        for (id, ids, pdus, mut task) in tasks {
            match tokio::time::timeout_at(deadline, &mut task).await {
                Ok(Ok(results)) => received.extend(results?),
                Ok(Err(error)) => {
                    tracing::error!(%error, room_id = %id, "taking events in failed");
                    // Sent again they would fail again, and hold up all that comes after them.
                    let failed = || Err("it could not be taken in".to_owned());
                    received.extend(ids.into_iter().map(|id| (id, failed())));
                }
                Err(_) => match self.keep_for_later(origin, &id, &pdus).await? {
                    Some(kept) => {
                        let rooms = self.clone();
                        tokio::spawn(async move {
                            match task.await {
                                Ok(Ok(_)) => {}
                                Err(error) => {
                                    tracing::error!(%error, room_id = %id, "taking events in failed");
                                }
                                Ok(Err(error)) => {
                                    tracing::error!(%error, room_id = %id, "events wait for another process");
                                    return;
                                }
                            }
                            rooms.let_go(&id, kept).await;
                        });
                    }
                    None => self.refuse_all(&id, &pdus, &mut received),
                },
            }
        }
        Ok(received)
    }

    /// Too much waits for a room already.
    fn refuse_all(&self, id: &RoomId, pdus: &[Box<RawValue>], received: &mut Received) {
        tracing::info!(room_id = %id, "too much waits for a room: events are refused");
        if let Ok(Some(room)) = self.find(id) {
            let events = read(&room, pdus, received);
            refuse(&events, "too much waits for this room", received);
        }
    }

    /// Takes events of one room in, whose turn it is; `events` are those in it that were read already.
    pub(super) async fn receive_room(
        &self,
        origin: &ServerName,
        id: &RoomId,
        pdus: &[Box<RawValue>],
        events: Option<Vec<Foreign>>,
    ) -> Result<Received> {
        let mut received = Received::new();
        if let Some(room) = self.find(id)? {
            let refused = self.gate(origin, &room)?;
            let events = events.unwrap_or_else(|| read(&room, pdus, &mut received));
            match refused {
                Some(reason) => refuse(&events, &reason, &mut received),
                None => received.extend(self.receive_in(origin, &room, events).await?),
            }
        }
        Ok(received)
    }

    /// Why nothing of a server is taken in a room, if that is so.
    fn gate(&self, origin: &ServerName, room: &Room) -> Result<Option<String>> {
        if !self.is_resident(room)? {
            return Ok(Some("this server is not in the room".to_owned()));
        }
        if !self.acl_allows(room, origin)? {
            return Ok(Some(
                "the room does not let your server take part".to_owned(),
            ));
        }
        Ok(None)
    }

    async fn receive_in(
        &self,
        origin: &ServerName,
        room: &Arc<Room>,
        events: Vec<Foreign>,
    ) -> Result<Received> {
        let mut received = Received::new();
        let client = match self.verifier() {
            Ok(client) => client,
            Err(error) => {
                refuse(&events, &error.to_string(), &mut received);
                return Ok(received);
            }
        };
        let ids: Vec<_> = events.iter().map(id_of).collect();
        let mut arrivals: Vec<Arrival> = Vec::with_capacity(events.len());
        for (id, verified) in ids
            .into_iter()
            .zip(client.verify(events, &room.rules).await)
        {
            match verified {
                Ok(verified) => arrivals.push(verified.into()),
                Err(error) => {
                    received.insert(id, Err(error.to_string()));
                }
            }
        }
        let mut on_their_way = Vec::new();
        let mut left = &arrivals[..];
        while !left.is_empty() {
            let (results, pending) = match self.begin(room, left).await {
                Ok((accepted, pending)) => (accepted.into_iter().map(Ok).collect(), pending),
                Err(error) => (vec![Err(error)], None),
            };
            on_their_way.extend(pending);
            let (begun, rest) = left.split_at(results.len());
            left = rest;
            for (arrival, result) in begun.iter().zip(results) {
                let result = match result {
                    Ok(Accepted::Missing(_)) => {
                        self.fetch_and_accept(origin, room, arrival.clone()).await
                    }
                    result => result,
                };
                let id = arrival.pdu.event_id.clone();
                let result = answer(result)?;
                if let Err(reason) = &result {
                    tracing::debug!(event_id = %id, reason, "an event is refused");
                }
                received.insert(id, result);
            }
        }
        // The disk is waited for once, not after each.
        for pending in on_their_way {
            pending.await?;
        }
        if let Err(error) = self.tie_forks(room).await {
            tracing::info!(%error, room_id = %room.id, "forks cannot be tied together");
        }
        Ok(received)
    }

    /// Has one of our users follow the forks of a room, where these become many: whatever is sent next would have to name them all.
    async fn tie_forks(&self, room: &Arc<Room>) -> Result<()> {
        if room.lock().extremities.len() <= MANY_FORKS {
            return Ok(());
        }
        let kind = MessageLikeEventType::from(TIE);
        let levels = self.power_levels(room)?;
        let fit = |user: &UserId| Ok(levels.user_can_send_message(user, kind.clone()));
        if let Some(user) = self.find_joined_local(room, fit)? {
            let content = RawValue::from_string("{}".to_owned()).expect("this is JSON");
            self.append_one(room, Draft::message(&user, TIE.into(), content))
                .await?;
        }
        Ok(())
    }
}

/// What is answered of an event. One that the store fails has to be sent again.
fn answer(accepted: Result<Accepted>) -> Result<std::result::Result<(), String>> {
    Ok(match accepted {
        Ok(Accepted::Known | Accepted::Live | Accepted::SoftFailed(_)) => Ok(()),
        Ok(Accepted::Rejected(reason)) => Err(reason),
        Ok(Accepted::Missing(_)) => Err("what comes before it cannot be had".to_owned()),
        Err(Error::Storage(error)) if !matches!(error, Failure::Corrupt { .. }) => {
            return Err(error.into());
        }
        Err(error) => Err(error.to_string()),
    })
}

fn id_of(event: &Foreign) -> OwnedEventId {
    event.event_id().to_owned()
}

/// Those that are events of this room.
fn read(room: &Room, pdus: &[Box<RawValue>], received: &mut Received) -> Vec<Foreign> {
    let mut events = Vec::with_capacity(pdus.len());
    for pdu in pdus {
        match Foreign::read(pdu.get().as_bytes(), &room.rules) {
            Ok(event) if event.room_id() == room.id => events.push(event),
            Ok(event) => {
                let reason = "it is of another room".to_owned();
                received.insert(event.event_id().to_owned(), Err(reason));
            }
            // It has no ID by which it could be answered.
            Err(error) => tracing::debug!(%error, room_id = %room.id, "an event is dropped"),
        }
    }
    events
}

fn refuse(events: &[Foreign], reason: &str, received: &mut Received) {
    for event in events {
        received.insert(id_of(event), Err(reason.to_owned()));
    }
}
