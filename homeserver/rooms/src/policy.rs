//! What is asked of `orvale-policy` before an event of a local user is made. Here are the facts, there the rules.

use orvale_policy::{Change, Original, is_message};

use crate::{
    Draft, Rooms, View,
    append::{relation, relation_in},
    error::Result,
    event::StoredEvent,
};

const REPLACE: &str = "m.replace";

impl Rooms {
    /// Whether this server lets its user send this.
    ///
    /// # Errors
    /// [`Error::Policy`](crate::Error::Policy).
    pub(crate) fn ask_policy(&self, view: &mut View<'_>, draft: &Draft) -> Result<()> {
        if let Some(redacts) = &draft.redacts {
            let target = self.find_event(redacts)?;
            // Whether there is such an event is for the redaction itself to find out.
            let Some(target) = target.filter(|event| event.room == view.room().number) else {
                return Ok(());
            };
            return self.ask_about_deletion(view, draft, &target);
        }
        if let Some((edited, rel_type, _)) = relation_in(&draft.content)
            && rel_type == REPLACE
            && let Some(original) = self.find_event(&edited)?
            && original.room == view.room().number
        {
            let change = self.change(view, draft)?;
            change.edit(facts(&original), &self.config().policy)?;
        }
        Ok(())
    }

    fn ask_about_deletion(
        &self,
        view: &mut View<'_>,
        draft: &Draft,
        target: &StoredEvent,
    ) -> Result<()> {
        if target.pdu.state_key.is_some() || target.is_redacted() {
            return Ok(());
        }
        let original = match relation(&target.pdu) {
            Some((edited, rel_type, _)) if rel_type == REPLACE => self
                .find_event(&edited)?
                .filter(|event| event.room == target.room),
            // A reaction may be encrypted, but says what it is.
            Some((_, rel_type, _)) if rel_type == "m.annotation" => return Ok(()),
            _ => None,
        };
        if !is_message(&target.pdu.kind) {
            return Ok(());
        }
        let change = self.change(view, draft)?;
        let original = original.as_deref().unwrap_or(target);
        Ok(change.delete(facts(original), &self.config().policy)?)
    }

    fn change<'a>(&self, view: &mut View<'_>, draft: &'a Draft) -> Result<Change<'a>> {
        let levels = view.power_levels()?;
        Ok(Change {
            user: &draft.sender,
            // What tells of the past is judged as of then. (Users cannot say when: the time is the server's.)
            now: draft.timestamp.unwrap_or_else(|| self.now()),
            is_moderator: levels.user_can_redact_event_of_other(&draft.sender),
            is_appservice: self.users().is_appservice(&draft.sender)?,
        })
    }
}

fn facts(event: &StoredEvent) -> Original<'_> {
    Original {
        sender: &event.pdu.sender,
        sent_at: event.pdu.origin_server_ts,
        is_edit: relation(&event.pdu).is_some_and(|(_, rel_type, _)| rel_type == REPLACE),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use orvale_policy::Refusal;
    use ruma::{
        MilliSecondsSinceUnixEpoch, OwnedEventId, RoomVersionId, UInt, UserId,
        events::TimelineEventType,
    };
    use serde_json::{Value, json};

    use crate::{
        Error, Message, Result, Room, Rooms, Txn,
        testing::{member, raw, rooms_at, user},
    };

    /// Rooms whose time is this number of seconds.
    fn rooms_and_time() -> (Rooms, Arc<AtomicU64>) {
        let time = Arc::new(AtomicU64::new(1_700_000_000));
        let clock = time.clone();
        let now = move || UInt::new_saturating(clock.load(Ordering::Relaxed) * 1000);
        let rooms = rooms_at(Arc::new(move || MilliSecondsSinceUnixEpoch(now())));
        (rooms, time)
    }

    async fn send(
        rooms: &Rooms,
        by: &UserId,
        room: &Room,
        kind: &str,
        content: Value,
        txn: &str,
    ) -> Result<OwnedEventId> {
        let message = Message {
            kind: kind.into(),
            content: raw(&content),
            timestamp: None,
        };
        let txn = Txn {
            device: "D",
            id: txn,
        };
        rooms.send(by, &room.id, message, txn).await
    }

    async fn redact(rooms: &Rooms, by: &UserId, room: &Room, event: &OwnedEventId) -> Result<()> {
        let id = rooms.now().get().to_string();
        let txn = Txn {
            device: "D",
            id: &id,
        };
        rooms.redact(by, &room.id, event, None, txn).await.map(drop)
    }

    fn edit(of: &OwnedEventId) -> Value {
        let new = json!({"msgtype": "m.text", "body": "better"});
        json!({"msgtype": "m.text", "body": "* better", "m.new_content": new,
            "m.relates_to": {"rel_type": "m.replace", "event_id": of}})
    }

    const EDIT_OVER: Refusal = Refusal::EditTimeOver { seconds: 180 };
    const DELETE_OVER: Refusal = Refusal::DeleteTimeOver { seconds: 180 };

    fn refused<T: std::fmt::Debug>(result: Result<T>) -> Refusal {
        match result {
            Err(Error::Policy(refusal)) => refusal,
            other => panic!("not refused by policy: {other:?}"),
        }
    }

    #[tokio::test]
    async fn messages_are_changed_within_the_window_by_who_wrote_them() {
        let (rooms, time) = rooms_and_time();
        let (alice, bob) = (user("alice"), user("bob"));
        let room = rooms.public_room(RoomVersionId::V12).await;
        rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
        let text = json!({"msgtype": "m.text", "body": "hello"});
        let hello = send(&rooms, &bob, &room, "m.room.message", text.clone(), "1").await;
        let hello = hello.unwrap();
        let edited = send(&rooms, &bob, &room, "m.room.message", edit(&hello), "2").await;
        let edited = edited.unwrap();
        let again = send(&rooms, &bob, &room, "m.room.message", edit(&edited), "3").await;
        assert_eq!(refused(again), Refusal::EditOfAnEdit);
        let by_alice = send(&rooms, &alice, &room, "m.room.message", edit(&hello), "4").await;
        assert_eq!(refused(by_alice), Refusal::NotTheAuthor);
        let like =
            json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": hello, "key": "+"}});
        let like = send(&rooms, &bob, &room, "m.reaction", like, "5")
            .await
            .unwrap();

        time.fetch_add(181, Ordering::Relaxed);
        let late = send(&rooms, &bob, &room, "m.room.message", edit(&hello), "6").await;
        assert_eq!(refused(late), EDIT_OVER);
        let encrypted = send(&rooms, &bob, &room, "m.room.encrypted", edit(&hello), "6").await;
        assert_eq!(refused(encrypted), EDIT_OVER);
        // The answer to the first may have been lost.
        let same = send(&rooms, &bob, &room, "m.room.message", edit(&hello), "2").await;
        assert_eq!(same.unwrap(), edited);
        assert_eq!(
            refused(redact(&rooms, &bob, &room, &hello).await),
            DELETE_OVER
        );
        assert_eq!(
            refused(redact(&rooms, &bob, &room, &edited).await),
            DELETE_OVER
        );
        let by_send = json!({"redacts": hello});
        let by_send = send(&rooms, &bob, &room, "m.room.redaction", by_send, "7").await;
        assert_eq!(refused(by_send), DELETE_OVER);
        redact(&rooms, &bob, &room, &like).await.unwrap();
        redact(&rooms, &alice, &room, &hello).await.unwrap();
    }

    #[tokio::test]
    async fn an_edit_taken_back_counts_from_when_its_message_was_sent() {
        let (rooms, time) = rooms_and_time();
        let bob = user("bob");
        let room = rooms.public_room(RoomVersionId::V11).await;
        rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
        let text = json!({"msgtype": "m.text", "body": "hello"});
        let hello = send(&rooms, &bob, &room, "m.room.message", text, "1").await;
        let hello = hello.unwrap();
        time.fetch_add(170, Ordering::Relaxed);
        let edited = send(&rooms, &bob, &room, "m.room.message", edit(&hello), "2").await;
        time.fetch_add(20, Ordering::Relaxed);
        assert_eq!(
            refused(redact(&rooms, &bob, &room, &edited.unwrap()).await),
            DELETE_OVER
        );
    }

    #[tokio::test]
    async fn who_is_no_author_is_told_so_by_the_rules_of_the_room() {
        let (rooms, _) = rooms_and_time();
        let (alice, bob) = (user("alice"), user("bob"));
        let room = rooms.public_room(RoomVersionId::V12).await;
        rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
        let text = json!({"msgtype": "m.text", "body": "hello"});
        let hello = send(&rooms, &alice, &room, "m.room.message", text, "1").await;
        let refused = redact(&rooms, &bob, &room, &hello.unwrap()).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        let topic = rooms.did(
            &room,
            crate::Draft::message(
                &alice,
                TimelineEventType::from("org.example"),
                raw(&json!({})),
            ),
        );
        let other = topic.await.unwrap();
        let changed = send(
            &rooms,
            &alice,
            &room,
            "org.example",
            edit(&other.event_id().to_owned()),
            "2",
        );
        changed.await.unwrap();
    }
}
