//! Events of other servers that wait for their room: whose turn it is, and what is kept until it is taken in.
//!
//! What was acknowledged is durable. A transaction mostly waits until its events are taken in; those of a slow room are kept as they came
//! ([`INBOX`]), and let go once they are taken in, perhaps by a later process.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use orvale_storage::{
    Batch,
    record::JsonText,
    trees::rooms::{INBOX, InboxRecord},
};
use parking_lot::Mutex;
use ruma::{OwnedRoomId, RoomId, ServerName};
use serde_json::value::RawValue;

use crate::{Rooms, error::Result};

/// How many transactions may wait for one room in memory. Of more, the events wait in the store.
const MAX_WAITING: usize = 64;
/// How many events of one room may wait in the store.
const MAX_KEPT: usize = 10_000;
/// How many of them are taken in at once.
const PAGE: usize = 50;
/// How long a store that fails is left alone.
const FAILURE: Duration = Duration::from_secs(1);

/// The rooms that take events of other servers now.
#[derive(Debug, Default)]
pub(crate) struct Inboxes {
    live: Mutex<Turns>,
    history: Mutex<Turns>,
    policy_server: Mutex<Turns>,
    /// How many events of each room wait in the store.
    kept: Mutex<HashMap<OwnedRoomId, usize>>,
    /// The rooms whose kept events a task takes in.
    emptied: Mutex<HashSet<OwnedRoomId>>,
    /// Tells what came in one millisecond apart.
    next: AtomicU64,
}

/// Who takes turns in a room.
type Turns = HashMap<OwnedRoomId, Turn>;
pub(crate) type Turn = Arc<tokio::sync::Mutex<()>>;

/// Where an event is kept, besides its room.
type Place = (u64, u64);

impl Inboxes {
    /// For events that come; `None` if too many wait for the room.
    pub(super) fn of(&self, room: &RoomId) -> Option<Turn> {
        turn(&mut self.live.lock(), room)
    }

    /// For events of local users that a policy server checks; `None` if too many wait for it.
    pub(crate) fn of_policy_server(&self, room: &RoomId) -> Option<Turn> {
        turn(&mut self.policy_server.lock(), room)
    }

    /// For fetching history.
    pub(super) fn of_history(&self, room: &RoomId) -> Option<Turn> {
        turn(&mut self.history.lock(), room)
    }

    /// For events that were kept, however many wait.
    fn of_kept(&self, room: &RoomId) -> Turn {
        self.live.lock().entry(room.to_owned()).or_default().clone()
    }
}

fn turn(turns: &mut Turns, room: &RoomId) -> Option<Turn> {
    turns.retain(|id, turn| id == room || Arc::strong_count(turn) > 1);
    let turn = turns.entry(room.to_owned()).or_default();
    (Arc::strong_count(turn) <= MAX_WAITING).then(|| turn.clone())
}

impl Rooms {
    /// Keeps events until they are taken in; resolves when they are durable. Nothing, if too many of the room are kept.
    pub(super) async fn keep_for_later(
        &self,
        origin: &ServerName,
        room: &RoomId,
        pdus: &[Box<RawValue>],
    ) -> Result<Option<Vec<Place>>> {
        let inboxes = &self.inner.inboxes;
        {
            let mut kept = inboxes.kept.lock();
            let count = kept.entry(room.to_owned()).or_default();
            if *count + pdus.len() > MAX_KEPT {
                return Ok(None);
            }
            *count += pdus.len();
        }
        let now = u64::from(self.now().get());
        let mut batch = Batch::new();
        let mut places = Vec::with_capacity(pdus.len());
        for pdu in pdus {
            let place = (now, inboxes.next.fetch_add(1, Ordering::Relaxed));
            let record = InboxRecord {
                origin: origin.to_string(),
                pdu: JsonText(pdu.get().to_owned()),
            };
            batch.put(&INBOX, (room, place.0, place.1), &record);
            places.push(place);
        }
        metrics::counter!("orvale_rooms_inbox_kept").increment(pdus.len() as u64);
        if let Err(error) = self.store().commit(batch).await {
            self.forget_kept(room, pdus.len());
            return Err(error.into());
        }
        Ok(Some(places))
    }

    /// Lets kept events go that were taken in.
    pub(super) async fn let_go(&self, room: &RoomId, places: Vec<Place>) {
        let mut batch = Batch::new();
        for (at, number) in &places {
            batch.delete(&INBOX, (room, *at, *number));
        }
        match self.store().commit(batch).await {
            Ok(_) => self.forget_kept(room, places.len()),
            // They are taken in once more, and known then.
            Err(error) => {
                tracing::error!(%error, room_id = %room, "events that were taken in cannot be let go");
            }
        }
    }

    fn forget_kept(&self, room: &RoomId, count: usize) {
        let mut kept = self.inner.inboxes.kept.lock();
        if let Some(left) = kept.get_mut(room) {
            *left = left.saturating_sub(count);
            if *left == 0 {
                kept.remove(room);
            }
        }
    }

    /// Has the events taken in that an earlier process kept.
    ///
    /// # Errors
    /// Storage's.
    pub fn empty_inboxes(&self) -> Result<()> {
        let mut after = String::new();
        loop {
            let (from, to) = (
                (&after, 0_u64, 0_u64),
                (char::MAX.to_string(), 0_u64, 0_u64),
            );
            let first = self.store().range(&INBOX, from, to, false, 1)?;
            let Some(((room, ..), _)) = first.into_iter().next() else {
                return Ok(());
            };
            if let Ok(id) = RoomId::parse(&room) {
                let count = self.store().prefix(&INBOX, (&room,), MAX_KEPT)?.len();
                self.inner.inboxes.kept.lock().insert(id.clone(), count);
                self.empty_inbox(&id);
            }
            after = room + "\u{1}";
        }
    }

    /// Has the kept events of a room taken in, unless somebody is at it.
    pub(super) fn empty_inbox(&self, room: &RoomId) {
        if !self.inner.inboxes.emptied.lock().insert(room.to_owned()) {
            return;
        }
        let (rooms, room) = (self.clone(), room.to_owned());
        tokio::spawn(async move {
            loop {
                match rooms.take_kept(&room).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, room_id = %room, "events that wait cannot be taken in");
                        tokio::time::sleep(FAILURE).await;
                    }
                }
                // Under the lock by which those ask who keep more.
                let mut emptied = rooms.inner.inboxes.emptied.lock();
                let left = rooms.store().prefix(&INBOX, (&room,), 1);
                if left.is_err() || left.is_ok_and(|left| left.is_empty()) {
                    emptied.remove(&room);
                    return;
                }
            }
        });
    }

    /// Takes some of a room's kept events in. False if there are none.
    async fn take_kept(&self, room: &RoomId) -> Result<bool> {
        let inbox = self.inner.inboxes.of_kept(room);
        let _turn = inbox.lock().await;
        let kept = self.store().prefix(&INBOX, (room,), PAGE)?;
        let Some((_, first)) = kept.first() else {
            return Ok(false);
        };
        // Those of one server that came one after the other.
        let origin = first.origin.clone();
        let same = kept
            .into_iter()
            .take_while(|(_, record)| record.origin == origin);
        let (mut places, mut pdus) = (Vec::new(), Vec::new());
        for ((_, at, number), record) in same {
            places.push((at, number));
            pdus.extend(record.pdu.parse::<Box<RawValue>>().ok());
        }
        if let Ok(origin) = ServerName::parse(&origin) {
            self.receive_room(&origin, room, &pdus, None).await?;
        }
        self.let_go(room, places).await;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use ruma::RoomVersionId;

    use super::*;
    use crate::{
        Room, StoredEvent,
        foreign::tests::{come_in, person, well},
        testing::{again, knowing, server, text},
    };

    fn pdu(event: &StoredEvent) -> Box<RawValue> {
        let text = String::from_utf8(event.record.pdu.to_vec()).unwrap();
        RawValue::from_string(text).unwrap()
    }

    fn kept(rooms: &Rooms, room: &Room) -> usize {
        rooms
            .store()
            .prefix(&INBOX, (&room.id,), 1000)
            .unwrap()
            .len()
    }

    /// Waits until nothing is kept for a room.
    async fn emptied(rooms: &Rooms, room: &Room) {
        for _ in 0..2000 {
            if kept(rooms, room) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("events wait still");
    }

    /// A room of `a` in which Bob of `b` wrote twice, of which `a` does not know.
    async fn story() -> (Rooms, Rooms, Arc<Room>, Vec<Arc<StoredEvent>>) {
        let (a, b) = (server("a.test"), server("b.test"));
        let a = knowing(a, &[&b]).await;
        let bob = person("bob", &b);
        let here = a.public_room(RoomVersionId::V12).await;
        let there = come_in(&a, &b, &here, &bob).await;
        let mut written = Vec::new();
        for body in ["one", "two"] {
            written.push(b.did(&there, text(&bob, body)).await.unwrap());
        }
        (a, b, here, written)
    }

    #[tokio::test]
    async fn what_a_slow_room_is_sent_is_durable_before_it_is_acknowledged() {
        let (a, b, here, written) = story().await;
        // Somebody is at the room, for long.
        let inbox = a.inner.inboxes.of(&here.id).unwrap();
        let turn = inbox.lock().await;
        let pdus = written.iter().map(|event| pdu(event)).collect();
        let received = a.receive_within(Duration::ZERO, b.server_name(), pdus);
        let received = received.await.unwrap();
        for event in &written {
            assert_eq!(received[event.event_id()], Ok(()));
            assert!(a.find_event(event.event_id()).unwrap().is_none());
        }
        assert_eq!(kept(&a, &here), 2);
        // Another process takes them in, where this one did not come to it.
        let next = knowing(again(&a), &[&b]).await;
        next.empty_inboxes().unwrap();
        emptied(&next, &here).await;
        for event in &written {
            let event = next.find_event(event.event_id()).unwrap();
            assert!(event.unwrap().is_shown());
        }
        well(&next);
        drop(turn);
    }

    #[tokio::test]
    async fn what_was_kept_is_let_go_once_it_is_taken_in() {
        let (a, b, here, written) = story().await;
        let inbox = a.inner.inboxes.of(&here.id).unwrap();
        let turn = inbox.lock().await;
        let pdus = written.iter().map(|event| pdu(event)).collect();
        a.receive_within(Duration::ZERO, b.server_name(), pdus)
            .await
            .unwrap();
        assert_eq!(kept(&a, &here), 2);
        drop(turn);
        emptied(&a, &here).await;
        assert!(a.find_event(written[1].event_id()).unwrap().is_some());
        assert!(a.inner.inboxes.kept.lock().is_empty());
    }

    #[tokio::test]
    async fn where_more_wait_than_memory_takes_the_rest_waits_in_the_store() {
        let (a, b, here, written) = story().await;
        let inbox = a.inner.inboxes.of(&here.id).unwrap();
        let turn = inbox.lock().await;
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map_while(|_| a.inner.inboxes.of(&here.id))
            .collect();
        let pdus = written.iter().map(|event| pdu(event)).collect();
        let received = a.receive(b.server_name(), pdus).await.unwrap();
        assert_eq!(received[written[0].event_id()], Ok(()));
        assert_eq!(kept(&a, &here), 2);
        drop((waiting, turn));
        emptied(&a, &here).await;
        assert!(a.find_event(written[1].event_id()).unwrap().is_some());
        // There is an end to that too, and it is no secret.
        a.inner
            .inboxes
            .kept
            .lock()
            .insert(here.id.clone(), MAX_KEPT);
        assert_eq!(
            a.keep_for_later(b.server_name(), &here.id, &[pdu(&written[0])])
                .await
                .unwrap(),
            None
        );
    }
}
