//! Whether what is stored about rooms agrees with itself: for `orvale check`, and after every crash test.
//!
//! The log is the truth. Every event must be what its ID says, signed if it is ours, standing on events that exist; every
//! index must say what follows from the log, and nothing else.

use std::collections::HashMap;

use orvale_events::Foreign;
use orvale_storage::{
    Entry, Place, Position, Standing,
    trees::rooms::{
        CURRENT_STATE, EVENT_NUMBERS, GAPS, HEADS, HeadRecord, MEMBERSHIPS, Membership, RELATIONS,
        ROOM_NUMBERS, ROOMS, RelationRecord, THREADS, TIMELINE,
    },
};
use ruma::{
    EventId,
    events::TimelineEventType,
    serde::Base64,
    signatures::{PublicKeyMap, PublicKeySet},
};

use crate::{
    Order, Rooms, StoredEvent,
    append::{membership, relation},
    error::{Error, Result},
    room::Room,
    state::{Unwritten, hash},
    threads::THREAD,
};

/// What a check saw.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Rooms.
    pub rooms: u64,
    /// Events.
    pub events: u64,
    /// What does not agree, in sentences; none if all is well.
    pub faults: Vec<String>,
}

/// Entries read at once.
const PAGE: usize = 1000;

impl Rooms {
    /// Checks every event and every index of rooms. Nothing may be appended meanwhile, or the check sees it half.
    ///
    /// # Errors
    /// Storage's; what is found wrong is in the answer.
    pub fn check(&self) -> Result<Checked> {
        let mut checked = Checked::default();
        let keys = self.own_keys()?;
        let mut at = Position::START;
        loop {
            let entries = self.store().log(at, PAGE)?;
            let Some((last, _)) = entries.last() else {
                break;
            };
            at = *last;
            for (position, entry) in entries {
                match entry {
                    Entry::Room { .. } => {
                        checked.rooms += 1;
                        self.check_room(position, &mut checked.faults)?;
                    }
                    Entry::Event(record) => {
                        checked.events += 1;
                        let event = self.load(position, record)?;
                        self.check_event(&event, &keys, &mut checked.faults)?;
                    }
                    _ => {}
                }
            }
        }
        self.check_numbers(&mut checked)?;
        self.check_lists(&mut checked)?;
        Ok(checked)
    }

    fn own_keys(&self) -> Result<PublicKeyMap> {
        let key = &self.inner.key;
        let public = Base64::parse(key.public_key()).map_err(|e| Error::Internal(e.to_string()))?;
        let mut keys = PublicKeySet::from([(key.key_id().to_owned(), public)]);
        for old in key.old() {
            let public = Base64::parse(&old.public_key);
            let public = public.map_err(|e| Error::Internal(e.to_string()))?;
            keys.insert(old.key_id.clone(), public);
        }
        Ok(PublicKeyMap::from([(self.server_name().to_string(), keys)]))
    }

    fn check_event(
        &self,
        event: &StoredEvent,
        keys: &PublicKeyMap,
        faults: &mut Vec<String>,
    ) -> Result<()> {
        let id = event.event_id();
        let mut fault = |what: String| faults.push(format!("event {id}: {what}"));
        let room = self.get_number(event.room)?;
        match Foreign::read(&event.record.pdu, &room.rules) {
            Err(error) => fault(format!("is no event: {error}")),
            Ok(read) => {
                if read.event_id() != id {
                    fault(format!("hashes to {}", read.event_id()));
                }
                // The keys of who let one of ours in elsewhere were asked for when it came, and may be others by now.
                let signers = read.signers(&room.rules);
                let is_ours = signers.is_ok_and(|signers| {
                    signers.len() == 1 && signers.contains(self.server_name())
                });
                if is_ours && let Err(error) = read.verify(&room.rules, keys) {
                    fault(format!("is not signed by this server: {error}"));
                }
            }
        }
        if self.store().get(&EVENT_NUMBERS, (id,))? != Some(event.position) {
            fault("is not found by its ID".to_owned());
        }
        let shown = self.store().get(&TIMELINE, (event.room, event.order().0))?;
        if event.is_shown() && shown != Some(event.position) {
            fault("is not in its room's timeline".to_owned());
        }
        if event.is_shown()
            && let Some((parent, rel_type, key)) = relation(&event.pdu)
        {
            let expected = RelationRecord {
                room: event.room,
                sender: event.pdu.sender.to_string(),
                kind: event.pdu.kind.to_string(),
                key,
            };
            let place = (&parent, &rel_type, event.position);
            if self.store().get(&RELATIONS, place)? != Some(expected) {
                fault("is not found by what it relates to".to_owned());
            }
            if rel_type == THREAD && !self.store().contains(&THREADS, (event.room, &parent))? {
                fault("is in a thread that its room does not list".to_owned());
            }
        }
        self.check_past(event, &mut fault)?;
        let changes = self.inner.states.diff(
            event.state_before(),
            event.state_after(),
            &Unwritten::default(),
        )?;
        let counts = matches!(
            event.record.standing,
            Standing::Accepted | Standing::SoftFailed
        );
        let expected: Vec<_> = event
            .pdu
            .state_key
            .iter()
            .filter(|_| counts)
            .map(|key| (hash(&event.pdu.kind.to_string(), key), Some(event.position)))
            .collect();
        let changes: Vec<_> = changes.into_iter().map(|d| (d.hash, d.b)).collect();
        if changes != expected {
            fault(format!("changes {} entries of the state", changes.len()));
        }
        Ok(())
    }

    /// What an event stands on: events of its room, known before it; where it has a place in the graph, with their states, unless a
    /// gap is noted there.
    fn check_past(&self, event: &StoredEvent, fault: &mut impl FnMut(String)) -> Result<()> {
        let came_in_order =
            |event: &StoredEvent| matches!(event.record.place, Place::Live | Place::Merged { .. });
        for before in &event.pdu.auth_events {
            match self.find_event(before)? {
                Some(found) if found.room != event.room => {
                    if event.record.standing != Standing::Rejected {
                        fault(format!("is allowed by {before}, which is of another room"));
                    }
                }
                // What allows it was not told to this server, or later.
                _ if self.is_noted(event) => {}
                Some(found) if came_in_order(event) && found.position > event.position => {
                    fault(format!("is allowed by {before}, which is later"));
                }
                Some(_) => {}
                None => fault(format!("is allowed by {before}, which is missing")),
            }
        }
        if !event.has_state() {
            return Ok(());
        }
        for before in &event.pdu.prev_events {
            let is_gap = || self.store().contains(&GAPS, (event.room, before));
            match self.find_event(before)? {
                Some(found) if found.room != event.room => {
                    fault(format!("stands on {before}, which is of another room"));
                }
                Some(found) if !found.has_state() => {
                    if !is_gap()? {
                        fault(format!("stands on {before}, whose state is not known"));
                    }
                }
                Some(found) => {
                    let is_later = came_in_order(event)
                        && came_in_order(&found)
                        && found.position > event.position;
                    if is_later && !is_gap()? {
                        fault(format!("stands on {before}, which is later"));
                    }
                    let is_only = event.pdu.prev_events.len() == 1;
                    let goes_on = found.state_after() == event.state_before()
                        || self.tells_of_members(event, &found)?
                        || self.comes_back(event, &found)?;
                    if is_only && !goes_on && !is_gap()? {
                        fault(
                            "does not begin with the state that the event before it left"
                                .to_owned(),
                        );
                    }
                }
                None => {
                    if !is_gap()? {
                        fault(format!("stands on {before}, which is missing"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether an event stands on what the one before it left, and on members besides whom it names: so it was learnt of them where not all
    /// were known.
    fn tells_of_members(&self, event: &StoredEvent, before: &StoredEvent) -> Result<bool> {
        if self.whole_since(event.room).is_some() {
            return Ok(false);
        }
        let (from, to) = (before.state_after(), event.state_before());
        for difference in self.inner.states.diff(from, to, &Unwritten::default())? {
            let (None, Some(at)) = (difference.a, difference.b) else {
                return Ok(false);
            };
            let learnt = self.event(at)?;
            let is_named = event.pdu.auth_events.contains(&learnt.pdu.event_id);
            if learnt.pdu.kind != TimelineEventType::RoomMember || !is_named {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether this server came into a room anew by an event: with the state that another server gave, whatever it had known of it.
    fn comes_back(&self, event: &StoredEvent, before: &StoredEvent) -> Result<bool> {
        let is_join = membership(&event.pdu) == Some(Membership::Join);
        if !is_join || !self.is_local(&event.pdu.sender) {
            return Ok(false);
        }
        let room = self.get_number(event.room)?;
        let servers = self.servers_at(&room, before.state_after())?;
        Ok(!servers.contains_key(self.server_name()))
    }

    /// A room's head against its timeline, and its indexes against the state that the head names.
    fn check_room(&self, number: Position, faults: &mut Vec<String>) -> Result<()> {
        let store = self.store();
        let mut fault = |what: String| faults.push(format!("room {number}: {what}"));
        let (Some(record), Some(head)) =
            (store.get(&ROOMS, (number,))?, store.get(&HEADS, (number,))?)
        else {
            fault("has no record or no head".to_owned());
            return Ok(());
        };
        if store.get(&ROOM_NUMBERS, (&record.room_id,))? != Some(number) {
            fault("is not found by its ID".to_owned());
        }
        let room = self.get_number(number)?;
        match self
            .list_backwards(&room, Order::END, Order::START, 1)?
            .pop()
        {
            Some((order, last)) if order == Order::live(head.latest) => {
                if last.room_after().0 != head.state {
                    fault("its head names another state than its last event".to_owned());
                }
            }
            // Known from outside only.
            None if head == HeadRecord::default() => {}
            _ => fault("its head names another last event than its timeline".to_owned()),
        }
        for extremity in &head.extremities {
            let known = <&EventId>::try_from(extremity.as_str()).ok();
            let known = known.map(|id| self.find_event(id)).transpose()?.flatten();
            match known {
                None => fault(format!("its extremity {extremity} is missing")),
                Some(event) => {
                    let is_only = head.extremities.len() == 1;
                    if is_only && event.state_after().0 != head.state {
                        fault("its head names another state than its extremity".to_owned());
                    }
                }
            }
        }
        let state = self
            .inner
            .states
            .list(crate::StateId(head.state), &Unwritten::default())?;
        let mut state: HashMap<_, _> = state.into_iter().collect();
        let (mut joined, mut invited) = (0, 0);
        for ((_, kind, key), flat) in store.prefix(&CURRENT_STATE, (number,), usize::MAX)? {
            if state.remove(&hash(&kind, &key)) != Some(flat.event) {
                fault(format!(
                    "the current state of {kind} {key:?} is not that of its head"
                ));
            }
            if kind == TimelineEventType::RoomMember.to_string() {
                joined += u64::from(flat.membership == Some(Membership::Join));
                invited += u64::from(flat.membership == Some(Membership::Invite));
                self.check_member(&room, &key, flat.event, &mut fault)?;
            }
        }
        if !state.is_empty() {
            fault(format!(
                "{} entries of its state are not in the current state",
                state.len()
            ));
        }
        if (joined, invited) != (head.joined, head.invited) {
            fault(format!(
                "has {joined} joined and {invited} invited members, its head says {} and {}",
                head.joined, head.invited
            ));
        }
        Ok(())
    }

    fn check_member(
        &self,
        room: &Room,
        user: &str,
        event: Position,
        fault: &mut impl FnMut(String),
    ) -> Result<()> {
        let event = self.event(event)?;
        let record = self.store().get(&MEMBERSHIPS, (user, room.number))?;
        let agrees = record.is_some_and(|record| {
            record.event == event.position && Some(record.membership) == membership(&event.pdu)
        });
        if !agrees {
            fault(format!("the membership of {user} is not that of its state"));
        }
        Ok(())
    }

    /// Nothing is found that is not in the log.
    fn check_numbers(&self, checked: &mut Checked) -> Result<()> {
        let mut from = (String::new(),);
        let mut found = 0;
        loop {
            // "$" starts every event ID, "%" comes after it.
            let page = self
                .store()
                .range(&EVENT_NUMBERS, from, ("%",), false, PAGE)?;
            let Some(((last,), _)) = page.last() else {
                break;
            };
            // Shorter than any other that sorts after the last one.
            from = (format!("{last}\0"),);
            found += page.len() as u64;
        }
        if found != checked.events {
            let events = checked.events;
            checked.faults.push(format!(
                "{found} event IDs are known, {events} events are stored"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orvale_storage::Batch;
    use ruma::{RoomVersionId, events::TimelineEventType};
    use serde_json::json;

    use super::*;
    use crate::{
        Draft,
        testing::{member, raw, rooms, state, text, user},
    };

    #[tokio::test]
    async fn what_rooms_write_agrees_with_itself() {
        let (rooms, alice, bob) = (rooms(), user("alice"), user("bob"));
        for version in [RoomVersionId::V6, RoomVersionId::V11, RoomVersionId::V12] {
            let room = rooms.public_room(version).await;
            rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
            let hello = rooms.did(&room, text(&bob, "hello")).await.unwrap();
            let redact = Draft {
                redacts: Some(hello.event_id().to_owned()),
                ..Draft::message(&alice, TimelineEventType::RoomRedaction, raw(&json!({})))
            };
            rooms.did(&room, redact).await.unwrap();
            rooms.did(&room, member(&alice, &bob, "ban")).await.unwrap();
            for n in 0..40 {
                let topic = json!({"topic": n});
                rooms
                    .did(&room, state(&alice, "org.example", &n.to_string(), &topic))
                    .await
                    .unwrap();
            }
        }
        let checked = rooms.check().unwrap();
        assert_eq!(checked.faults, Vec::<String>::new());
        assert_eq!((checked.rooms, checked.events), (3, 3 * 48));
    }

    #[tokio::test]
    async fn every_broken_index_is_found() {
        let (rooms, alice) = (rooms(), user("alice"));
        let room = rooms.public_room(RoomVersionId::V12).await;
        let event = rooms.did(&room, text(&alice, "hello")).await.unwrap();
        let content = json!({"m.relates_to": {"rel_type": THREAD, "event_id": event.event_id()}});
        let answer = Draft::message(&alice, TimelineEventType::RoomMessage, raw(&content));
        let answer = rooms.did(&room, answer).await.unwrap();
        let relation = (event.event_id(), THREAD, answer.position);
        let related = rooms.store().get(&RELATIONS, relation).unwrap().unwrap();
        let alice_in = rooms
            .store()
            .get(&MEMBERSHIPS, (&alice, room.number))
            .unwrap()
            .unwrap();
        let mut head = rooms.store().get(&HEADS, (room.number,)).unwrap().unwrap();
        head.joined = 7;
        let mut forged = event.record.clone();
        forged.pdu = String::from_utf8(forged.pdu.to_vec())
            .unwrap()
            .replace("alice", "alicf")
            .into();
        let order = Order::live(event.position).0;
        type Break<'a> = Box<dyn Fn(&mut Batch) + 'a>;
        let breaks: Vec<Break<'_>> = vec![
            Box::new(|b| {
                b.delete(&EVENT_NUMBERS, (event.event_id(),));
            }),
            Box::new(|b| {
                b.put(&EVENT_NUMBERS, ("$ghost",), &event.position);
            }),
            Box::new(|b| {
                b.delete(&TIMELINE, (room.number, order));
            }),
            Box::new(|b| {
                b.put(&HEADS, (room.number,), &head);
            }),
            Box::new(|b| {
                b.delete(&MEMBERSHIPS, (&alice, room.number));
            }),
            Box::new(|b| {
                b.delete(&CURRENT_STATE, (room.number, "m.room.create", ""));
            }),
            Box::new(|b| {
                b.delete(&ROOM_NUMBERS, (&room.id,));
            }),
            Box::new(|b| {
                b.delete(&RELATIONS, relation);
            }),
            Box::new(|b| {
                b.delete(&THREADS, (room.number, event.event_id()));
            }),
            Box::new(|b| {
                b.rewrite(event.position, &Entry::Event(forged.clone()));
            }),
        ];
        let good = rooms.store().get(&HEADS, (room.number,)).unwrap().unwrap();
        for (n, break_it) in breaks.iter().enumerate() {
            let mut batch = Batch::new();
            break_it(&mut batch);
            rooms.store().commit(batch).await.unwrap();
            rooms.inner.events.clear();
            assert!(
                !rooms.check().unwrap().faults.is_empty(),
                "break {n} is not found"
            );
            let mut mend = Batch::new();
            let create = rooms
                .list_forwards(&room, Order::START, Order::END, 1)
                .unwrap()[0]
                .1
                .position;
            mend.put(&EVENT_NUMBERS, (event.event_id(),), &event.position)
                .delete(&EVENT_NUMBERS, ("$ghost",))
                .put(&TIMELINE, (room.number, order), &event.position)
                .put(&HEADS, (room.number,), &good)
                .put(&MEMBERSHIPS, (&alice, room.number), &alice_in)
                .put(
                    &CURRENT_STATE,
                    (room.number, "m.room.create", ""),
                    &orvale_storage::trees::rooms::StateRecord {
                        event: create,
                        membership: None,
                    },
                )
                .put(&ROOM_NUMBERS, (&room.id,), &room.number)
                .put(&RELATIONS, relation, &related)
                .put(&THREADS, (room.number, event.event_id()), &())
                .rewrite(event.position, &Entry::Event(event.record.clone()));
            rooms.store().commit(mend).await.unwrap();
            rooms.inner.events.clear();
            assert_eq!(
                rooms.check().unwrap().faults,
                Vec::<String>::new(),
                "after break {n}"
            );
        }
    }
}
