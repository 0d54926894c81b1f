//! A room of many, entered with few of its members, used, and set right.

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
async fn what_turns_out_to_be_forbidden_is_taken_out_again() {
    for version in [RoomVersionId::V10, RoomVersionId::V12] {
        let (story, m, mallory, joined) = with_mallory(version.clone()).await;
        let (a, b) = (&story.a, &story.b);
        let find = |kind: &str| {
            let found = a
                .find_state(&story.here, &kind.into(), "")
                .unwrap()
                .unwrap();
            found.event_id().to_owned()
        };
        let mut auth = vec![find("m.room.power_levels"), joined.clone()];
        if version != RoomVersionId::V12 {
            auth.push(find("m.room.create"));
        }
        let prev = [story.join.event_id().to_owned()];
        let topic = ("m.room.topic", Some(""), json!({ "topic": "mine" }));
        let topic = forged(&m, &story.here, &mallory, topic, (&prev, auth.clone()));
        let prev = [topic.pdu.event_id.clone()];
        let said = (
            "m.room.message",
            None,
            json!({ "msgtype": "m.text", "body": "ha" }),
        );
        let said = forged(&m, &story.here, &mallory, said, (&prev, auth));
        // Her membership comes with what she sends, and nobody here knows of the ban.
        let ids = a.auth_chain(&story.here, vec![topic.pdu.event_id.clone(), joined]);
        let mut chain: Vec<_> = ids.unwrap().iter().map(|event| sent(event)).collect();
        let join = a.find_event(&topic.pdu.auth_events[1]).unwrap().unwrap();
        chain.push(sent(&join));
        b.keep_outliers(&story.there, chain).await.unwrap();
        for event in [&topic, &said] {
            let accepted = b.accept(&story.there, event.clone()).await.unwrap();
            assert_eq!(accepted, Accepted::Live);
        }
        let answer = b
            .did(&story.there, text(&story.bob, "really?"))
            .await
            .unwrap();
        for event in [topic, said.clone()] {
            let refused = a.accept(&story.here, event).await.unwrap();
            assert!(matches!(refused, Accepted::Rejected(_)), "{refused:?}");
        }
        let heard = a.accept(&story.here, sent(&answer)).await.unwrap();
        assert_eq!(heard, Accepted::Live);

        story.made_whole().await;
        story.agree();
        let shown = timeline(b, &story.there);
        let shown: Vec<_> = shown.iter().map(|event| event.event_id()).collect();
        assert_eq!(shown, [story.join.event_id(), answer.event_id()]);
        let topic = b
            .find_state(&story.there, &"m.room.topic".into(), "")
            .unwrap();
        assert!(topic.is_none());
        let stands = b.find_membership(&story.there, &mallory).unwrap().unwrap();
        assert_eq!(stands.membership, Membership::Ban);
        let said = b.find_event(&said.pdu.event_id).unwrap().unwrap();
        assert!(!said.is_shown());
    }
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

/// A room of `a` that Mallory was banned from, which nobody of `b` knows; her join, and the room as `b` has it.
async fn with_mallory(version: RoomVersionId) -> (Story, Rooms, ruma::OwnedUserId, OwnedEventId) {
    let m = server("m.test");
    let mallory = person("mallory", &m);
    let levels = json!({ mallory.as_str(): 50 });
    let mut joined = None;
    let story = Story::after(version, levels, async |a, _, here| {
        let _ = come_in(a, &m, here, &mallory).await;
        let alice = person("alice", a);
        let found = a.find_state(here, &"m.room.member".into(), mallory.as_str());
        joined = Some(found.unwrap().unwrap().event_id().to_owned());
        a.did(here, member(&alice, &mallory, "ban")).await.unwrap();
    })
    .await;
    (story, m, mallory, joined.unwrap())
}

#[tokio::test]
async fn what_a_forbidden_redaction_took_is_given_back() {
    let (story, m, mallory, joined) = with_mallory(RoomVersionId::V10).await;
    let (a, b) = (&story.a, &story.b);
    let find = |kind: &str| {
        let found = a.find_state(&story.here, &kind.into(), "");
        found.unwrap().unwrap().event_id().to_owned()
    };
    let auth = vec![
        find("m.room.create"),
        find("m.room.power_levels"),
        joined.clone(),
    ];
    let join = a.find_event(&joined).unwrap().unwrap();
    let mut chain = a.auth_chain(&story.here, vec![joined]).unwrap();
    chain.push(join);
    let chain = chain.iter().map(|event| sent(event)).collect();
    b.keep_outliers(&story.there, chain).await.unwrap();

    let third = story.user(3);
    let said = a.did(&story.here, text(&third, "root")).await.unwrap();
    let content = json!({ "msgtype": "m.text", "body": "answer",
        "m.relates_to": { "rel_type": "m.thread", "event_id": said.event_id() } });
    let answer = crate::Draft::message(&third, "m.room.message".into(), raw(&content));
    let answer = a.did(&story.here, answer).await.unwrap();
    let regretted = a.did(&story.here, text(&third, "regretted")).await.unwrap();
    let redact = |sender: &UserId, id: &ruma::EventId| crate::Draft {
        redacts: Some(id.to_owned()),
        ..crate::Draft::message(sender, "m.room.redaction".into(), raw(&json!({})))
    };
    let regret = redact(&third, regretted.event_id());
    let regret = a.did(&story.here, regret).await.unwrap();
    let late = a.did(&story.here, text(&third, "late")).await.unwrap();
    for event in [&said, &answer, &regretted] {
        assert_eq!(story.hear(event).await, Accepted::Live);
    }
    // What Mallory redacts: one that is known, and one that comes later.
    let takes = async |id: &ruma::EventId| {
        let template = Template {
            room_id: Some(story.here.id.clone()),
            sender: mallory.clone(),
            kind: TimelineEventType::RoomRedaction,
            state_key: None,
            content: raw(&json!({})),
            redacts: Some(id.to_owned()),
            prev_events: vec![story.join.event_id().to_owned()],
            auth_events: auth.clone(),
            depth: 100,
            origin_server_ts: m.now(),
        };
        let made = orvale_events::build(template, &story.here.rules, &m.inner.key);
        let (pdu, json) = made.unwrap();
        let pdu = Arc::new(pdu);
        let accepted = b.accept(&story.there, Arrival { pdu, json }).await.unwrap();
        assert_eq!(accepted, Accepted::Live);
    };
    for event in [&answer, &late, &regretted] {
        takes(event.event_id()).await;
    }
    assert_eq!(story.hear(&regret).await, Accepted::Live);
    assert_eq!(story.hear(&late).await, Accepted::Live);
    let body = |event: &StoredEvent| {
        let known = b.find_event(event.event_id()).unwrap().unwrap();
        known.pdu.content_field::<String>("body")
    };
    for event in [&answer, &late, &regretted] {
        assert_eq!(body(event), None, "it is shown to nobody");
    }
    well(b);

    story.made_whole().await;
    story.agree();
    assert_eq!(body(&answer).as_deref(), Some("answer"));
    assert_eq!(body(&late).as_deref(), Some("late"));
    assert_eq!(body(&regretted), None, "who wrote it redacted it, too");
    let known = b.find_event(regretted.event_id()).unwrap().unwrap();
    let because = String::from_utf8_lossy(&known.record.unsigned).into_owned();
    assert!(because.contains(third.as_str()), "{because}");
    let left = b
        .store()
        .prefix(&PARTIAL_REDACTED, (story.there.number,), 10);
    assert_eq!(left.unwrap(), [], "nothing is kept aside any more");
    // As another process reads it.
    let next = again(b);
    let known = next.find_event(answer.event_id()).unwrap().unwrap();
    assert_eq!(known.record.pdu, answer.record.pdu);
    well(&next);
}

#[tokio::test]
async fn one_of_ours_who_turns_out_to_be_banned_is_out_and_told() {
    let carol = "@carol:b.test";
    let story = Story::after(RoomVersionId::V12, json!({}), async |a, _, here| {
        let (alice, carol) = (person("alice", a), UserId::parse(carol).unwrap());
        a.did(here, member(&alice, &carol, "ban")).await.unwrap();
    })
    .await;
    let b = &story.b;
    let carol = person("carol", b);
    b.join(&carol, &story.there, None).await.unwrap();
    let stands = || b.find_membership(&story.there, &carol).unwrap().unwrap();
    assert_eq!(stands().membership, Membership::Join);
    story.made_whole().await;
    story.agree();
    assert_eq!(stands().membership, Membership::Ban);
    let at = b.whole_since(story.there.number).unwrap();
    let told = b.store().log(at, 10).unwrap();
    let is_told =
        |entry: &Entry| matches!(entry, Entry::Membership { user_id, .. } if *user_id == carol);
    assert!(told.iter().any(|(_, entry)| is_told(entry)), "{told:?}");
}

#[tokio::test]
async fn an_invite_of_before_is_accepted_or_turned_down_once_all_are_known() {
    let mut invites = Vec::new();
    let people = ["@zoe:b.test", "@yan:b.test"];
    let story = Story::after(RoomVersionId::V11, json!({}), async |a, _, here| {
        let alice = person("alice", a);
        for user in people {
            let user = UserId::parse(user).unwrap();
            let invite = a.did(here, member(&alice, &user, "invite")).await.unwrap();
            invites.push((user, invite));
        }
    })
    .await;
    let b = &story.b;
    let [(zoe, _), (yan, _)] = &invites[..] else {
        panic!("two were invited");
    };
    story.note(&invites).await;
    let impatient = b.await_standing(zoe, &story.there);
    let impatient = tokio::time::timeout(std::time::Duration::from_millis(50), impatient);
    assert!(impatient.await.is_err(), "it cannot be said yet");
    let (came, left, ()) = tokio::join!(
        b.join(zoe, &story.there, None),
        b.leave(yan, &story.there, None),
        story.made_whole()
    );
    came.unwrap();
    left.unwrap();
    let stands = |user: &UserId| b.find_membership(&story.there, user).unwrap().unwrap();
    assert_eq!(stands(zoe).membership, Membership::Join);
    assert_eq!(stands(yan).membership, Membership::Leave);
    well(b);
    story.tell().await;
    story.agree();
}

#[tokio::test]
async fn a_knock_of_before_stays_or_is_taken_back_once_all_are_known() {
    let mut knocks = Vec::new();
    let story = Story::after(RoomVersionId::V11, json!({}), async |a, b, here| {
        let alice = person("alice", a);
        let rule = |rule: &str| {
            let content = json!({ "join_rule": rule });
            state(&alice, "m.room.join_rules", "", &content)
        };
        a.did(here, rule("knock")).await.unwrap();
        for name in ["zoe", "yan", "xia"] {
            let user = person(name, b);
            let template = a.member_template(here, &user, Membership::Knock).unwrap();
            let knock = b.sign_template(&here.rules, &template).unwrap();
            a.accept(here, knock.clone()).await.unwrap();
            knocks.push((user, a.find_event(&knock.pdu.event_id).unwrap().unwrap()));
        }
        a.did(here, rule("public")).await.unwrap();
    })
    .await;
    let (b, there) = (&story.b, &story.there);
    let [(zoe, _), (yan, _), (xia, _)] = &knocks[..] else {
        panic!("three knocked");
    };
    story.note(&knocks).await;
    let impatient = b.knock(zoe, there, None);
    let impatient = tokio::time::timeout(std::time::Duration::from_millis(50), impatient);
    assert!(impatient.await.is_err(), "it cannot be said yet");
    let (again, left, came, ()) = tokio::join!(
        b.knock(zoe, there, None),
        b.leave(yan, there, None),
        b.join(xia, there, None),
        story.made_whole()
    );
    again.unwrap();
    left.unwrap();
    came.unwrap();
    let stands = |user: &UserId| b.find_membership(there, user).unwrap().unwrap();
    assert_eq!(stands(zoe).membership, Membership::Knock);
    assert_eq!(stands(yan).membership, Membership::Leave);
    assert_eq!(stands(xia).membership, Membership::Join);
    well(b);
    story.tell().await;
    story.agree();
}

#[tokio::test]
async fn who_lets_somebody_in_may_be_among_those_left_out() {
    let bob = UserId::parse("@bob:b.test").unwrap();
    let story = Story::after(RoomVersionId::V11, json!({}), async |a, _, here| {
        let alice = person("alice", a);
        let other = a.public_room(RoomVersionId::V11).await;
        let _ = come_in(a, &server("b.test"), &other, &bob).await;
        let rules = json!({ "join_rule": "restricted",
            "allow": [{ "type": "m.room_membership", "room_id": other.id }] });
        let rules = state(&alice, "m.room.join_rules", "", &rules);
        a.did(here, rules).await.unwrap();
    })
    .await;
    let by = story
        .join
        .pdu
        .content_field::<String>("join_authorised_via_users_server");
    let alice = person("alice", &story.a);
    assert_eq!(by.as_deref(), Some(alice.as_str()));
    let stands = story.b.find_membership(&story.there, &alice).unwrap();
    assert_eq!(stands.unwrap().membership, Membership::Join);
    story.made_whole().await;
    story.agree();
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
