//! What is sent, what is refused, and what happens once.

use std::sync::Arc;

use ruma::{
    OwnedEventId, UserId,
    events::{MessageLikeEventType, StateEventType},
};
use serde_json::{Value, json};

use crate::{
    Error, Message, NewRoom, NewState, Order, Preset, Result, Room, Rooms, Txn,
    testing::{raw, rooms, text, user},
};

async fn setting() -> (Rooms, Arc<Room>, [ruma::OwnedUserId; 2]) {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let new = NewRoom {
        preset: Preset::Public,
        ..NewRoom::default()
    };
    let room = rooms.create(&alice, new).await.unwrap();
    rooms.join(&bob, &room, None).await.unwrap();
    (rooms, room, [alice, bob])
}

async fn send(
    rooms: &Rooms,
    room: &Room,
    by: &UserId,
    kind: &str,
    content: Value,
    txn: &str,
) -> Result<OwnedEventId> {
    let message = Message {
        kind: MessageLikeEventType::from(kind),
        content: raw(&content),
        timestamp: None,
    };
    rooms
        .send(
            by,
            &room.id,
            message,
            Txn {
                device: "D",
                id: txn,
            },
        )
        .await
}

async fn set(
    rooms: &Rooms,
    room: &Room,
    by: &UserId,
    kind: &str,
    content: Value,
) -> Result<OwnedEventId> {
    let state = NewState {
        kind: StateEventType::from(kind),
        state_key: String::new(),
        content: raw(&content),
        timestamp: None,
    };
    rooms.send_state(by, &room.id, state).await
}

#[tokio::test]
async fn a_transaction_happens_once_for_its_device_endpoint_room_and_type() {
    let (rooms, room, [alice, _]) = setting().await;
    let body = json!({"body": "hi", "msgtype": "m.text"});
    let one = send(&rooms, &room, &alice, "m.room.message", body.clone(), "1")
        .await
        .unwrap();
    assert_eq!(
        send(&rooms, &room, &alice, "m.room.message", body.clone(), "1")
            .await
            .unwrap(),
        one
    );
    assert_ne!(
        send(&rooms, &room, &alice, "m.room.message", body.clone(), "2")
            .await
            .unwrap(),
        one
    );
    assert_ne!(
        send(&rooms, &room, &alice, "m.sticker", body.clone(), "1")
            .await
            .unwrap(),
        one
    );
    let other = rooms.create(&alice, NewRoom::default()).await.unwrap();
    assert_ne!(
        send(&rooms, &other, &alice, "m.room.message", body.clone(), "1")
            .await
            .unwrap(),
        one
    );
    let message = Message {
        kind: "m.room.message".into(),
        content: raw(&body),
        timestamp: None,
    };
    let elsewhere = rooms
        .send(
            &alice,
            &room.id,
            message,
            Txn {
                device: "E",
                id: "1",
            },
        )
        .await
        .unwrap();
    assert_ne!(elsewhere, one);
    let redaction = rooms
        .redact(
            &alice,
            &room.id,
            &one,
            None,
            Txn {
                device: "D",
                id: "1",
            },
        )
        .await
        .unwrap();
    let again = rooms
        .redact(
            &alice,
            &room.id,
            &one,
            None,
            Txn {
                device: "D",
                id: "1",
            },
        )
        .await
        .unwrap();
    assert_eq!(again, redaction);
    assert_ne!(redaction, one);
}

#[tokio::test]
async fn a_transaction_tried_many_times_at_once_makes_one_event() {
    let (rooms, room, [alice, _]) = setting().await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (rooms, room, alice) = (rooms.clone(), room.clone(), alice.clone());
            let body = json!({"body": "hi", "msgtype": "m.text"});
            tokio::spawn(async move {
                send(&rooms, &room, &alice, "m.room.message", body, "1")
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut ids = std::collections::HashSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_sends_at_once_make_a_line() {
    let (rooms, room, [alice, bob]) = setting().await;
    let start = Order::live(rooms.store().visible());
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let (rooms, room) = (rooms.clone(), room.clone());
            let by = if n % 2 == 0 {
                alice.clone()
            } else {
                bob.clone()
            };
            let body = json!({"body": n.to_string(), "msgtype": "m.text"});
            tokio::spawn(async move {
                send(&rooms, &room, &by, "m.room.message", body, &n.to_string()).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let events = rooms.list_forwards(&room, start, Order::END, 200).unwrap();
    assert_eq!(events.len(), 100);
    for pair in events.windows(2) {
        assert_eq!(pair[1].1.pdu.prev_events, [pair[0].1.event_id().to_owned()]);
        assert_eq!(pair[1].1.pdu.depth, pair[0].1.pdu.depth + 1);
    }
}

#[tokio::test]
async fn strangers_and_those_who_left_send_nothing_and_learn_nothing() {
    let (rooms, room, [_, bob]) = setting().await;
    let body = || json!({"body": "hi", "msgtype": "m.text"});
    let carol = user("carol");
    assert!(matches!(
        send(&rooms, &room, &carol, "m.room.message", body(), "1").await,
        Err(Error::NotJoined)
    ));
    assert!(matches!(
        set(&rooms, &room, &carol, "m.room.name", json!({})).await,
        Err(Error::NotJoined)
    ));
    rooms.leave(&bob, &room, None).await.unwrap();
    assert!(matches!(
        send(&rooms, &room, &bob, "m.room.message", body(), "1").await,
        Err(Error::NotJoined)
    ));
    let nowhere = ruma::RoomId::parse("!nowhere:orvale.test").unwrap();
    let message = Message {
        kind: "m.room.message".into(),
        content: raw(&body()),
        timestamp: None,
    };
    let refused = rooms
        .send(
            &bob,
            &nowhere,
            message,
            Txn {
                device: "D",
                id: "1",
            },
        )
        .await;
    assert!(matches!(refused, Err(Error::NotJoined)));
}

#[tokio::test]
async fn one_reacts_with_one_key_once() {
    let (rooms, room, [alice, bob]) = setting().await;
    let event = rooms.did(&room, text(&alice, "tea?")).await.unwrap();
    let reaction = |key: &str| json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": event.event_id(), "key": key}});
    let react = async |by: &UserId, key: &str, txn: &str| {
        send(&rooms, &room, by, "m.reaction", reaction(key), txn).await
    };
    let first = react(&alice, "👍", "1").await.unwrap();
    assert!(matches!(
        react(&alice, "👍", "2").await,
        Err(Error::DuplicateAnnotation)
    ));
    assert_eq!(
        react(&alice, "👍", "1").await.unwrap(),
        first,
        "the same request is no second reaction"
    );
    react(&alice, "👎", "3").await.unwrap();
    react(&bob, "👍", "4").await.unwrap();
    rooms
        .redact(
            &alice,
            &room.id,
            &first,
            None,
            Txn {
                device: "D",
                id: "5",
            },
        )
        .await
        .unwrap();
    react(&alice, "👍", "6").await.unwrap();
}

#[tokio::test]
async fn of_many_equal_reactions_at_once_one_stays() {
    let (rooms, room, [alice, _]) = setting().await;
    let event = rooms.did(&room, text(&alice, "tea?")).await.unwrap();
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            let (rooms, room, alice, event) = (rooms.clone(), room.clone(), alice.clone(), event.clone());
            let content = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": event.event_id(), "key": "👍"}});
            tokio::spawn(async move { send(&rooms, &room, &alice, "m.reaction", content, &n.to_string()).await })
        })
        .collect();
    let mut sent = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => sent += 1,
            Err(error) => assert!(matches!(error, Error::DuplicateAnnotation), "{error}"),
        }
    }
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_redaction_sent_as_a_message_redacts() {
    for version in ["10", "11", "12"] {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let new = NewRoom {
            preset: Preset::Public,
            version: Some(version.try_into().unwrap()),
            ..NewRoom::default()
        };
        let room = rooms.create(&alice, new).await.unwrap();
        rooms.join(&bob, &room, None).await.unwrap();
        let event = rooms.did(&room, text(&alice, "secret")).await.unwrap();
        let content = json!({"redacts": event.event_id(), "reason": "oops"});
        let refused = send(
            &rooms,
            &room,
            &bob,
            "m.room.redaction",
            content.clone(),
            "1",
        )
        .await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{version}");
        assert!(matches!(
            send(&rooms, &room, &alice, "m.room.redaction", json!({}), "2").await,
            Err(Error::BadContent(_))
        ));
        let redaction = send(&rooms, &room, &alice, "m.room.redaction", content, "3")
            .await
            .unwrap();
        let redacted = rooms.find_event(event.event_id()).unwrap().unwrap();
        assert_eq!(redacted.json()["content"], json!({}));
        assert_eq!(
            redacted.json()["unsigned"]["redacted_because"]["event_id"],
            redaction.as_str()
        );
        let shown = rooms.find_event(&redaction).unwrap().unwrap().json();
        assert_eq!(
            (&shown["redacts"], &shown["content"]["redacts"]),
            (&json!(event.event_id()), &json!(event.event_id()))
        );
    }
}

#[tokio::test]
async fn contents_that_would_break_a_room_are_refused() {
    let (rooms, room, [alice, _]) = setting().await;
    set(
        &rooms,
        &room,
        &alice,
        "m.room.encryption",
        json!({"algorithm": "m.megolm.v1.aes-sha2"}),
    )
    .await
    .unwrap();
    for (kind, content) in [
        ("m.room.encryption", json!({})),
        ("m.room.server_acl", json!({"allow": ["elsewhere.org"]})),
        (
            "m.room.server_acl",
            json!({"allow": ["*"], "deny": ["*.test"]}),
        ),
        ("m.room.power_levels", json!({"ban": []})),
        ("m.room.join_rules", json!({"join_rule": 1})),
        (
            "m.room.history_visibility",
            json!({"history_visibility": "sometimes"}),
        ),
        ("m.room.guest_access", json!({})),
    ] {
        let refused = set(&rooms, &room, &alice, kind, content.clone()).await;
        assert!(
            matches!(refused, Err(Error::BadContent(_))),
            "{kind} {content} {refused:?}"
        );
    }
    assert!(matches!(
        set(&rooms, &room, &alice, "m.room.create", json!({})).await,
        Err(Error::Forbidden(_))
    ));
    set(
        &rooms,
        &room,
        &alice,
        "m.room.server_acl",
        json!({"allow": ["*"], "deny": ["elsewhere.org"]}),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn canonical_aliases_are_aliases_of_the_room() {
    let (rooms, room, [alice, _]) = setting().await;
    let alias = |name: &str| ruma::RoomAliasId::parse(format!("#{name}:orvale.test")).unwrap();
    rooms
        .create_alias(&alice, &alias("one"), &room)
        .await
        .unwrap();
    let other = rooms.create(&alice, NewRoom::default()).await.unwrap();
    rooms
        .create_alias(&alice, &alias("two"), &other)
        .await
        .unwrap();
    let set =
        async |content: Value| set(&rooms, &room, &alice, "m.room.canonical_alias", content).await;
    for wrong in ["two", "three"] {
        assert!(matches!(
            set(json!({"alias": alias(wrong)})).await,
            Err(Error::BadAlias(_))
        ));
        assert!(matches!(
            set(json!({"alt_aliases": [alias("one"), alias(wrong)]})).await,
            Err(Error::BadAlias(_))
        ));
    }
    assert!(matches!(
        set(json!({"alias": "one"})).await,
        Err(Error::InvalidParam(_))
    ));
    set(json!({"alias": alias("one")})).await.unwrap();
    // What was there before may stay, whatever has become of it.
    rooms
        .remove_alias(&user("root"), &alias("one"), true)
        .await
        .unwrap();
    rooms
        .create_alias(&alice, &alias("three"), &room)
        .await
        .unwrap();
    set(json!({"alias": alias("one"), "alt_aliases": [alias("three")]}))
        .await
        .unwrap();
}

#[tokio::test]
async fn only_members_with_the_power_change_state() {
    let (rooms, room, [alice, bob]) = setting().await;
    assert!(matches!(
        set(&rooms, &room, &bob, "m.room.name", json!({"name": "x"})).await,
        Err(Error::Forbidden(_))
    ));
    set(&rooms, &room, &alice, "m.room.name", json!({"name": "x"}))
        .await
        .unwrap();
}

#[tokio::test]
async fn sending_ends_typing() {
    let (rooms, room, [alice, _]) = setting().await;
    rooms
        .set_typing(&alice, &room.id, Some(std::time::Duration::from_secs(30)))
        .unwrap();
    let body = json!({"body": "hi", "msgtype": "m.text"});
    send(&rooms, &room, &alice, "m.room.message", body, "1")
        .await
        .unwrap();
    assert!(rooms.typing().list(room.number).is_empty());
}

/// Everything that many may do at once, while batches are on their way to the disk.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_at_once_on_a_disk_agrees_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let rooms = crate::testing::rooms_on_disk(directory.path());
    let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
    let new = NewRoom {
        preset: Preset::Public,
        ..NewRoom::default()
    };
    let room = rooms.create(&alice, new).await.unwrap();
    let event = rooms.did(&room, text(&alice, "tea?")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60 {
        let (rooms, room, event) = (rooms.clone(), room.clone(), event.clone());
        let (alice, bob, carol) = (alice.clone(), bob.clone(), carol.clone());
        tasks.spawn(async move {
            match n % 5 {
                0 => rooms.join(&bob, &room, None).await.unwrap(),
                1 => {
                    let body = json!({"body": "once", "msgtype": "m.text"});
                    let id = send(&rooms, &room, &alice, "m.room.message", body, "once").await.unwrap();
                    // Acknowledged, so it is there for all to read.
                    assert!(rooms.find_event(&id).unwrap().is_some());
                }
                2 => {
                    let relation = json!({"rel_type": "m.annotation", "event_id": event.event_id(), "key": "+"});
                    let content = json!({"m.relates_to": relation});
                    match send(&rooms, &room, &alice, "m.reaction", content, &n.to_string()).await {
                        Ok(_) | Err(Error::DuplicateAnnotation) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                3 => {
                    let name = json!({"name": (n % 2).to_string()});
                    let id = set(&rooms, &room, &alice, "m.room.name", name).await.unwrap();
                    assert!(rooms.find_event(&id).unwrap().is_some());
                }
                _ => {
                    rooms.join(&carol, &room, None).await.unwrap();
                    // Somebody else may have been quicker.
                    let _ = rooms.leave(&carol, &room, None).await;
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let events = rooms
        .list_forwards(&room, Order::START, Order::END, 1000)
        .unwrap();
    let count = |kind: &str| {
        events
            .iter()
            .filter(|(_, event)| event.pdu.kind == kind.into())
            .count()
    };
    assert_eq!(count("m.reaction"), 1);
    assert_eq!(count("m.room.message"), 2);
    assert!(rooms.is_joined(&bob, &room).unwrap());
    assert_eq!(rooms.check().unwrap().faults, Vec::<String>::new());
}
