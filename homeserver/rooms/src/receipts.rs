//! How far users have read: receipts and read markers.

use std::collections::BTreeMap;

use orvale_storage::{
    Batch, Entry, Position, Standing,
    trees::rooms::{RECEIPT_STREAM, RECEIPTS, ReceiptKey, ReceiptRecord},
};
use ruma::{
    EventId, OwnedEventId, OwnedUserId, RoomId, ServerName, UserId,
    events::receipt::{ReceiptThread, ReceiptType},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Room, Rooms, StoredEvent,
    append::relation,
    error::{Error, Result},
    timeline::Order,
};

const MAIN: &str = "main";
const THREAD: &str = "m.thread";
/// How many relations may lie between an event and the one that is in a thread.
const HOPS: usize = 3;

/// How far a user has read, in a room or in one of its threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Who.
    pub user_id: OwnedUserId,
    /// Whom it is for.
    pub kind: ReceiptType,
    /// The thread ID; `None` for one that covers all threads.
    pub thread: Option<String>,
    /// The last event that was read.
    pub event_id: OwnedEventId,
    /// Where that stands in the timeline.
    pub order: Order,
    /// When it was read, in milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// The position at which it came to be so.
    pub at: Position,
}

impl Receipt {
    fn of(key: ReceiptKey, record: ReceiptRecord) -> Option<Self> {
        Some(Self {
            user_id: key.user_id.try_into().ok()?,
            kind: key.kind.into(),
            thread: Some(key.thread).filter(|thread| !thread.is_empty()),
            event_id: record.event_id.try_into().ok()?,
            order: Order(record.order),
            timestamp: record.timestamp,
            at: record.at,
        })
    }

    fn is_shown_to(&self, user: &UserId) -> bool {
        self.kind != ReceiptType::ReadPrivate || self.user_id == user
    }
}

/// The content of an `m.receipt` that tells of these receipts.
///
/// A user may have read to one event both with and without regard to threads; such an event's content has place for one of
/// them, so there may be several contents.
#[must_use]
pub fn receipt_contents<'a>(receipts: impl IntoIterator<Item = &'a Receipt>) -> Vec<String> {
    type Users<'a> = BTreeMap<&'a UserId, serde_json::Value>;
    let mut contents: Vec<BTreeMap<&EventId, BTreeMap<String, Users<'_>>>> = Vec::new();
    for receipt in receipts {
        let mut data = json!({"ts": receipt.timestamp});
        if let Some(thread) = &receipt.thread {
            data["thread_id"] = thread.as_str().into();
        }
        let kind = receipt.kind.to_string();
        let has_place = |content: &BTreeMap<&EventId, BTreeMap<String, Users<'_>>>| {
            let users = content
                .get(&*receipt.event_id)
                .and_then(|kinds| kinds.get(&kind));
            !users.is_some_and(|users| users.contains_key(&*receipt.user_id))
        };
        let at = contents
            .iter()
            .position(has_place)
            .unwrap_or(contents.len());
        if at == contents.len() {
            contents.push(BTreeMap::new());
        }
        let content = &mut contents[at];
        let users = content
            .entry(&*receipt.event_id)
            .or_default()
            .entry(kind)
            .or_default();
        users.insert(&receipt.user_id, data);
    }
    contents
        .iter()
        .map(|content| serde_json::to_string(content).expect("text keys"))
        .collect()
}

impl Rooms {
    /// Says that a user has read up to an event. A receipt never goes back: one for an earlier event changes nothing.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::UnknownEvent`]; [`Error::InvalidParam`] if the event is not in the thread.
    pub async fn set_receipt(
        &self,
        user: &UserId,
        room: &RoomId,
        kind: ReceiptType,
        event: &EventId,
        thread: &ReceiptThread,
    ) -> Result<()> {
        let room = self.get_joined(user, room)?;
        let event = self.visible_event(user, &room, event)?;
        let thread = self.check_thread(&event, thread)?;
        let kind = if self.config().policy.public_receipts {
            ReceiptType::Read
        } else {
            kind
        };
        let now = self.now().get().into();
        self.put_receipt(user, &room, kind, &event, thread, now)
            .await
    }

    /// Another server says that a user of its own has read up to an event. What we have not got, or nobody may say, changes nothing.
    ///
    /// # Errors
    /// Storage's.
    pub async fn hear_receipt(
        &self,
        origin: &ServerName,
        user: &UserId,
        room: &RoomId,
        event: &EventId,
        thread: &ReceiptThread,
        timestamp: u64,
    ) -> Result<()> {
        let Some(room) = self.heard_in(origin, user, room)? else {
            return Ok(());
        };
        let event = self.find_event(event)?.filter(|event| {
            event.room == room.number && event.record.standing == Standing::Accepted
        });
        let Some(event) = event else { return Ok(()) };
        let Ok(thread) = self.check_thread(&event, thread) else {
            return Ok(());
        };
        self.put_receipt(user, &room, ReceiptType::Read, &event, thread, timestamp)
            .await
    }

    /// The receipt that came to stand at a position, unless it has moved on or is for its user alone.
    ///
    /// # Errors
    /// Storage's.
    pub fn public_receipt_at(&self, room: Position, at: Position) -> Result<Option<Receipt>> {
        let Some(place) = self.store().get(&RECEIPT_STREAM, (room, at))? else {
            return Ok(None);
        };
        let key = (room, &place.user_id, &place.kind, &place.thread);
        let record = self
            .store()
            .get(&RECEIPTS, key)?
            .filter(|record| record.at == at);
        let receipt = record.and_then(|record| Receipt::of(place, record));
        Ok(receipt.filter(|receipt| receipt.kind == ReceiptType::Read))
    }

    async fn put_receipt(
        &self,
        user: &UserId,
        room: &Room,
        kind: ReceiptType,
        event: &StoredEvent,
        thread: String,
        timestamp: u64,
    ) -> Result<()> {
        let (number, kind) = (room.number, kind.to_string());
        let key = (number, user, &kind, &thread);
        let order = event.order().0;
        loop {
            let before = self.store().get(&RECEIPTS, key)?;
            if before.as_ref().is_some_and(|before| before.order >= order) {
                return Ok(());
            }
            let permit = self.store().permit().await?;
            let pending = {
                let reserved = self.store().reserve(permit, 1);
                let record = ReceiptRecord {
                    at: reserved.at(0),
                    event_id: event.event_id().to_string(),
                    order,
                    timestamp,
                };
                let place = ReceiptKey {
                    user_id: user.to_string(),
                    kind: kind.clone(),
                    thread: thread.clone(),
                };
                let mut batch = Batch::new();
                batch
                    .expect(&RECEIPTS, key, before.as_ref())
                    .put(&RECEIPTS, key, &record);
                if let Some(before) = &before {
                    batch.delete(&RECEIPT_STREAM, (number, before.at));
                }
                batch.put(&RECEIPT_STREAM, (number, record.at), &place);
                batch.log(Entry::Receipt {
                    room: number,
                    user_id: user.to_string(),
                    private: kind == ReceiptType::ReadPrivate.as_str(),
                });
                self.store().submit(reserved, batch)
            };
            match pending.await {
                Ok(()) => return Ok(()),
                // Another device of theirs was quicker; whose goes further is found out again.
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Moves a user's read marker in a room to an event. It never goes back.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::UnknownEvent`].
    pub async fn set_fully_read(
        &self,
        user: &UserId,
        room: &RoomId,
        event: &EventId,
    ) -> Result<()> {
        #[derive(Deserialize)]
        struct Content {
            event_id: OwnedEventId,
        }
        let room = self.get_joined(user, room)?;
        let event = self.visible_event(user, &room, event)?;
        let before =
            self.users()
                .account_data(user, Some(room.number), orvale_users::FULLY_READ_TYPE)?;
        let before = before.and_then(|content| content.parse::<Content>().ok());
        let before = before
            .map(|content| self.find_event(&content.event_id))
            .transpose()?
            .flatten();
        if before
            .is_some_and(|before| before.room == room.number && before.position >= event.position)
        {
            return Ok(());
        }
        let content = json!({"event_id": event.event_id()}).to_string();
        Ok(self
            .users()
            .set_fully_read(user, room.number, &content)
            .await?)
    }

    /// The thread ID of a receipt for an event, as it is kept.
    fn check_thread(&self, event: &StoredEvent, thread: &ReceiptThread) -> Result<String> {
        let root = self.thread_of(event)?;
        match thread {
            ReceiptThread::Unthreaded => Ok(String::new()),
            ReceiptThread::Main if root.is_none() => Ok(MAIN.to_owned()),
            // A thread's root counts as read with the thread too, though it stands in the main timeline.
            ReceiptThread::Thread(id) if root.as_ref() == Some(id) || event.event_id() == id => {
                Ok(id.to_string())
            }
            ReceiptThread::Main | ReceiptThread::Thread(_) => Err(Error::InvalidParam(
                "the event is not in this thread".to_owned(),
            )),
            _ => Err(Error::InvalidParam(
                "thread_id is \"main\" or the ID of an event".to_owned(),
            )),
        }
    }

    /// The root of the thread that an event is in; `None` for the main timeline.
    ///
    /// # Errors
    /// Storage's.
    pub fn thread_of(&self, event: &StoredEvent) -> Result<Option<OwnedEventId>> {
        let mut related = relation(&event.pdu);
        for _ in 0..=HOPS {
            match related {
                None => return Ok(None),
                Some((root, rel_type, _)) if rel_type == THREAD => return Ok(Some(root)),
                Some((parent, ..)) => {
                    let parent = self
                        .find_event(&parent)?
                        .filter(|parent| parent.room == event.room);
                    related = parent.and_then(|parent| relation(&parent.pdu));
                }
            }
        }
        Ok(None)
    }

    /// All receipts of a room that a user may see.
    ///
    /// # Errors
    /// Storage's.
    pub fn receipts(&self, room: &Room, for_user: &UserId) -> Result<Vec<Receipt>> {
        let found = self
            .store()
            .prefix(&RECEIPTS, (room.number,), usize::MAX)?
            .into_iter();
        let receipts = found.filter_map(|((_, user_id, kind, thread), record)| {
            Receipt::of(
                ReceiptKey {
                    user_id,
                    kind,
                    thread,
                },
                record,
            )
        });
        Ok(receipts
            .filter(|receipt| receipt.is_shown_to(for_user))
            .collect())
    }

    /// The receipts of a room that changed after one position and up to another, as far as a user may see them.
    ///
    /// # Errors
    /// Storage's.
    pub fn receipts_since(
        &self,
        room: &Room,
        for_user: &UserId,
        after: Position,
        up_to: Position,
    ) -> Result<Vec<Receipt>> {
        let (from, to) = ((room.number, after.next()), (room.number, up_to.next()));
        let changes = self
            .store()
            .range(&RECEIPT_STREAM, from, to, false, usize::MAX)?;
        let mut receipts = Vec::with_capacity(changes.len());
        for (_, place) in changes {
            let key = (room.number, &place.user_id, &place.kind, &place.thread);
            // One that has moved on meanwhile is told at its new place.
            let record = self
                .store()
                .get(&RECEIPTS, key)?
                .filter(|record| record.at <= up_to);
            receipts.extend(record.and_then(|record| Receipt::of(place, record)));
        }
        receipts.retain(|receipt| receipt.is_shown_to(for_user));
        Ok(receipts)
    }

    /// A user's own receipts in a room.
    ///
    /// # Errors
    /// Storage's.
    pub fn receipts_of(&self, room: &Room, user: &UserId) -> Result<Vec<Receipt>> {
        let found = self
            .store()
            .prefix(&RECEIPTS, (room.number, user), usize::MAX)?
            .into_iter();
        let receipts = found.filter_map(|((_, user_id, kind, thread), record)| {
            Receipt::of(
                ReceiptKey {
                    user_id,
                    kind,
                    thread,
                },
                record,
            )
        });
        Ok(receipts.collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ruma::RoomVersionId;

    use super::*;
    use crate::testing::{member, raw, rooms, rooms_under, text, user};

    async fn setting() -> (Rooms, Arc<Room>, [OwnedUserId; 2]) {
        setting_in(rooms()).await
    }

    async fn setting_in(rooms: Rooms) -> (Rooms, Arc<Room>, [OwnedUserId; 2]) {
        let people = rooms.people(["alice", "bob"]).await;
        let room = rooms.public_room(RoomVersionId::V12).await;
        rooms
            .did(&room, member(&people[1], &people[1], "join"))
            .await
            .unwrap();
        (rooms, room, people)
    }

    async fn read(rooms: &Rooms, room: &Room, user: &UserId, event: &StoredEvent) {
        let thread = ReceiptThread::Unthreaded;
        rooms
            .set_receipt(user, &room.id, ReceiptType::Read, event.event_id(), &thread)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_receipt_moves_forwards_only_and_is_told_once() {
        let (rooms, room, [alice, bob]) = setting().await;
        let one = rooms.did(&room, text(&alice, "one")).await.unwrap();
        let two = rooms.did(&room, text(&alice, "two")).await.unwrap();
        let start = rooms.store().visible();
        read(&rooms, &room, &bob, &one).await;
        read(&rooms, &room, &bob, &two).await;
        let end = rooms.store().visible();
        read(&rooms, &room, &bob, &one).await;
        assert_eq!(
            rooms.store().visible(),
            end,
            "an earlier receipt is no news"
        );
        let news = rooms.receipts_since(&room, &alice, start, end).unwrap();
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].event_id, two.event_id());
        assert_eq!(news, rooms.receipts(&room, &alice).unwrap());
        assert!(
            rooms
                .receipts_since(&room, &alice, end, Position::END)
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_private_receipt_is_shown_to_its_user_alone() {
        let (rooms, room, [alice, bob]) = setting().await;
        let one = rooms.did(&room, text(&alice, "one")).await.unwrap();
        let start = rooms.store().visible();
        let (kind, thread) = (ReceiptType::ReadPrivate, ReceiptThread::Unthreaded);
        rooms
            .set_receipt(&bob, &room.id, kind, one.event_id(), &thread)
            .await
            .unwrap();
        assert!(rooms.receipts(&room, &alice).unwrap().is_empty());
        assert!(
            rooms
                .receipts_since(&room, &alice, start, Position::END)
                .unwrap()
                .is_empty()
        );
        assert_eq!(rooms.receipts(&room, &bob).unwrap().len(), 1);
        let log = rooms.store().log(start, 10).unwrap();
        assert!(matches!(&log[0].1, Entry::Receipt { private: true, .. }));
    }

    #[tokio::test]
    async fn where_the_organisation_wants_it_everybody_sees_who_has_read() {
        let policy = orvale_policy::Config {
            public_receipts: true,
            ..orvale_policy::Config::default()
        };
        let (rooms, room, [alice, bob]) = setting_in(rooms_under(policy)).await;
        let one = rooms.did(&room, text(&alice, "one")).await.unwrap();
        let (kind, thread) = (ReceiptType::ReadPrivate, ReceiptThread::Unthreaded);
        rooms
            .set_receipt(&bob, &room.id, kind, one.event_id(), &thread)
            .await
            .unwrap();
        let seen = rooms.receipts(&room, &alice).unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].kind, ReceiptType::Read);
    }

    #[tokio::test]
    async fn threads_are_read_apart_from_each_other_and_from_the_whole() {
        let (rooms, room, [alice, bob]) = setting().await;
        let root = rooms.did(&room, text(&alice, "root")).await.unwrap();
        let reply = |to: &StoredEvent, rel_type: &str| {
            let content = json!({"msgtype": "m.text", "body": "", "m.relates_to": {"rel_type": rel_type, "event_id": to.event_id()}});
            crate::Draft {
                content: raw(&content),
                ..text(&alice, "")
            }
        };
        let threaded = rooms.did(&room, reply(&root, "m.thread")).await.unwrap();
        let edit = rooms
            .did(&room, reply(&threaded, "m.replace"))
            .await
            .unwrap();
        let main = rooms.did(&room, text(&alice, "main")).await.unwrap();
        let in_root = ReceiptThread::Thread(root.event_id().to_owned());
        let set = async |event: &StoredEvent, thread: &ReceiptThread| {
            rooms
                .set_receipt(&bob, &room.id, ReceiptType::Read, event.event_id(), thread)
                .await
        };
        set(&edit, &in_root).await.unwrap();
        set(&threaded, &in_root).await.unwrap();
        set(&main, &ReceiptThread::Main).await.unwrap();
        set(&main, &ReceiptThread::Unthreaded).await.unwrap();
        for (event, thread) in [
            (&threaded, &ReceiptThread::Main),
            (&edit, &ReceiptThread::Main),
            (&main, &in_root),
        ] {
            assert!(matches!(
                set(event, thread).await,
                Err(Error::InvalidParam(_))
            ));
        }
        let receipts = rooms.receipts_of(&room, &bob).unwrap();
        let found: Vec<_> = receipts
            .iter()
            .map(|r| (r.thread.as_deref(), &*r.event_id))
            .collect();
        let root = root.event_id().as_str();
        assert_eq!(
            found,
            [
                (None, main.event_id()),
                (Some(root), edit.event_id()),
                (Some("main"), main.event_id())
            ]
        );
        // Two receipts of one user for one event need two contents.
        let contents = receipt_contents(&receipts);
        assert_eq!(contents.len(), 2);
        assert!(contents[0].contains(root) && contents[1].contains("\"thread_id\":\"main\""));
    }

    #[tokio::test]
    async fn of_many_receipts_at_once_the_furthest_stays() {
        let (rooms, room, [alice, bob]) = setting().await;
        let mut events = Vec::new();
        for n in 0..20 {
            events.push(
                rooms
                    .did(&room, text(&alice, &n.to_string()))
                    .await
                    .unwrap(),
            );
        }
        let tasks: Vec<_> = events
            .iter()
            .cloned()
            .map(|event| {
                let (rooms, room, bob) = (rooms.clone(), room.clone(), bob.clone());
                tokio::spawn(async move { read(&rooms, &room, &bob, &event).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let receipts = rooms.receipts(&room, &alice).unwrap();
        assert_eq!(receipts[0].event_id, events[19].event_id());
        assert_eq!(
            rooms
                .receipts_since(&room, &alice, Position::START, Position::END)
                .unwrap(),
            receipts
        );
    }

    #[tokio::test]
    async fn events_of_other_rooms_and_rooms_of_others_take_no_receipts() {
        let (rooms, room, [alice, bob]) = setting().await;
        let other = rooms.public_room(RoomVersionId::V11).await;
        let event = rooms.did(&other, text(&alice, "elsewhere")).await.unwrap();
        let set = async |user: &UserId, room: &Room| {
            let thread = ReceiptThread::Unthreaded;
            rooms
                .set_receipt(user, &room.id, ReceiptType::Read, event.event_id(), &thread)
                .await
        };
        assert!(matches!(
            set(&alice, &room).await,
            Err(Error::UnknownEvent(_))
        ));
        assert!(matches!(set(&bob, &other).await, Err(Error::NotJoined)));
        assert!(matches!(
            set(&user("carol"), &room).await,
            Err(Error::NotJoined)
        ));
    }

    #[tokio::test]
    async fn the_read_marker_moves_forwards_only() {
        let (rooms, room, [alice, _]) = setting().await;
        let one = rooms.did(&room, text(&alice, "one")).await.unwrap();
        let two = rooms.did(&room, text(&alice, "two")).await.unwrap();
        for event in [&two, &one] {
            rooms
                .set_fully_read(&alice, &room.id, event.event_id())
                .await
                .unwrap();
        }
        let content = rooms
            .users()
            .account_data(&alice, Some(room.number), "m.fully_read")
            .unwrap()
            .unwrap();
        assert!(content.0.contains(two.event_id().as_str()));
    }
}
