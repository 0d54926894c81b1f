//! How our users stand in rooms that this server knows from outside only: invited, knocking, or out again.

use std::sync::Arc;

use orvale_storage::{
    Batch, Entry, EventRecord, Place, Standing,
    record::JsonText,
    trees::rooms::{EVENT_NUMBERS, MEMBERSHIPS, MembershipRecord, STRIPPED},
};
use ruma::{
    UserId,
    events::{StateEventType, TimelineEventType},
};
use serde_json::value::RawValue;

use super::Arrival;
use crate::{
    Room, Rooms,
    append::membership,
    error::{Error, Result},
    event::StoredEvent,
};

impl Rooms {
    /// Whether this server is in a room, so that it knows the room's state.
    ///
    /// # Errors
    /// Storage's.
    pub fn is_resident(&self, room: &Room) -> Result<bool> {
        self.is_server_in(room, self.server_name())
    }

    /// Whether a user is invited to a room that this server is not in, knocks there, or was: the room's state does not say so.
    pub(crate) fn stands_outside(&self, user: &UserId, room: &Room) -> Result<bool> {
        let Some(record) = self.find_membership(room, user)? else {
            return Ok(false);
        };
        if self.is_resident(room)? {
            return Ok(false);
        }
        let in_state = self.find_state(room, &StateEventType::RoomMember, user.as_str())?;
        Ok(in_state.is_none_or(|event| event.position != record.event))
    }

    /// Notes how a user stands in a room that this server is not in, with what the room looks like from outside. Resolves when it
    /// is durable.
    pub(crate) async fn note_member(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        arrival: Arrival,
        stripped: Option<&[Box<RawValue>]>,
    ) -> Result<()> {
        let Arrival { pdu, json } = arrival;
        let now = membership(&pdu)
            .ok_or_else(|| Error::BadContent("the event has no membership".to_owned()))?;
        let permit = self.inner.store.permit().await?;
        let pending = {
            let mut head = room.lock();
            self.forget_looked_up(&mut head);
            if self.here(&head, &pdu.event_id)?.is_some() {
                return Ok(());
            }
            let reserved = self.inner.store.reserve(permit, 2);
            let at = reserved.at(0);
            let before = match head.membership(user.as_str()) {
                Some(record) => Some(record),
                None => self.inner.store.get(&MEMBERSHIPS, (user, room.number))?,
            };
            let record = MembershipRecord {
                event: at,
                membership: now,
                before: before.map(|before| before.membership),
                was_joined: before.is_some_and(|before| before.was_joined),
                forgotten: false,
                since: Some(reserved.at(1)),
            };
            let event = EventRecord {
                room: room.number,
                event_id: pdu.event_id.to_string(),
                state_before: 0,
                state_after: 0,
                standing: Standing::Outlier,
                transaction: None,
                pdu: json.into(),
                unsigned: bytes::Bytes::new(),
                place: Place::Live,
            };
            let mut batch = Batch::new();
            if let Some(stripped) = stripped {
                let text = JsonText::of(&stripped);
                let text = text.map_err(|error| Error::Internal(error.to_string()))?;
                batch.put(&STRIPPED, (at,), &text);
            }
            batch
                .put(&EVENT_NUMBERS, (&pdu.event_id,), &at)
                .put(&MEMBERSHIPS, (user, room.number), &record)
                .log(Entry::Event(event.clone()))
                .log(Entry::Membership {
                    user_id: user.to_string(),
                    room: room.number,
                });
            head.memberships
                .set(user.to_string(), reserved.at(1), record);
            let event = Arc::new(StoredEvent::with_pdu(at, pdu, event, None));
            self.inner.events.insert(at, event.clone());
            head.flight.insert(at, event);
            self.inner.store.submit(reserved, batch)
        };
        pending.await?;
        Ok(())
    }

    /// Whether an event says how one of our users stands in a room from outside, so that nothing could judge it when it came.
    pub(crate) fn is_noted(&self, event: &StoredEvent) -> bool {
        let user = event.pdu.state_key.as_deref().map(<&UserId>::try_from);
        event.record.standing == Standing::Outlier
            && event.pdu.kind == TimelineEventType::RoomMember
            && user.is_some_and(|user| user.is_ok_and(|user| self.is_local(user)))
    }

    /// The stripped state that came with a member event from outside.
    pub(crate) fn noted_state(&self, member: &StoredEvent) -> Result<Vec<Box<RawValue>>> {
        let found = self.store().get(&STRIPPED, (member.position,))?;
        let malformed = |error: serde_json::Error| Error::Internal(error.to_string());
        match found {
            Some(text) => text.parse().map_err(malformed),
            None => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use orvale_events::Template;
    use orvale_storage::trees::rooms::Membership;
    use ruma::{RoomVersionId, events::TimelineEventType, room_id};
    use serde_json::json;

    use super::*;
    use crate::testing::{raw, server};

    #[tokio::test]
    async fn an_invite_from_outside_is_shown_and_can_be_turned_down_though_nobody_answers() {
        let (here, far) = (server("here.test"), server("far.test"));
        let alice = UserId::parse("@alice:far.test").unwrap();
        let bob = UserId::parse("@bob:here.test").unwrap();
        let room = here
            .find_or_note(room_id!("!room:far.test"), &RoomVersionId::V10)
            .await
            .unwrap();
        let again = here.find_or_note(&room.id, &RoomVersionId::V10).await;
        assert_eq!(again.unwrap().number, room.number);
        let other = here.find_or_note(&room.id, &RoomVersionId::V11).await;
        assert!(matches!(other, Err(Error::BadContent(_))));
        let template = Template {
            room_id: Some(room.id.clone()),
            sender: alice.clone(),
            kind: TimelineEventType::RoomMember,
            state_key: Some(bob.to_string()),
            content: raw(&json!({"membership": "invite"})),
            redacts: None,
            prev_events: vec!["$a".try_into().unwrap()],
            auth_events: vec!["$b".try_into().unwrap()],
            depth: 7,
            origin_server_ts: far.now(),
        };
        let (pdu, json) = orvale_events::build(template, &room.rules, &far.inner.key).unwrap();
        let arrival = Arrival {
            pdu: Arc::new(pdu),
            json,
        };
        let name = json!({"type": "m.room.name", "state_key": "", "sender": alice, "content": {"name": "Far"}});
        here.note_member(&room, &bob, arrival, Some(&[raw(&name)]))
            .await
            .unwrap();
        let stands = here.find_membership(&room, &bob).unwrap().unwrap();
        assert_eq!(stands.membership, Membership::Invite);
        let invite = here.event(stands.event).unwrap();
        let shown = here.stripped_state(&invite).unwrap();
        assert_eq!(shown.len(), 2);
        assert!(shown[0].get().contains("Far"), "{}", shown[0]);
        assert_eq!(here.check().unwrap().faults, Vec::<String>::new());

        here.leave(&bob, &room, None).await.unwrap();
        let stands = here.find_membership(&room, &bob).unwrap().unwrap();
        assert_eq!(stands.membership, Membership::Leave);
        assert_eq!(stands.before, Some(Membership::Invite));
        here.leave(&bob, &room, None).await.unwrap();
        here.forget(&bob, &room).await.unwrap();
        assert_eq!(here.check().unwrap().faults, Vec::<String>::new());
    }
}
