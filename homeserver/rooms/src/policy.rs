//! What is asked of `orvale-policy` before an event of a local user is made. Here are the facts, there the rules.

use orvale_policy::{Change, Original, Permission, Refusal, is_file, is_message};
use ruma::{UserId, events::StateEventType};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Draft, NewRoom, Preset, Rooms, View,
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
        if is_file(&draft.kind.to_string(), msgtype(&draft.content).as_deref()) {
            self.must(&draft.sender, Permission::SendFiles)?;
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

    /// Whether this server lets its user make such a room.
    ///
    /// # Errors
    /// [`Error::Policy`](crate::Error::Policy).
    pub(crate) fn ask_about_creation(&self, creator: &UserId, new: &NewRoom) -> Result<()> {
        let is_channel = new.name.is_some()
            || new.alias.is_some()
            || new.is_published
            || new.preset == Preset::Public
            || new.creation_content.as_deref().is_some_and(has_type);
        self.must(
            creator,
            if is_channel {
                Permission::CreateChannels
            } else {
                Permission::CreateDirect
            },
        )
    }

    fn must(&self, user: &UserId, permission: Permission) -> Result<()> {
        if self.users().permits(user, permission)? {
            Ok(())
        } else {
            Err(Refusal::NotPermitted(permission).into())
        }
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
        let is_moderator = levels.user_can_redact_event_of_other(&draft.sender);
        Ok(Change {
            user: &draft.sender,
            // What tells of the past is judged as of then. (Users cannot say when: the time is the server's.)
            now: draft.timestamp.unwrap_or_else(|| self.now()),
            is_moderator,
            is_direct: is_moderator && self.is_direct(view)?,
            is_appservice: self.users().is_appservice(&draft.sender)?,
        })
    }
}

impl Rooms {
    /// Whether a room is a direct message: one of two people at most, of whom neither has power over the other, and which is no channel.
    /// That is one with a name or an address, or open to all; but the room in which these two write each other is none, whatever they
    /// call it. (What clients note in `m.direct` is theirs to change, and decides nothing.)
    fn is_direct(&self, view: &mut View<'_>) -> Result<bool> {
        if !self.are_two(view.room())? {
            return Ok(false);
        }
        let people = self.people_in(view.room())?;
        let levels = view.power_levels()?;
        if !people
            .iter()
            .all(|user| levels.user_can_redact_event_of_other(user))
        {
            return Ok(false);
        }
        let mut says = |kind: StateEventType, field: &str| -> Result<Option<String>> {
            let state = view.state(&kind, "")?;
            Ok(state.and_then(|state| state.content_field::<String>(field)))
        };
        let is_text = |text: Option<String>| text.is_some_and(|text| !text.is_empty());
        let is_channel = is_text(says(StateEventType::RoomName, "name")?)
            || is_text(says(StateEventType::RoomCanonicalAlias, "alias")?)
            || says(StateEventType::RoomJoinRules, "join_rule")?.as_deref() == Some("public");
        Ok(!is_channel || self.is_kept_as_direct(view.room(), &people)?)
    }
}

/// What kind of message a content says it is.
fn msgtype(content: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Kind {
        msgtype: String,
    }
    let kind = serde_json::from_str::<Kind>(content.get()).ok()?;
    Some(kind.msgtype)
}

/// Whether the content of an `m.room.create` names a type of room, as those of spaces do.
fn has_type(content: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: Option<String>,
    }
    serde_json::from_str::<Typed>(content.get()).is_ok_and(|typed| typed.kind.is_some())
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
        testing::{member, raw, rooms_at, rooms_under, user},
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
    async fn in_a_direct_message_the_window_holds_for_both_and_in_a_channel_moderators_have_none() {
        let (rooms, time) = rooms_and_time();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let direct = rooms.direct(&alice, &bob, false).await.unwrap().room;
        rooms.join(&bob, &direct, None).await.unwrap();
        let text = json!({"msgtype": "m.text", "body": "hello"});
        let say = async |by, room, txn: &str| {
            let sent = send(&rooms, by, room, "m.room.message", text.clone(), txn);
            sent.await.unwrap()
        };
        let of_alice = say(&alice, &direct, "1").await;
        let of_bob = say(&bob, &direct, "2").await;
        let by_other = redact(&rooms, &alice, &direct, &of_bob).await;
        assert_eq!(refused(by_other), Refusal::NotYours);
        time.fetch_add(181, Ordering::Relaxed);
        let late = redact(&rooms, &alice, &direct, &of_alice).await;
        assert_eq!(refused(late), DELETE_OVER);
        // A name does not make a channel of it.
        let name = crate::testing::state(&alice, "m.room.name", "", &json!({"name": "Us"}));
        rooms.did(&direct, name).await.unwrap();
        let late = redact(&rooms, &bob, &direct, &of_bob).await;
        assert_eq!(refused(late), DELETE_OVER);
        let soon = say(&bob, &direct, "3").await;
        redact(&rooms, &bob, &direct, &soon).await.unwrap();

        let channel = crate::NewRoom {
            name: Some("General".to_owned()),
            invite: vec![bob.clone()],
            ..crate::NewRoom::default()
        };
        let channel = rooms.create(&alice, channel).await.unwrap();
        rooms.join(&bob, &channel, None).await.unwrap();
        let (of_alice, of_bob) = (
            say(&alice, &channel, "4").await,
            say(&bob, &channel, "5").await,
        );
        time.fetch_add(181, Ordering::Relaxed);
        redact(&rooms, &alice, &channel, &of_alice).await.unwrap();
        time.fetch_add(1, Ordering::Relaxed);
        redact(&rooms, &alice, &channel, &of_bob).await.unwrap();
    }

    #[tokio::test]
    async fn who_is_not_permitted_makes_no_channels_and_sends_no_files() {
        use orvale_policy::Permission as P;
        let rooms_with = |everybody: Vec<P>| {
            let mut policy = orvale_policy::Config::default();
            policy.permissions.everybody = everybody;
            rooms_under(policy)
        };
        let rooms = rooms_with(vec![P::CreateDirect]);
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let channels: [fn(&mut crate::NewRoom); 4] = [
            |new| new.name = Some("General".to_owned()),
            |new| new.alias = Some("general".to_owned()),
            |new| new.preset = crate::Preset::Public,
            |new| new.creation_content = Some(raw(&json!({"type": "m.space"}))),
        ];
        for channel in channels {
            let mut new = crate::NewRoom::default();
            channel(&mut new);
            let made = rooms.create(&alice, new).await.map(|room| room.id.clone());
            assert_eq!(refused(made), Refusal::NotPermitted(P::CreateChannels));
        }
        let direct = rooms.direct(&alice, &bob, false).await.unwrap().room;
        let file = json!({"msgtype": "m.file", "body": "plan.pdf", "url": "mxc://here/a"});
        let sent = send(&rooms, &alice, &direct, "m.room.message", file.clone(), "1").await;
        assert_eq!(refused(sent), Refusal::NotPermitted(P::SendFiles));
        let text = json!({"msgtype": "m.text", "body": "plan.pdf"});
        send(&rooms, &alice, &direct, "m.room.message", text, "2")
            .await
            .unwrap();
        rooms.users().set_admin(&alice, true).await.unwrap();
        send(&rooms, &alice, &direct, "m.room.message", file, "3")
            .await
            .unwrap();

        let rooms = rooms_with(vec![P::CreateChannels, P::SendFiles]);
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let direct = rooms
            .direct(&alice, &bob, false)
            .await
            .map(|direct| direct.is_new);
        assert_eq!(refused(direct), Refusal::NotPermitted(P::CreateDirect));
        let channel = crate::NewRoom {
            name: Some("General".to_owned()),
            ..crate::NewRoom::default()
        };
        rooms.create(&alice, channel).await.unwrap();
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
