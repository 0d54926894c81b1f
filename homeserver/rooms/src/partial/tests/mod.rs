//! A room of many, entered with few of its members, used, and set right.

mod before;
mod forbidden;

use std::sync::Arc;

use orvale_events::{Foreign, Template};
use orvale_storage::{
    Batch, Entry, Position,
    trees::rooms::{Membership, PARTIAL_REDACTED, PARTIAL_ROOMS, PartialRecord},
};
use ruma::{OwnedEventId, RoomVersionId, UserId, events::TimelineEventType};
use serde_json::json;

use super::{PartialRooms, flat::Known};
use crate::{
    Accepted, Arrival, Entrance, LeftOut, Room, Rooms, StoredEvent,
    foreign::tests::{come_in, named, person, sent, timeline, well},
    testing::{again, member, raw, rooms, server, state, text},
};

/// A room of `a` with many members, which Bob of `b` enters with few of them.
struct Story {
    a: Rooms,
    b: Rooms,
    here: Arc<Room>,
    there: Arc<Room>,
    bob: ruma::OwnedUserId,
    /// Bob's join, as `a` has it.
    join: Arc<StoredEvent>,
}

const MANY: usize = 40;

impl Story {
    async fn of(version: RoomVersionId) -> Self {
        Self::after(version, json!({}), async |_, _, _| ()).await
    }

    /// As [`Story::of`], where something else happened before the join; with power levels.
    async fn after(
        version: RoomVersionId,
        levels: serde_json::Value,
        before: impl AsyncFnOnce(&Rooms, &Rooms, &Arc<Room>),
    ) -> Self {
        let (a, b) = (server("a.test"), server("b.test"));
        let bob = person("bob", &b);
        let here = a.public_room_with(version, levels).await;
        for n in 0..MANY {
            let user = person(&format!("u{n}"), &a);
            a.did(&here, member(&user, &user, "join")).await.unwrap();
        }
        before(&a, &b, &here).await;
        let template = a.member_template(&here, &bob, Membership::Join).unwrap();
        let mut join = b.sign_template(&here.rules, &template).unwrap();
        let by: Option<String> = join.pdu.content_field("join_authorised_via_users_server");
        if by.is_some() {
            let mut event = Foreign::read(&join.json, &here.rules).unwrap();
            event.sign(&here.rules, &a.inner.key).unwrap();
            join.json = serde_json::to_vec(event.object()).unwrap();
        }
        assert_eq!(a.accept(&here, join.clone()).await.unwrap(), Accepted::Live);
        let joined = a.find_event(&join.pdu.event_id).unwrap().unwrap();
        let mut state = a.list_state_at(joined.state_before()).unwrap();
        state.retain(|event| event.pdu.kind != TimelineEventType::RoomMember);
        let ids = state.iter().map(|event| event.event_id().to_owned());
        let chain = a.auth_chain(&here, ids.chain([join.pdu.event_id.clone()]).collect());
        let there = b.find_or_note(&here.id, &here.version).await.unwrap();
        let entrance = Entrance {
            event: join,
            state: state.iter().map(|event| sent(event)).collect(),
            auth_chain: chain.unwrap().iter().map(|event| sent(event)).collect(),
            partial: Some(LeftOut {
                via: a.server_name_owned(),
                servers: vec![a.server_name_owned()],
            }),
        };
        b.enter(&there, entrance).await.unwrap();
        assert!(b.is_partial(there.number));
        well(&b);
        Self {
            a,
            b,
            here,
            there,
            bob,
            join: joined,
        }
    }

    fn user(&self, n: usize) -> ruma::OwnedUserId {
        person(&format!("u{n}"), &self.a)
    }

    async fn hear(&self, event: &StoredEvent) -> Accepted {
        self.told_why(&self.b, &sent(event)).await;
        self.b.accept(&self.there, sent(event)).await.unwrap()
    }

    /// Has what allows an event there, as it is fetched where it is not known.
    async fn told_why(&self, rooms: &Rooms, event: &Arrival) {
        let ids = event.pdu.auth_events.clone();
        let chain = self.a.auth_chain(&self.here, ids.clone()).unwrap();
        let named = ids.iter().map(|id| self.a.find_event(id).unwrap().unwrap());
        let all = chain.into_iter().chain(named);
        let all = all.map(|event| sent(&event)).collect();
        let there = rooms.get(&self.here.id).unwrap();
        rooms.keep_outliers(&there, all).await.unwrap();
    }

    /// The whole state before the join, as it is fetched.
    async fn fetched(&self, rooms: &Rooms) -> Vec<Known> {
        let state = self.a.list_state_at(self.join.state_before()).unwrap();
        let ids = state.iter().map(|event| event.event_id().to_owned());
        let chain = self.a.auth_chain(&self.here, ids.collect()).unwrap();
        let all = state.iter().chain(&chain).map(|event| sent(event));
        let there = rooms.get(&self.here.id).unwrap();
        rooms.keep_outliers(&there, all.collect()).await.unwrap();
        let found = state.iter().map(|event| {
            let known = rooms.find_event(event.event_id()).unwrap().unwrap();
            Known::of(&known).unwrap()
        });
        found.collect()
    }

    async fn made_whole(&self) {
        self.made_whole_within(5).await;
    }

    /// As [`Story::made_whole`], where so many attempts are made beside the room's lock.
    async fn made_whole_within(&self, attempts: usize) {
        let whole = self.fetched(&self.b).await;
        let mended = self.b.mend_within(&self.there, whole, attempts);
        mended.await.unwrap();
        assert!(!self.b.is_partial(self.there.number));
        well(&self.b);
    }

    /// Has what says how people of `b` stood before the join, as it came then.
    async fn note(&self, members: &[(ruma::OwnedUserId, Arc<StoredEvent>)]) {
        for (user, member) in members {
            let noted = self
                .b
                .note_member(&self.there, user, sent(member), Some(&[]));
            noted.await.unwrap();
        }
    }

    /// Tells `a` what people of `b` did.
    async fn tell(&self) {
        for event in timeline(&self.b, &self.there) {
            if event.pdu.sender.server_name() == self.b.server_name() {
                let _ = self.a.accept(&self.here, sent(&event)).await.unwrap();
            }
        }
    }

    fn agree(&self) {
        assert_eq!(named(&self.a, &self.here), named(&self.b, &self.there));
        let joined = |rooms: &Rooms, room: &Room| rooms.count_joined(room.number).unwrap();
        assert_eq!(joined(&self.a, &self.here), joined(&self.b, &self.there));
    }
}

/// An event of somebody who stands on what they choose.
fn forged(
    rooms: &Rooms,
    room: &Room,
    sender: &UserId,
    (kind, key, content): (&str, Option<&str>, serde_json::Value),
    (prev, auth): (&[OwnedEventId], Vec<OwnedEventId>),
) -> Arrival {
    let template = Template {
        room_id: Some(room.id.clone()),
        sender: sender.to_owned(),
        kind: kind.into(),
        state_key: key.map(str::to_owned),
        content: raw(&content),
        redacts: None,
        prev_events: prev.to_vec(),
        auth_events: auth,
        depth: 100,
        origin_server_ts: rooms.now(),
    };
    let (pdu, json) = orvale_events::build(template, &room.rules, &rooms.inner.key).unwrap();
    Arrival {
        pdu: Arc::new(pdu),
        json,
    }
}

#[tokio::test]
async fn who_writes_is_learnt_and_the_room_is_whole_in_the_end() {
    for version in [RoomVersionId::V6, RoomVersionId::V10, RoomVersionId::V12] {
        let story = Story::of(version.clone()).await;
        let (a, b) = (&story.a, &story.b);
        assert_eq!(b.count_joined(story.there.number).unwrap(), 1);
        let third = story.user(3);
        let hello = a.did(&story.here, text(&third, "hello")).await.unwrap();
        assert_eq!(story.hear(&hello).await, Accepted::Live);
        let stands = b.find_membership(&story.there, &third).unwrap().unwrap();
        assert_eq!(stands.membership, Membership::Join);
        let answer = b
            .did(&story.there, text(&story.bob, "hello u3"))
            .await
            .unwrap();
        let heard = a.accept(&story.here, sent(&answer)).await.unwrap();
        assert_eq!(heard, Accepted::Live);
        let fifth = story.user(5);
        let left = a
            .did(&story.here, member(&fifth, &fifth, "leave"))
            .await
            .unwrap();
        assert_eq!(story.hear(&left).await, Accepted::Live);
        well(b);

        // Whether it is made ready before the lock is taken, or after: it is the same.
        let attempts = if version == RoomVersionId::V10 { 0 } else { 5 };
        story.made_whole_within(attempts).await;
        story.agree();
        assert_eq!(b.count_joined(story.there.number).unwrap(), MANY as u64 + 1);
        let kinds: Vec<_> = timeline(b, &story.there)
            .iter()
            .map(|event| event.event_id().to_owned())
            .collect();
        let told = [&story.join, &hello, &answer, &left];
        assert_eq!(kinds, told.map(|event| event.event_id().to_owned()));
        // Life goes on.
        let more = b
            .did(&story.there, text(&story.bob, "all here"))
            .await
            .unwrap();
        assert_eq!(
            a.accept(&story.here, sent(&more)).await.unwrap(),
            Accepted::Live
        );
        well(b);
    }
}

#[tokio::test]
async fn what_happened_beside_the_join_is_taken_and_forks_meet() {
    let story = Story::of(RoomVersionId::V11).await;
    let (a, b) = (&story.a, &story.b);
    // Each follows what comes just before the join, which is not known here.
    let state = a.list_state_at(story.join.state_before()).unwrap();
    let find = |kind: &str, key: &str| {
        let is = |event: &&Arc<StoredEvent>| {
            event.pdu.kind.to_string() == kind && event.pdu.state_key.as_deref() == Some(key)
        };
        state.iter().find(is).unwrap().event_id().to_owned()
    };
    for n in [7, 8] {
        let user = story.user(n);
        let auth = vec![
            find("m.room.create", ""),
            find("m.room.power_levels", ""),
            find("m.room.member", user.as_str()),
        ];
        let content = json!({ "membership": "join", "displayname": format!("User {n}") });
        let what = ("m.room.member", Some(user.as_str()), content);
        let mut auth = auth;
        auth.push(find("m.room.join_rules", ""));
        let prev = &story.join.pdu.prev_events;
        let beside = forged(a, &story.here, &user, what, (prev, auth));
        assert_eq!(
            a.accept(&story.here, beside.clone()).await.unwrap(),
            Accepted::Live
        );
        assert!(b.inner.federation.get().is_none(), "nobody can be asked");
        story.told_why(b, &beside).await;
        assert_eq!(
            b.accept(&story.there, beside).await.unwrap(),
            Accepted::Live
        );
    }
    let tied = b
        .did(&story.there, text(&story.bob, "together"))
        .await
        .unwrap();
    assert_eq!(tied.pdu.prev_events.len(), 3);
    assert_eq!(
        a.accept(&story.here, sent(&tied)).await.unwrap(),
        Accepted::Live
    );
    well(b);
    story.made_whole().await;
    story.agree();
}

#[tokio::test]
async fn another_process_knows_that_the_room_is_not_whole_and_makes_it_so() {
    let story = Story::of(RoomVersionId::V12).await;
    let first = story.user(1);
    let hello = story
        .a
        .did(&story.here, text(&first, "hello"))
        .await
        .unwrap();
    assert_eq!(story.hear(&hello).await, Accepted::Live);
    let next = again(&story.b);
    let there = next.get(&story.here.id).unwrap();
    assert!(next.is_partial(there.number));
    assert!(
        next.servers(&there)
            .unwrap()
            .contains_key(story.a.server_name())
    );
    let second = story.user(2);
    let hello = story
        .a
        .did(&story.here, text(&second, "hello"))
        .await
        .unwrap();
    story.told_why(&next, &sent(&hello)).await;
    let heard = next.accept(&there, sent(&hello)).await.unwrap();
    assert_eq!(heard, Accepted::Live);
    let whole = story.fetched(&next).await;
    next.mend(&there, whole).await.unwrap();
    well(&next);
    assert_eq!(named(&story.a, &story.here), named(&next, &there));
    let third = again(&next);
    assert!(!third.is_partial(there.number));
    assert!(third.whole_since(there.number).is_some());
    well(&third);
}

#[tokio::test]
async fn what_needs_all_members_is_refused_and_whoever_waits_is_told() {
    let story = Story::of(RoomVersionId::V11).await;
    let (b, there) = (&story.b, &story.there);
    let origin = story.a.server_name();
    let of = story.join.event_id();
    let refused = b.state_for_server(origin, &there.id, of);
    assert!(matches!(refused, Err(crate::Error::PartialState)));
    let user = person("zoe", &story.a);
    let refused = b.propose(origin, &there.id, &user, Membership::Join, None);
    assert!(matches!(refused, Err(crate::Error::UnknownRoom(_))));
    let join = raw(&json!({}));
    let admitted = b.admit(origin, (&there.id, of), &join, Membership::Join);
    let refused = admitted.await;
    assert!(matches!(refused, Err(crate::Error::UnknownRoom(_))));
    let (waited, ()) = tokio::join!(b.await_whole(there), story.made_whole());
    waited.unwrap();
    let given = b.state_for_server(origin, &there.id, of).unwrap();
    let members = given
        .state
        .iter()
        .filter(|event| event.pdu.kind == TimelineEventType::RoomMember);
    assert_eq!(members.count(), MANY + 1);
    let topic = state(&story.bob, "m.room.topic", "", &json!({ "topic": "no" }));
    assert!(b.did(there, topic).await.is_err(), "he has no power");
}

#[tokio::test]
async fn where_all_left_the_room_stays_as_it_is_and_can_be_entered_again() {
    let story = Story::of(RoomVersionId::V11).await;
    let (a, b) = (&story.a, &story.b);
    let leave = member(&story.bob, &story.bob, "leave");
    let left = b.did(&story.there, leave).await.unwrap();
    assert_eq!(
        a.accept(&story.here, sent(&left)).await.unwrap(),
        Accepted::Live
    );
    let _ = come_in(a, b, &story.here, &story.bob).await;
    assert!(!b.is_partial(story.there.number));
    story.agree();
    well(b);
}

#[tokio::test]
async fn nobody_waits_for_a_room_that_is_left_before_it_is_whole() {
    let story = Story::of(RoomVersionId::V12).await;
    let (b, there) = (&story.b, &story.there);
    let leave = member(&story.bob, &story.bob, "leave");
    b.did(there, leave).await.unwrap();
    let (waited, done) = tokio::join!(b.await_whole(there), b.resync(there, 0));
    waited.unwrap();
    assert!(done.unwrap(), "there is nothing left to be done");
    assert!(!b.is_partial(there.number));
    well(b);
    let next = again(b);
    assert!(!next.is_partial(there.number));
}

#[tokio::test]
async fn what_happens_while_a_room_is_set_right_counts() {
    let story = Story::of(RoomVersionId::V11).await;
    let (a, b) = (&story.a, &story.b);
    let mut events = Vec::new();
    for n in 0..12 {
        let user = story.user(n);
        let what = match n % 3 {
            0 => member(&user, &user, "leave"),
            _ => text(&user, "still here"),
        };
        events.push(a.did(&story.here, what).await.unwrap());
    }
    let hears = async {
        for event in &events {
            assert_eq!(story.hear(event).await, Accepted::Live);
        }
        b.did(&story.there, text(&story.bob, "I, too"))
            .await
            .unwrap()
    };
    let (said, ()) = tokio::join!(hears, story.made_whole());
    assert_eq!(
        a.accept(&story.here, sent(&said)).await.unwrap(),
        Accepted::Live
    );
    story.agree();
    well(b);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_not_passed_over() {
    let rooms = rooms();
    let mut batch = Batch::new();
    let record = PartialRecord {
        join: Position(8),
        via: "no name".to_owned(),
        servers: Vec::new(),
    };
    batch.put(&PARTIAL_ROOMS, (Position(7),), &record);
    rooms.store().commit(batch).await.unwrap();
    let refused = PartialRooms::of(rooms.store()).unwrap_err().to_string();
    assert!(
        refused.contains("room 7: \"no name\" is no server's name"),
        "{refused}"
    );
}
