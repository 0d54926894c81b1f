//! What other servers may say in passing, and what they may not.

use std::sync::Arc;

use orvale_rooms::Room;
use orvale_storage::Position;
use ruma::{
    OwnedUserId, ServerName, UserId,
    api::federation::device::get_devices::v1::{Response as DeviceList, UserDevice},
    presence::PresenceState,
    serde::Raw,
    server_name,
};
use serde_json::{Value, json};

use crate::testing::{TestServer, member, state};

fn them() -> &'static ServerName {
    server_name!("them.test")
}

fn zoe() -> OwnedUserId {
    UserId::parse("@zoe:them.test").unwrap()
}

async fn hear(server: &TestServer, origin: &ServerName, kind: &str, content: &Value) {
    let edu = json!({ "edu_type": kind, "content": content });
    let edu = Raw::from_json_string(edu.to_string()).unwrap();
    server.delivery.hear_edu(origin, &edu).await.unwrap();
}

/// A room of Alice's that Zoe of another server is in.
async fn together(server: &TestServer) -> (OwnedUserId, Arc<Room>) {
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    server.join(&room, &zoe()).await;
    (alice, room)
}

#[tokio::test]
async fn a_server_says_of_its_own_users_alone_who_types_in_rooms_they_are_in() {
    let server = TestServer::start();
    let (alice, room) = together(&server).await;
    let types =
        |room: &Room, user: &UserId| json!({ "room_id": room.id, "user_id": user, "typing": true });
    let typing = || server.rooms.typing().list(room.number);
    hear(&server, them(), "m.typing", &types(&room, &alice)).await;
    let other = server_name!("other.test");
    hear(&server, other, "m.typing", &types(&room, &zoe())).await;
    let yan = UserId::parse("@yan:them.test").unwrap();
    hear(&server, them(), "m.typing", &types(&room, &yan)).await;
    assert!(typing().is_empty());
    hear(&server, them(), "m.typing", &types(&room, &zoe())).await;
    assert_eq!(typing(), [zoe()].into());
}

#[tokio::test]
async fn the_access_list_counts_for_edus_too() {
    let server = TestServer::start();
    let (alice, room) = together(&server).await;
    let event = server.send(&room, &alice, "hi").await;
    let acl = json!({ "allow": ["*"], "deny": ["THEM.test"] });
    let acl = state(&alice, "m.room.server_acl", "", &acl);
    server.did(&room, acl).await;
    let typing = json!({ "room_id": room.id, "user_id": zoe(), "typing": true });
    hear(&server, them(), "m.typing", &typing).await;
    let receipt = json!({ room.id.as_str(): { "m.read": {
        zoe().as_str(): { "event_ids": [event.event_id()], "data": { "ts": 1 } } } } });
    hear(&server, them(), "m.receipt", &receipt).await;
    assert!(server.rooms.typing().list(room.number).is_empty());
    assert!(server.rooms.receipts(&room, &alice).unwrap().is_empty());
}

#[tokio::test]
async fn receipts_are_for_ones_own_users_and_known_events_and_go_forwards() {
    let server = TestServer::start();
    let (alice, room) = together(&server).await;
    let one = server.send(&room, &alice, "one").await;
    let two = server.send(&room, &alice, "two").await;
    let read = |user: &UserId, event: &str, kind: &str| {
        json!({ room.id.as_str(): { kind: {
            user.as_str(): { "event_ids": [event], "data": { "ts": 1_436_451_550_453_u64 } } } } })
    };
    let receipts = || server.rooms.receipts(&room, &alice).unwrap();
    let two_id = two.event_id().as_str();
    hear(
        &server,
        them(),
        "m.receipt",
        &read(&alice, two_id, "m.read"),
    )
    .await;
    hear(
        &server,
        them(),
        "m.receipt",
        &read(&zoe(), "$unknown", "m.read"),
    )
    .await;
    hear(
        &server,
        them(),
        "m.receipt",
        &read(&zoe(), two_id, "m.read.private"),
    )
    .await;
    assert!(receipts().is_empty());
    hear(
        &server,
        them(),
        "m.receipt",
        &read(&zoe(), two_id, "m.read"),
    )
    .await;
    let one_id = one.event_id().as_str();
    hear(
        &server,
        them(),
        "m.receipt",
        &read(&zoe(), one_id, "m.read"),
    )
    .await;
    let found = receipts();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].event_id, two.event_id());
    assert_eq!(found[0].timestamp, 1_436_451_550_453);
}

#[tokio::test]
async fn presence_is_heard_of_those_one_shares_a_room_with() {
    let server = TestServer::start();
    together(&server).await;
    let yan = UserId::parse("@yan:them.test").unwrap();
    let is = |user: &UserId| {
        json!({ "user_id": user, "presence": "online", "last_active_ago": 5000,
        "status_msg": "here" })
    };
    let content = json!({ "push": [is(&zoe()), is(&yan)] });
    hear(&server, server_name!("other.test"), "m.presence", &content).await;
    let presence = |user: &UserId| server.users.presence().get(user).unwrap();
    assert_eq!(presence(&zoe()).presence, PresenceState::Offline);
    hear(&server, them(), "m.presence", &content).await;
    let zoe = presence(&zoe());
    assert_eq!(zoe.presence, PresenceState::Online);
    assert_eq!(zoe.status_msg.as_deref(), Some("here"));
    assert_eq!(zoe.last_active_ago, Some(5000));
    assert_eq!(presence(&yan).presence, PresenceState::Offline);
}

#[tokio::test]
async fn a_message_to_a_device_is_given_once_and_in_its_senders_servers_name_alone() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let phone = "PHONE".into();
    server
        .users
        .create_device(&alice, phone, None)
        .await
        .unwrap();
    let message = |sender: &str, id: &str| {
        json!({ "sender": sender, "type": "m.test", "message_id": id,
            "messages": { alice.as_str(): { "*": { "id": id } } } })
    };
    let zoe = "@zoe:them.test";
    for id in ["1", "1", "2", "1"] {
        hear(&server, them(), "m.direct_to_device", &message(zoe, id)).await;
    }
    hear(
        &server,
        server_name!("other.test"),
        "m.direct_to_device",
        &message(zoe, "3"),
    )
    .await;
    hear(
        &server,
        them(),
        "m.direct_to_device",
        &message(alice.as_str(), "4"),
    )
    .await;
    let waiting = server
        .users
        .to_device_messages(&alice, phone, Position::START, Position::END, 10)
        .unwrap();
    let ids: Vec<_> = waiting.iter().map(|(_, found)| &*found.content.0).collect();
    assert_eq!(ids, [r#"{"id":"1"}"#, r#"{"id":"2"}"#]);
}

#[tokio::test]
async fn what_is_malformed_changes_nothing() {
    let server = TestServer::start();
    let (alice, _) = together(&server).await;
    let before = server.rooms.store().visible();
    for (kind, content) in [
        ("m.typing", json!({})),
        ("m.receipt", json!({ "!x:y": 7 })),
        ("m.presence", json!({ "push": [{ "user_id": alice }] })),
        (
            "m.direct_to_device",
            json!({ "sender": "@zoe:them.test", "messages": [] }),
        ),
        (
            "m.device_list_update",
            json!({ "user_id": "@zoe:them.test", "stream_id": -1 }),
        ),
        ("m.signing_key_update", json!([])),
        ("org.example.unknown", json!({ "anything": true })),
    ] {
        hear(&server, them(), kind, &content).await;
    }
    assert_eq!(server.rooms.store().visible(), before);
}

#[tokio::test]
async fn devices_are_followed_update_by_update_until_one_is_missed_or_no_room_is_shared() {
    let server = TestServer::start();
    let (alice, room) = together(&server).await;
    let zoe = zoe();
    let keys = |device: &str| json!({ "user_id": zoe, "device_id": device, "algorithms": [], "keys": {}, "signatures": {} });
    let device = |name: &str, keys: Value| {
        UserDevice::new(
            name.into(),
            Raw::from_json_string(keys.to_string()).unwrap(),
        )
    };
    let mut list = DeviceList::new(zoe.clone(), 3_u32.into());
    // The second are another device's keys in the place of this one's.
    list.devices = vec![device("ONE", keys("ONE")), device("TWO", keys("ONE"))];
    server.users.follow(&zoe).await.unwrap();
    assert!(server.users.foreign_keys(&zoe, &alice).unwrap().is_none());
    server
        .users
        .keep_foreign_devices(&zoe, &list)
        .await
        .unwrap();
    let known = || -> Option<Vec<String>> {
        let known = server.users.foreign_keys(&zoe, &alice).unwrap()?;
        Some(known.devices.keys().map(ToString::to_string).collect())
    };
    assert_eq!(known().unwrap(), ["ONE"]);
    let update = |device: &str, stream_id: u64, prev: &[u64], deleted: bool| {
        json!({ "user_id": zoe, "device_id": device, "stream_id": stream_id, "prev_id": prev,
            "deleted": deleted, "keys": keys(device) })
    };
    let before = server.users.device_list_changed_at(&zoe).unwrap();
    hear(
        &server,
        server_name!("other.test"),
        "m.device_list_update",
        &update("X", 4, &[3], false),
    )
    .await;
    assert_eq!(known().unwrap(), ["ONE"]);
    hear(
        &server,
        them(),
        "m.device_list_update",
        &update("TWO", 4, &[3], false),
    )
    .await;
    hear(
        &server,
        them(),
        "m.device_list_update",
        &update("ONE", 6, &[4], true),
    )
    .await;
    // Once more, and late: known.
    hear(
        &server,
        them(),
        "m.device_list_update",
        &update("TWO", 4, &[3], true),
    )
    .await;
    assert_eq!(known().unwrap(), ["TWO"]);
    assert!(server.users.device_list_changed_at(&zoe).unwrap() > before);
    hear(
        &server,
        them(),
        "m.device_list_update",
        &update("TWO", 9, &[8], false),
    )
    .await;
    assert_eq!(known(), None, "one was missed");
    server
        .users
        .keep_foreign_devices(&zoe, &list)
        .await
        .unwrap();
    assert_eq!(known().unwrap(), ["ONE"]);
    server.did(&room, member(&zoe, &zoe, "leave")).await;
    hear(
        &server,
        them(),
        "m.device_list_update",
        &update("TWO", 4, &[3], false),
    )
    .await;
    assert_eq!(known(), None, "no room is shared");
    assert!(!server.users.is_followed(&zoe).unwrap());
}

#[tokio::test]
async fn a_user_has_no_more_devices_by_updates_than_by_their_list() {
    let server = TestServer::start();
    let (alice, _) = together(&server).await;
    let zoe = zoe();
    let keys = |device: &str| json!({ "user_id": zoe, "device_id": device, "algorithms": [], "keys": {}, "signatures": {} });
    let device = |name: String| {
        let keys = Raw::from_json_string(keys(&name).to_string());
        UserDevice::new(name.into(), keys.unwrap())
    };
    let mut list = DeviceList::new(zoe.clone(), 3_u32.into());
    list.devices = (0..1_000).map(|n| device(format!("D{n}"))).collect();
    server.users.follow(&zoe).await.unwrap();
    let kept = server.users.keep_foreign_devices(&zoe, &list);
    kept.await.unwrap();
    for (stream_id, device) in [(4, "ONE MORE"), (5, "D7")] {
        let update = json!({ "user_id": zoe, "device_id": device, "stream_id": stream_id,
            "prev_id": [stream_id - 1], "keys": keys(device) });
        hear(&server, them(), "m.device_list_update", &update).await;
    }
    let known = server.users.foreign_keys(&zoe, &alice).unwrap().unwrap();
    assert_eq!(known.devices.len(), 1_000);
    let one_more = known.devices.keys().any(|id| id.as_str() == "ONE MORE");
    assert!(!one_more);
}
