//! Whether aliases, the directory and receipts agree with themselves: the part of the check that does not follow from the log.

use orvale_storage::trees::rooms::{
    ALIASES, PUBLISHED, RECEIPT_STREAM, RECEIPTS, RELATIONS, ROOM_ALIASES, ROOMS,
};

use crate::{Rooms, append::relation, check::Checked, error::Result};

impl Rooms {
    pub(crate) fn check_lists(&self, checked: &mut Checked) -> Result<()> {
        let store = self.store();
        let mut fault = |what: String| checked.faults.push(what);
        for ((alias,), record) in store.prefix(&ALIASES, (), usize::MAX)? {
            if !store.contains(&ROOM_ALIASES, (record.room, &alias))? {
                fault(format!(
                    "alias {alias}: its room {} does not list it",
                    record.room
                ));
            }
        }
        for ((room, alias), ()) in store.prefix(&ROOM_ALIASES, (), usize::MAX)? {
            if store
                .get(&ALIASES, (&alias,))?
                .is_none_or(|record| record.room != room)
            {
                fault(format!(
                    "room {room}: it lists {alias}, which does not stand for it"
                ));
            }
        }
        for ((parent, rel_type, at), _) in store.prefix(&RELATIONS, (), usize::MAX)? {
            let named = relation(&self.event(at)?.pdu)
                .map(|(parent, rel_type, _)| (parent.to_string(), rel_type));
            if named.as_ref() != Some(&(parent.clone(), rel_type)) {
                fault(format!(
                    "event {parent}: the event at position {at} does not relate to it"
                ));
            }
        }
        for ((room,), ()) in store.prefix(&PUBLISHED, (), usize::MAX)? {
            if !store.contains(&ROOMS, (room,))? {
                fault(format!(
                    "the directory lists room {room}, which does not exist"
                ));
            }
        }
        for ((room, user, kind, thread), record) in store.prefix(&RECEIPTS, (), usize::MAX)? {
            let told = store.get(&RECEIPT_STREAM, (room, record.at))?;
            let is_told = told.is_some_and(|key| {
                (key.user_id, key.kind, key.thread) == (user.clone(), kind, thread)
            });
            if !is_told {
                fault(format!(
                    "room {room}: a receipt of {user} is not in the stream"
                ));
            }
        }
        for ((room, at), key) in store.prefix(&RECEIPT_STREAM, (), usize::MAX)? {
            let receipt = store.get(&RECEIPTS, (room, &key.user_id, &key.kind, &key.thread))?;
            if receipt.is_none_or(|receipt| receipt.at != at) {
                fault(format!(
                    "room {room}: the stream tells of a receipt of {} that is not there",
                    key.user_id
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orvale_storage::{
        Batch, Position,
        trees::rooms::{AliasRecord, ReceiptKey},
    };
    use ruma::{
        RoomVersionId,
        events::receipt::{ReceiptThread, ReceiptType},
    };

    use super::*;
    use crate::{
        NewRoom,
        testing::{rooms, text},
    };

    #[tokio::test]
    async fn lists_agree_until_they_are_broken() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let new = NewRoom {
            alias: Some("tea".to_owned()),
            is_published: true,
            version: Some(RoomVersionId::V11),
            ..NewRoom::default()
        };
        let room = rooms.create(&alice, new).await.unwrap();
        for n in 0..3 {
            let event = rooms
                .did(&room, text(&alice, &n.to_string()))
                .await
                .unwrap();
            let thread = ReceiptThread::Unthreaded;
            rooms
                .set_receipt(
                    &alice,
                    &room.id,
                    ReceiptType::Read,
                    event.event_id(),
                    &thread,
                )
                .await
                .unwrap();
        }
        rooms
            .upgrade(&alice, &room, RoomVersionId::V12, &[])
            .await
            .unwrap();
        assert_eq!(rooms.check().unwrap().faults, Vec::<String>::new());

        let mut batch = Batch::new();
        batch.put(
            &ALIASES,
            ("#x:orvale.test",),
            &AliasRecord {
                room: room.number,
                creator: String::new(),
            },
        );
        batch.put(&ROOM_ALIASES, (room.number, "#y:orvale.test"), &());
        batch.put(&PUBLISHED, (Position(999),), &());
        let key = ReceiptKey {
            user_id: "@x:y".to_owned(),
            kind: "m.read".to_owned(),
            thread: String::new(),
        };
        batch.put(&RECEIPT_STREAM, (room.number, Position(3)), &key);
        rooms.store().commit(batch).await.unwrap();
        assert_eq!(rooms.check().unwrap().faults.len(), 4);
    }
}
