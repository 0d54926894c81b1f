//! Tests of rooms that several servers share: each story is told to real servers, which are given each other's events in any
//! order.

use std::{collections::BTreeMap, sync::Arc};

use orvale_storage::trees::rooms::Membership;
use proptest::prelude::*;
use ruma::{OwnedEventId, OwnedUserId, RoomVersionId, UserId, events::TimelineEventType};
use serde_json::{Value, json};

use super::{Accepted, Arrival, Entrance, accept::AT_ONCE};
use crate::{
    Draft, Order, Room, Rooms, StoredEvent,
    testing::{again, member, raw, server, state, text},
};

pub(crate) fn person(name: &str, server: &Rooms) -> OwnedUserId {
    UserId::parse(format!("@{name}:{}", server.server_name())).unwrap()
}

/// An event as another server gets it.
pub(crate) fn sent(event: &StoredEvent) -> Arrival {
    Arrival {
        pdu: event.pdu.clone(),
        json: event.record.pdu.to_vec(),
    }
}

/// Has a user of `to` come into a room of `from`.
pub(crate) async fn come_in(from: &Rooms, to: &Rooms, room: &Room, user: &UserId) -> Arc<Room> {
    let there = to.find_or_note(&room.id, &room.version).await.unwrap();
    let entrance = entrance(from, to, room, user).await;
    to.enter(&there, entrance).await.unwrap();
    there
}

/// What a server gives another of a room whose user it lets in.
pub(crate) async fn entrance(from: &Rooms, to: &Rooms, room: &Room, user: &UserId) -> Entrance {
    let here = from.get(&room.id).unwrap();
    let template = from.member_template(&here, user, Membership::Join).unwrap();
    let join = to.sign_template(&here.rules, &template).unwrap();
    assert_eq!(
        from.accept(&here, join.clone()).await.unwrap(),
        Accepted::Live
    );
    let joined = from.find_event(&join.pdu.event_id).unwrap().unwrap();
    let state = from.list_state_at(joined.state_before()).unwrap();
    let ids = state.iter().map(|event| event.event_id().to_owned());
    let chain = from.auth_chain(&here, ids.collect()).unwrap();
    Entrance {
        event: join,
        state: state.iter().map(|event| sent(event)).collect(),
        auth_chain: chain.iter().map(|event| sent(event)).collect(),
        partial: None,
    }
}

pub(crate) fn timeline(rooms: &Rooms, room: &Room) -> Vec<Arc<StoredEvent>> {
    let events = rooms.list_forwards(room, Order::START, Order::END, 10_000);
    events
        .unwrap()
        .into_iter()
        .map(|(_, event)| event)
        .collect()
}

/// The state as type, key → event.
pub(crate) fn named(rooms: &Rooms, room: &Room) -> BTreeMap<(String, String), OwnedEventId> {
    let state = rooms.list_state(room).unwrap();
    let named = state.iter().map(|event| {
        let key = event.pdu.state_key.clone().unwrap();
        let kind = event.pdu.kind.to_string();
        ((kind, key), event.event_id().to_owned())
    });
    named.collect()
}

/// Gives `to` everything that `from` has, as far as its past is known; in the order of `from`, or backwards, again and again.
async fn tell(from: &Rooms, to: &Rooms, room: &Room, backwards: bool) {
    let (here, there) = (from.get(&room.id).unwrap(), to.get(&room.id).unwrap());
    let mut left = timeline(from, &here);
    if backwards {
        left.reverse();
    }
    for _ in 0..left.len() {
        let mut still = Vec::new();
        for event in left {
            if let Accepted::Missing(_) = to.accept(&there, sent(&event)).await.unwrap() {
                still.push(event);
            }
        }
        left = still;
        if left.is_empty() {
            break;
        }
    }
}

pub(crate) fn well(rooms: &Rooms) {
    assert_eq!(rooms.check().unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn a_user_of_another_server_comes_in_and_both_talk() {
    for version in [
        RoomVersionId::V6,
        RoomVersionId::V10,
        RoomVersionId::V11,
        RoomVersionId::V12,
    ] {
        let (a, b) = (server("a.test"), server("b.test"));
        let (alice, bob) = (person("alice", &a), person("bob", &b));
        let here = a.public_room(version).await;
        a.did(&here, text(&alice, "before")).await.unwrap();
        let there = come_in(&a, &b, &here, &bob).await;
        let hello = b.did(&there, text(&bob, "hello")).await.unwrap();
        assert_eq!(a.accept(&here, sent(&hello)).await.unwrap(), Accepted::Live);
        assert_eq!(
            a.accept(&here, sent(&hello)).await.unwrap(),
            Accepted::Known
        );
        let answer = a.did(&here, text(&alice, "hello bob")).await.unwrap();
        assert_eq!(answer.pdu.prev_events, [hello.event_id().to_owned()]);
        assert_eq!(
            b.accept(&there, sent(&answer)).await.unwrap(),
            Accepted::Live
        );
        assert_eq!(named(&a, &here), named(&b, &there));
        for (rooms, room) in [(&a, &here), (&b, &there)] {
            assert_eq!(rooms.count_joined(room.number).unwrap(), 2);
            let stands = rooms.find_membership(room, &bob).unwrap().unwrap();
            assert_eq!(stands.membership, Membership::Join);
            well(rooms);
        }
        assert_eq!(
            timeline(&b, &there).len(),
            3,
            "what came before is not here"
        );
    }
}

#[tokio::test]
async fn a_ban_on_one_fork_wins_over_what_the_banned_does_on_another() {
    for version in [RoomVersionId::V10, RoomVersionId::V12] {
        let (a, b) = (server("a.test"), server("b.test"));
        let (alice, bob) = (person("alice", &a), person("bob", &b));
        let here = a.public_room_with(version, json!({bob.as_str(): 50})).await;
        let there = come_in(&a, &b, &here, &bob).await;
        // Neither knows of the other's.
        let ban = a.did(&here, member(&alice, &bob, "ban")).await.unwrap();
        let topic = state(&bob, "m.room.topic", "", &json!({"topic": "mine"}));
        let topic = b.did(&there, topic).await.unwrap();
        let late = b.did(&there, text(&bob, "I am still here")).await.unwrap();
        for event in [&topic, &late] {
            let accepted = a.accept(&here, sent(event)).await.unwrap();
            assert!(matches!(accepted, Accepted::SoftFailed(_)), "{accepted:?}");
        }
        assert_eq!(b.accept(&there, sent(&ban)).await.unwrap(), Accepted::Live);
        let stands = b.find_membership(&there, &bob).unwrap().unwrap();
        assert_eq!(stands.membership, Membership::Ban);
        assert!(b.append_one(&there, text(&bob, "no more")).await.is_err());
        let shown: Vec<_> = timeline(&a, &here)
            .iter()
            .map(|event| event.event_id().to_owned())
            .collect();
        assert!(!shown.contains(&late.event_id().to_owned()));
        well(&a);
        well(&b);
    }
}

#[tokio::test]
async fn who_is_undone_by_another_fork_is_out_from_that_event_on() {
    let (a, b) = (server("a.test"), server("b.test"));
    let (alice, bob, carol) = (person("alice", &a), person("bob", &b), person("carol", &b));
    let levels = json!({bob.as_str(): 50});
    let here = a.public_room_with(RoomVersionId::V10, levels).await;
    let there = come_in(&a, &b, &here, &bob).await;
    let private = json!({"join_rule": "invite"});
    let closed = state(&alice, "m.room.join_rules", "", &private);
    let closed = a.did(&here, closed).await.unwrap();
    b.did(&there, member(&carol, &carol, "join")).await.unwrap();
    assert_eq!(
        b.accept(&there, sent(&closed)).await.unwrap(),
        Accepted::Live
    );
    // The join was allowed by rules that had been changed, for all the others.
    let stands = b.find_membership(&there, &carol).unwrap().unwrap();
    let joined_still =
        named(&b, &there).contains_key(&("m.room.member".to_owned(), carol.to_string()));
    assert_eq!(stands.membership == Membership::Join, joined_still);
    if !joined_still {
        let closed = b.find_event(closed.event_id()).unwrap().unwrap();
        assert_eq!(stands.membership, Membership::Leave);
        assert_eq!(stands.at(), closed.position);
        let told = b.list_new_memberships(&closed).unwrap();
        assert!(told.iter().any(|(user, _)| *user == carol));
    }
    well(&b);
}

#[tokio::test]
async fn an_event_that_stands_on_a_rejected_one_is_rejected_and_an_unknown_past_is_named() {
    let (a, b) = (server("a.test"), server("b.test"));
    let (alice, bob) = (person("alice", &a), person("bob", &b));
    let here = a.public_room(RoomVersionId::V11).await;
    let there = come_in(&a, &b, &here, &bob).await;
    // Of a server that does not keep the rules: bob gives himself power, and names that as what allows him to use it.
    let forge = |kind: &str,
                 key: Option<&str>,
                 content: Value,
                 auth: Vec<OwnedEventId>,
                 prev: Vec<OwnedEventId>| {
        let template = orvale_events::Template {
            room_id: Some(here.id.clone()),
            sender: bob.clone(),
            kind: TimelineEventType::from(kind),
            state_key: key.map(str::to_owned),
            content: raw(&content),
            redacts: None,
            prev_events: prev,
            auth_events: auth,
            depth: 20,
            origin_server_ts: b.now(),
        };
        let (pdu, json) = orvale_events::build(template, &here.rules, &b.inner.key).unwrap();
        Arrival {
            pdu: Arc::new(pdu),
            json,
        }
    };
    let state = named(&a, &here);
    let of = |kind: &str, key: &str| state[&(kind.to_owned(), key.to_owned())].clone();
    let create = of("m.room.create", "");
    let joined = of("m.room.member", bob.as_str());
    let levels = of("m.room.power_levels", "");
    let grab = forge(
        "m.room.power_levels",
        Some(""),
        json!({"users": {bob.as_str(): 100}}),
        vec![create.clone(), joined.clone(), levels],
        vec![joined.clone()],
    );
    let accepted = a.accept(&here, grab.clone()).await.unwrap();
    assert!(matches!(accepted, Accepted::Rejected(_)), "{accepted:?}");
    let use_it = forge(
        "m.room.topic",
        Some(""),
        json!({"topic": "mine"}),
        vec![create.clone(), joined.clone(), grab.pdu.event_id.clone()],
        vec![grab.pdu.event_id.clone()],
    );
    let accepted = a.accept(&here, use_it).await.unwrap();
    assert!(matches!(accepted, Accepted::Rejected(_)), "{accepted:?}");
    let harmless = forge(
        "m.room.message",
        None,
        json!({"body": "on top of it"}),
        vec![
            create.clone(),
            joined.clone(),
            of("m.room.power_levels", ""),
        ],
        vec![grab.pdu.event_id.clone()],
    );
    let accepted = a.accept(&here, harmless.clone()).await.unwrap();
    assert_eq!(
        accepted,
        Accepted::Live,
        "a rejected event changes nothing for others"
    );
    let unknown = OwnedEventId::try_from("$unknown").unwrap();
    let lost = forge(
        "m.room.message",
        None,
        json!({"body": "after nothing"}),
        vec![create, joined],
        vec![unknown.clone()],
    );
    let Accepted::Missing(missing) = a.accept(&here, lost).await.unwrap() else {
        panic!("nothing is missing");
    };
    assert_eq!(missing.prev_events, [unknown]);
    let next = a.did(&here, text(&alice, "and on")).await.unwrap();
    assert!(next.pdu.prev_events.contains(&harmless.pdu.event_id));
    well(&a);
    let _ = there;
}

#[tokio::test]
async fn a_redaction_that_comes_before_its_event_is_kept_for_it() {
    let (a, b) = (server("a.test"), server("b.test"));
    let bob = person("bob", &b);
    let here = a.public_room(RoomVersionId::V12).await;
    let there = come_in(&a, &b, &here, &bob).await;
    let secret = b.did(&there, text(&bob, "secret")).await.unwrap();
    let redaction = beside(&b, &there, &secret, redacting(&bob, &secret));
    let plain = {
        // As it was sent.
        sent(&secret)
    };
    assert_eq!(a.accept(&here, redaction).await.unwrap(), Accepted::Live);
    assert_eq!(a.accept(&here, plain).await.unwrap(), Accepted::Live);
    let kept = a.find_event(secret.event_id()).unwrap().unwrap();
    assert!(kept.is_redacted());
    assert!(!String::from_utf8_lossy(&kept.record.pdu).contains("secret"));
    well(&a);
}

/// A redaction.
fn redacting(by: &UserId, target: &StoredEvent) -> Draft {
    Draft {
        redacts: Some(target.event_id().to_owned()),
        ..Draft::message(by, TimelineEventType::RoomRedaction, raw(&json!({})))
    }
}

/// An event on a fork of its own, so that it can come before another.
fn beside(rooms: &Rooms, room: &Room, other: &StoredEvent, draft: Draft) -> Arrival {
    let template = orvale_events::Template {
        room_id: Some(room.id.clone()),
        sender: draft.sender,
        kind: draft.kind,
        state_key: None,
        content: draft.content,
        redacts: draft.redacts,
        prev_events: other.pdu.prev_events.clone(),
        auth_events: other.pdu.auth_events.clone(),
        depth: other.pdu.depth,
        origin_server_ts: rooms.now(),
    };
    let (pdu, json) = orvale_events::build(template, &room.rules, &rooms.inner.key).unwrap();
    Arrival {
        pdu: Arc::new(pdu),
        json,
    }
}

/// Bob of `b` in a room of `a`.
async fn shared(a: &Rooms, b: &Rooms) -> (OwnedUserId, Arc<Room>, Arc<Room>) {
    let bob = person("bob", b);
    let here = a.public_room(RoomVersionId::V12).await;
    let there = come_in(a, b, &here, &bob).await;
    (bob, here, there)
}

#[tokio::test]
async fn events_that_came_together_are_taken_in_by_one_batch() {
    let (a, b) = (server("a.test"), server("b.test"));
    let (bob, here, there) = shared(&a, &b).await;
    let mut came = Vec::new();
    for n in 0..AT_ONCE + 2 {
        came.push(sent(
            &b.did(&there, text(&bob, &n.to_string())).await.unwrap(),
        ));
    }
    let before = a.store().visible();
    let (accepted, pending) = a.begin(&here, &came).await.unwrap();
    assert_eq!(accepted, vec![Accepted::Live; AT_ONCE]);
    pending.unwrap().await.unwrap();
    assert_eq!(a.store().visible().0, before.0 + AT_ONCE as u64);
    // Some are known already; then there is one that stands on what is not here, and what follows it has to wait.
    let lost = b.did(&there, text(&bob, "lost")).await.unwrap();
    for body in ["after", "it"] {
        came.push(sent(&b.did(&there, text(&bob, body)).await.unwrap()));
    }
    let left = &came[AT_ONCE - 1..];
    let (accepted, pending) = a.begin(&here, left).await.unwrap();
    let [
        Accepted::Known,
        Accepted::Live,
        Accepted::Live,
        Accepted::Missing(missing),
    ] = &accepted[..]
    else {
        panic!("{accepted:?}");
    };
    assert_eq!(missing.prev_events, [lost.event_id().to_owned()]);
    pending.unwrap().await.unwrap();
    assert_eq!(timeline(&a, &here).len(), 5 + AT_ONCE + 2);
    well(&a);
}

#[tokio::test]
async fn what_came_together_counts_for_each_other() {
    for redaction_first in [true, false] {
        let (a, b) = (server("a.test"), server("b.test"));
        let (bob, here, there) = shared(&a, &b).await;
        let secret = b.did(&there, text(&bob, "secret")).await.unwrap();
        let redaction = beside(&b, &there, &secret, redacting(&bob, &secret));
        let content =
            json!({"m.relates_to": {"rel_type": "m.reference", "event_id": secret.event_id()}});
        let reference = Draft::message(&bob, "org.example".into(), raw(&content));
        let reference = beside(&b, &there, &secret, reference);
        let mut came = vec![sent(&secret), redaction, reference];
        if redaction_first {
            came.reverse();
        }
        let (accepted, pending) = a.begin(&here, &came).await.unwrap();
        assert_eq!(accepted, vec![Accepted::Live; 3]);
        pending.unwrap().await.unwrap();
        let kept = a.find_event(secret.event_id()).unwrap().unwrap();
        assert!(a.inner.relations.may_have(kept.position));
        // In the store as well.
        for rooms in [&a, &again(&a)] {
            let kept = rooms.find_event(secret.event_id()).unwrap().unwrap();
            assert!(kept.is_redacted());
            assert!(!String::from_utf8_lossy(&kept.record.pdu).contains("secret"));
        }
        well(&a);
    }
}

/// What somebody does in a random story.
#[derive(Debug, Clone)]
enum Deed {
    Talk(usize),
    State(usize, u8),
    Level(usize, usize, i64),
    Member(usize, usize, &'static str),
    JoinRule(usize, &'static str),
    /// One server gets to know what another has.
    Tell(usize, usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = 0..6_usize;
    prop_oneof![
        3 => who.clone().prop_map(Deed::Talk),
        3 => (who.clone(), 0..3_u8).prop_map(|(who, key)| Deed::State(who, key)),
        2 => (who.clone(), who.clone(), prop::sample::select(vec![0, 50, 100])).prop_map(|(by, of, level)| Deed::Level(by, of, level)),
        4 => (who.clone(), who.clone(), prop::sample::select(vec!["join", "leave", "ban", "invite"])).prop_map(|(by, of, to)| Deed::Member(by, of, to)),
        1 => (who, prop::sample::select(vec!["public", "invite"])).prop_map(|(by, rule)| Deed::JoinRule(by, rule)),
        4 => (0..3_usize, 0..3_usize).prop_map(|(from, to)| Deed::Tell(from, to)),
    ]
}

/// Three servers with two people each do what they like, and get to know of each other's deeds now and then.
async fn play(version: RoomVersionId, deeds: Vec<Deed>, backwards: bool) {
    let servers = [server("a.test"), server("b.test"), server("c.test")];
    let people: Vec<OwnedUserId> = (0..6)
        .map(|n| match n {
            0 => person("alice", &servers[0]),
            n => person(&format!("p{n}"), &servers[n % 3]),
        })
        .collect();
    let levels = json!({people[1].as_str(): 100, people[2].as_str(): 50, people[3].as_str(): 50});
    let room = servers[0].public_room_with(version, levels).await;
    for n in 1..3 {
        come_in(&servers[0], &servers[n], &room, &people[n]).await;
    }
    for n in 1..3 {
        tell(&servers[0], &servers[n], &room, false).await;
    }
    for deed in deeds {
        let (by, draft) = match deed {
            Deed::Tell(from, to) if from != to => {
                tell(&servers[from], &servers[to], &room, backwards).await;
                continue;
            }
            Deed::Tell(..) => continue,
            Deed::Talk(by) => (by, text(&people[by], "…")),
            Deed::State(by, key) => {
                let content = json!({"by": by, "at": servers[by % 3].now()});
                (
                    by,
                    state(&people[by], "org.example", &key.to_string(), &content),
                )
            }
            Deed::Level(by, of, level) => {
                let here = servers[by % 3].get(&room.id).unwrap();
                let now = servers[by % 3]
                    .find_state(&here, &"m.room.power_levels".into(), "")
                    .unwrap()
                    .unwrap();
                let mut content: Value = now.pdu.content_as().unwrap();
                content["users"][people[of].as_str()] = json!(level);
                (by, state(&people[by], "m.room.power_levels", "", &content))
            }
            Deed::Member(by, of, to) => (by, member(&people[by], &people[of], to)),
            Deed::JoinRule(by, rule) => {
                let content = json!({"join_rule": rule});
                (by, state(&people[by], "m.room.join_rules", "", &content))
            }
        };
        let rooms = &servers[by % 3];
        let here = rooms.get(&room.id).unwrap();
        // What the room does not let them do does not happen.
        let _ = rooms.append_one(&here, draft).await;
    }
    // In the end everybody knows everything, and it is the same.
    for _ in 0..3 {
        for from in 0..3 {
            for to in 0..3 {
                if from != to {
                    tell(&servers[from], &servers[to], &room, backwards).await;
                }
            }
        }
    }
    for rooms in &servers {
        well(rooms);
    }
    let heads: Vec<_> = servers
        .iter()
        .map(|rooms| {
            let here = rooms.get(&room.id).unwrap();
            let mut extremities = here.lock().extremities.clone();
            extremities.sort();
            (extremities, named(rooms, &here))
        })
        .collect();
    // Soft failure is of each server's own, and what follows it with it; where all have the same ends, they have the same state.
    for pair in heads.windows(2) {
        if pair[0].0 == pair[1].0 {
            assert_eq!(pair[0].1, pair[1].1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn servers_that_know_the_same_forks_have_the_same_state(
        version in prop::sample::select(vec![RoomVersionId::V6, RoomVersionId::V10, RoomVersionId::V12]),
        deeds in prop::collection::vec(deed(), 1..40),
        backwards in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(play(version, deeds, backwards));
    }
}
