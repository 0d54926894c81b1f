//! Tests of the one way in.

use std::sync::Arc;

use orvale_storage::trees::rooms::Membership;
use ruma::{
    MilliSecondsSinceUnixEpoch, RoomVersionId, events::StateEventType, events::TimelineEventType,
    uint,
};
use serde_json::json;

use crate::{
    Draft, Error, Order, Request,
    testing::{member, raw, rooms, rooms_at, state, text, user},
};

const VERSIONS: [RoomVersionId; 7] = [
    RoomVersionId::V6,
    RoomVersionId::V7,
    RoomVersionId::V8,
    RoomVersionId::V9,
    RoomVersionId::V10,
    RoomVersionId::V11,
    RoomVersionId::V12,
];

#[tokio::test]
async fn a_room_of_every_version_takes_members_and_messages() {
    for version in VERSIONS {
        let (rooms, bob) = (rooms(), user("bob"));
        let room = rooms.public_room(version.clone()).await;
        rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
        let hello = rooms.did(&room, text(&bob, "hello")).await.unwrap();
        assert_eq!(hello.json()["content"]["body"], "hello", "{version}");
        assert_eq!(
            rooms
                .list_backwards(&room, Order::END, Order::START, 99)
                .unwrap()
                .len(),
            6
        );
        assert_eq!(room.lock().joined, 2);
        assert_eq!(
            rooms
                .find_membership(&room, &bob)
                .unwrap()
                .unwrap()
                .membership,
            Membership::Join
        );
    }
}

#[tokio::test]
async fn alike_rooms_made_in_one_millisecond_are_two() {
    let rooms = rooms_at(Arc::new(|| MilliSecondsSinceUnixEpoch(uint!(1_000_000))));
    let first = rooms.public_room(RoomVersionId::V12).await;
    let second = rooms.public_room(RoomVersionId::V12).await;
    assert_ne!(first.id, second.id);
    assert_eq!(rooms.get(&first.id).unwrap().number, first.number);
}

#[tokio::test]
async fn a_stranger_cannot_send() {
    let rooms = rooms();
    let room = rooms.public_room(RoomVersionId::V12).await;
    let refused = rooms.append_one(&room, text(&user("mallory"), "hi")).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert_eq!(
        rooms
            .list_backwards(&room, Order::END, Order::START, 99)
            .unwrap()
            .len(),
        4
    );
}

#[tokio::test]
async fn banned_user_cannot_rejoin() {
    let (rooms, alice, bob) = (rooms(), user("alice"), user("bob"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
    rooms.did(&room, member(&alice, &bob, "ban")).await.unwrap();
    assert!(matches!(
        rooms.append_one(&room, member(&bob, &bob, "join")).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        rooms.append_one(&room, text(&bob, "still here")).await,
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn one_refused_draft_refuses_all() {
    let (rooms, alice) = (rooms(), user("alice"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    let drafts = vec![text(&alice, "one"), text(&user("mallory"), "two")];
    assert!(rooms.append(&room, |_| Ok(drafts)).await.is_err());
    assert_eq!(
        rooms
            .list_backwards(&room, Order::END, Order::START, 99)
            .unwrap()
            .len(),
        4
    );
    let after = rooms.did(&room, text(&alice, "three")).await.unwrap();
    assert_eq!(after.pdu.depth, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_sends_make_a_line() {
    let (rooms, alice) = (rooms(), user("alice"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    let sends: Vec<_> = (0..100)
        .map(|n| {
            let (rooms, room, draft) = (rooms.clone(), room.clone(), text(&alice, &n.to_string()));
            tokio::spawn(async move { rooms.append_one(&room, draft).await.unwrap() })
        })
        .collect();
    for send in sends {
        send.await.unwrap();
    }
    let line = rooms
        .list_forwards(&room, Order::START, Order::END, 999)
        .unwrap();
    assert_eq!(line.len(), 104);
    for pair in line.windows(2) {
        let (before, after) = (&pair[0].1, &pair[1].1);
        assert_eq!(after.pdu.prev_events, [before.event_id().to_owned()]);
        assert_eq!(after.pdu.depth, before.pdu.depth + 1);
        assert_eq!(after.state_before(), before.state_after());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_made_twice_at_once_makes_one_event() {
    let (rooms, alice) = (rooms(), user("alice"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    let request = Request {
        device_id: "D".to_owned(),
        transaction_id: "1".to_owned(),
        scope: "send".to_owned(),
    };
    let sends: Vec<_> = (0..8)
        .map(|_| {
            let draft = Draft {
                request: Some(request.clone()),
                ..text(&alice, "once")
            };
            let (rooms, room) = (rooms.clone(), room.clone());
            tokio::spawn(async move { rooms.append_one(&room, draft).await.unwrap().event_id })
        })
        .collect();
    let mut ids = Vec::new();
    for send in sends {
        ids.push(send.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        rooms
            .list_backwards(&room, Order::END, Order::START, 99)
            .unwrap()
            .len(),
        5
    );
    let other = Request {
        device_id: "E".to_owned(),
        ..request
    };
    let other = rooms
        .append_one(
            &room,
            Draft {
                request: Some(other),
                ..text(&alice, "once")
            },
        )
        .await
        .unwrap();
    assert!(
        !other.existed && other.event_id != ids[0],
        "the ID of another device is another one"
    );
}

#[tokio::test]
async fn setting_a_state_to_what_it_is_makes_no_event() {
    let (rooms, alice) = (rooms(), user("alice"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    let topic = |topic: &str| state(&alice, "m.room.topic", "", &json!({"topic": topic}));
    let first = rooms.append_one(&room, topic("a")).await.unwrap();
    let again = rooms.append_one(&room, topic("a")).await.unwrap();
    assert_eq!((again.existed, &again.event_id), (true, &first.event_id));
    let other = rooms.did(&room, topic("b")).await.unwrap();
    assert_eq!(other.json()["unsigned"]["prev_content"]["topic"], "a");
    assert_eq!(
        other.json()["unsigned"]["replaces_state"],
        first.event_id.as_str()
    );
}

#[tokio::test]
async fn a_redaction_takes_the_content_away_everywhere() {
    for version in VERSIONS {
        let (rooms, alice, bob) = (rooms(), user("alice"), user("bob"));
        let room = rooms.public_room(version.clone()).await;
        rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
        let secret = rooms.did(&room, text(&alice, "secret")).await.unwrap();
        let redact = |by| Draft {
            redacts: Some(secret.event_id().to_owned()),
            ..Draft::message(
                by,
                TimelineEventType::RoomRedaction,
                raw(&json!({"reason": "oops"})),
            )
        };
        assert!(
            matches!(
                rooms.append_one(&room, redact(&bob)).await,
                Err(Error::Forbidden(_))
            ),
            "{version}"
        );
        let redaction = rooms.did(&room, redact(&alice)).await.unwrap();
        assert_eq!(
            redaction.json()["redacts"],
            secret.event_id().as_str(),
            "{version}"
        );
        assert_eq!(
            redaction.json()["content"]["redacts"],
            secret.event_id().as_str(),
            "{version}"
        );
        let redacted = rooms.find_event(secret.event_id()).unwrap().unwrap();
        assert_eq!(redacted.json()["content"], json!({}));
        assert_eq!(
            redacted.json()["unsigned"]["redacted_because"]["event_id"],
            redaction.event_id().as_str()
        );
        assert!(!String::from_utf8_lossy(&redacted.record.pdu).contains("secret"));
    }
}

#[tokio::test]
async fn a_redacted_state_is_not_shown_by_what_replaced_it() {
    let (rooms, alice) = (rooms(), user("alice"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    let topic = |topic: &str| state(&alice, "m.room.topic", "", &json!({"topic": topic}));
    let first = rooms.did(&room, topic("secret")).await.unwrap();
    let second = rooms.did(&room, topic("harmless")).await.unwrap();
    let redact = Draft {
        redacts: Some(first.event_id().to_owned()),
        ..Draft::message(&alice, TimelineEventType::RoomRedaction, raw(&json!({})))
    };
    rooms.did(&room, redact).await.unwrap();
    let second = rooms.find_event(second.event_id()).unwrap().unwrap();
    assert_eq!(second.json()["unsigned"]["prev_content"], json!({}));
}

#[tokio::test]
async fn events_of_other_rooms_cannot_be_redacted_from_here() {
    let (rooms, alice) = (rooms(), user("alice"));
    let (here, there) = (
        rooms.public_room(RoomVersionId::V11).await,
        rooms.public_room(RoomVersionId::V11).await,
    );
    let message = rooms.did(&there, text(&alice, "mine")).await.unwrap();
    let redact = Draft {
        redacts: Some(message.event_id().to_owned()),
        ..Draft::message(&alice, TimelineEventType::RoomRedaction, raw(&json!({})))
    };
    assert!(matches!(
        rooms.append_one(&here, redact).await,
        Err(Error::UnknownEvent(_))
    ));
}

#[tokio::test]
async fn who_joins_sees_shared_history_and_who_left_sees_none_after() {
    let (rooms, alice, bob, carol) = (rooms(), user("alice"), user("bob"), user("carol"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    let early = rooms.did(&room, text(&alice, "early")).await.unwrap();
    assert!(!rooms.may_see(&bob, &early).unwrap());
    rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
    assert!(rooms.may_see(&bob, &early).unwrap());
    rooms.did(&room, member(&bob, &bob, "leave")).await.unwrap();
    let late = rooms.did(&room, text(&alice, "late")).await.unwrap();
    assert!(rooms.may_see(&bob, &early).unwrap() && !rooms.may_see(&bob, &late).unwrap());
    rooms
        .did(&room, member(&alice, &bob, "invite"))
        .await
        .unwrap();
    rooms.did(&room, member(&bob, &bob, "leave")).await.unwrap();
    assert!(
        !rooms.may_see(&bob, &late).unwrap(),
        "a refused invite opens nothing"
    );
    let joined_only = state(
        &alice,
        "m.room.history_visibility",
        "",
        &json!({"history_visibility": "joined"}),
    );
    rooms.did(&room, joined_only).await.unwrap();
    let private = rooms.did(&room, text(&alice, "private")).await.unwrap();
    rooms
        .did(&room, member(&carol, &carol, "join"))
        .await
        .unwrap();
    assert!(!rooms.may_see(&carol, &private).unwrap() && rooms.may_see(&carol, &late).unwrap());
}

#[tokio::test]
async fn a_room_of_many_members_is_not_slower_to_write_to() {
    let (rooms, alice) = (rooms(), user("alice"));
    let room = rooms.public_room(RoomVersionId::V12).await;
    for n in 0..300 {
        let user = user(&format!("u{n}"));
        rooms
            .append_one(&room, member(&user, &user, "join"))
            .await
            .unwrap();
    }
    let message = rooms.did(&room, text(&alice, "hi")).await.unwrap();
    assert_eq!(message.state_before(), message.state_after());
    assert_eq!(
        rooms.list_state_at(message.state_after()).unwrap().len(),
        304
    );
    assert_eq!(rooms.list_state(&room).unwrap().len(), 304);
    let changed = rooms
        .did(
            &room,
            state(&alice, "m.room.topic", "", &json!({"topic": "t"})),
        )
        .await
        .unwrap();
    let difference = rooms
        .list_state_changes(message.state_after(), changed.state_after())
        .unwrap();
    assert_eq!(difference.len(), 1);
    assert_eq!(difference[0].event_id(), changed.event_id());
    let found = rooms
        .find_state_at(changed.state_before(), &StateEventType::RoomTopic, "")
        .unwrap();
    assert!(found.is_none());
}
