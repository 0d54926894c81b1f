//! Whom an entry of the log concerns, and what they are told.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use orvale_federation_client::FederationClient;
use orvale_rooms::Room;
use orvale_storage::{Position, trees::delivery::TO_SERVERS};
use orvale_users::Messages;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedUserId, TransactionId, UserId,
    api::federation::transactions::send_transaction_message::v1::Request, serde::Raw,
    to_device::DeviceIdOrAllDevices,
};
use serde_json::{Value, json};

use super::transaction::{MOST_EDUS, MOST_PDUS};
use crate::{
    Config,
    testing::{TestServer, member},
};

/// A server whose requests go nowhere, so that what waits stays.
fn server() -> TestServer {
    let config = Config {
        servers: crate::Servers {
            retry_milliseconds: 3_600_000,
        },
        ..Config::default()
    };
    TestServer::start_federated(config, |store, key| {
        let config = orvale_federation_client::Config {
            connect_timeout_seconds: 1,
            ..orvale_federation_client::Config::default()
        };
        FederationClient::new(
            store,
            key,
            config,
            Arc::new(MilliSecondsSinceUnixEpoch::now),
        )
        .expect("a client")
    })
}

/// Addresses of nobody, which no name has to be looked up for.
fn them(name: &str, n: u8) -> OwnedUserId {
    UserId::parse(format!("@{name}:192.0.2.{n}:1")).unwrap()
}

/// The positions that wait for a server.
fn waiting(server: &TestServer, of: &UserId) -> Vec<Position> {
    let store = server.rooms.store();
    let found = store
        .prefix(&TO_SERVERS, (of.server_name(),), usize::MAX)
        .unwrap();
    found.into_iter().map(|((_, at), _)| at).collect()
}

/// Waits until the follower has seen all that there is.
async fn followed(server: &TestServer) {
    let store = server.rooms.store();
    // One more entry at the end that concerns somebody.
    let alice = server.user(&format!("x{}", store.visible())).await;
    let end = UserId::parse("@end:192.0.2.99:1").unwrap();
    server
        .users
        .send_to_device(&alice, None, "m.end", &to(&end))
        .await
        .unwrap();
    let last = store.visible();
    for _ in 0..500 {
        if waiting(server, &end).contains(&last) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the log is not followed");
}

fn to(user: &UserId) -> Messages {
    let content = Raw::from_json_string("{}".to_owned()).unwrap();
    let devices = BTreeMap::from([(DeviceIdOrAllDevices::AllDevices, content)]);
    Messages::from([(user.to_owned(), devices)])
}

/// What a server is told next.
fn next(server: &TestServer, of: &UserId) -> Request {
    let inner = &server.delivery.inner;
    let queues = inner.to_servers.as_ref().unwrap();
    let made = inner
        .next_transaction(queues, of.server_name(), usize::MAX)
        .unwrap();
    made.expect("something to tell").request.expect("news")
}

fn edus(request: &Request) -> Vec<Value> {
    let edus = request.edus.iter();
    edus.map(|edu| serde_json::from_str(edu.json().get()).unwrap())
        .collect()
}

async fn room(server: &TestServer, others: &[&UserId]) -> (OwnedUserId, Arc<Room>) {
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    for other in others {
        server.join(&room, other).await;
    }
    (alice, room)
}

#[tokio::test]
async fn those_in_the_room_are_told_of_our_events_in_order_and_who_leaves_of_the_leave() {
    let server = server();
    let (zoe, yan, xia) = (them("zoe", 1), them("yan", 2), them("xia", 3));
    let (alice, room) = room(&server, &[&zoe, &yan]).await;
    let one = server.send(&room, &alice, "one").await;
    // An event of another server is that server's to tell.
    server.send(&room, &zoe, "theirs").await;
    let kick = server.did(&room, member(&alice, &yan, "leave")).await;
    let two = server.send(&room, &alice, "two").await;
    followed(&server).await;
    assert_eq!(
        waiting(&server, &zoe),
        [one.position, kick.position, two.position]
    );
    assert_eq!(waiting(&server, &yan), [one.position, kick.position]);
    assert_eq!(waiting(&server, &xia), []);
    let told = next(&server, &zoe);
    let bodies: Vec<Value> = told
        .pdus
        .iter()
        .map(|pdu| serde_json::from_str(pdu.get()).unwrap())
        .collect();
    assert_eq!(bodies[0]["content"]["body"], "one");
    assert_eq!(bodies[1]["content"]["membership"], "leave");
    assert_eq!(bodies[2]["content"]["body"], "two");
    assert!(bodies[0]["signatures"]["orvale.test"].is_object());
    assert!(bodies[0].get("unsigned").is_none(), "{}", bodies[0]);
}

#[tokio::test]
async fn a_transaction_has_at_most_fifty_pdus_and_a_hundred_edus() {
    let server = server();
    let zoe = them("zoe", 1);
    let (alice, room) = room(&server, &[&zoe]).await;
    for n in 0..MOST_PDUS + 5 {
        server.send(&room, &alice, &n.to_string()).await;
    }
    followed(&server).await;
    assert_eq!(next(&server, &zoe).pdus.len(), MOST_PDUS);
    let xia = them("xia", 3);
    for _ in 0..MOST_EDUS + 5 {
        server
            .users
            .send_to_device(&alice, None, "m.test", &to(&xia))
            .await
            .unwrap();
    }
    followed(&server).await;
    let edus = edus(&next(&server, &xia));
    assert_eq!(edus.len(), MOST_EDUS);
    let ids: std::collections::HashSet<_> = edus
        .iter()
        .map(|edu| edu["content"]["message_id"].to_string())
        .collect();
    assert_eq!(ids.len(), MOST_EDUS, "each has an ID of its own");
}

#[tokio::test]
async fn a_message_asked_for_twice_waits_once_and_goes_whole_to_one_server() {
    let server = server();
    let alice = server.user("alice").await;
    let (zoe, zed) = (them("zoe", 1), them("zed", 1));
    let mut messages = to(&zoe);
    messages.extend(to(&zed));
    let txn = <&TransactionId>::from("1");
    for _ in 0..2 {
        let transaction = Some(("PHONE".into(), txn));
        server
            .users
            .send_to_device(&alice, transaction, "m.test", &messages)
            .await
            .unwrap();
    }
    followed(&server).await;
    let edus = edus(&next(&server, &zoe));
    assert_eq!(edus.len(), 1);
    assert_eq!(edus[0]["edu_type"], "m.direct_to_device");
    let content = &edus[0]["content"];
    assert_eq!(content["sender"], alice.as_str());
    assert_eq!(content["messages"].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn receipts_are_told_as_they_stand_and_private_ones_never() {
    use ruma::events::receipt::{ReceiptThread, ReceiptType};
    let server = server();
    let zoe = them("zoe", 1);
    let (alice, room) = room(&server, &[&zoe]).await;
    let one = server.send(&room, &zoe, "one").await;
    let two = server.send(&room, &zoe, "two").await;
    let thread = ReceiptThread::Unthreaded;
    for (kind, event) in [
        (ReceiptType::Read, &one),
        (ReceiptType::Read, &two),
        (ReceiptType::ReadPrivate, &two),
    ] {
        server
            .rooms
            .set_receipt(&alice, &room.id, kind, event.event_id(), &thread)
            .await
            .unwrap();
    }
    followed(&server).await;
    let edus = edus(&next(&server, &zoe));
    assert_eq!(edus.len(), 1, "{edus:?}");
    let of_alice = &edus[0]["content"][room.id.as_str()]["m.read"][alice.as_str()];
    assert_eq!(of_alice["event_ids"], json!([two.event_id()]));
}

#[tokio::test]
async fn updates_of_devices_name_the_one_before() {
    let server = server();
    let zoe = them("zoe", 1);
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    server.join(&room, &zoe).await;
    server
        .users
        .create_device(&alice, "PHONE".into(), None)
        .await
        .unwrap();
    for name in ["a", "b"] {
        server
            .users
            .rename_device(&alice, "PHONE".into(), name)
            .await
            .unwrap();
    }
    server
        .users
        .delete_devices(&alice, &["PHONE".into()])
        .await
        .unwrap();
    followed(&server).await;
    let edus = edus(&next(&server, &zoe));
    let updates: Vec<&Value> = edus.iter().map(|edu| &edu["content"]).collect();
    assert_eq!(updates.len(), 3, "{updates:?}");
    assert_eq!(updates[0]["prev_id"], json!([]));
    for pair in updates.windows(2) {
        assert_eq!(pair[1]["prev_id"], json!([pair[0]["stream_id"]]));
    }
    // All say how it stands now.
    assert!(updates.iter().all(|update| update["deleted"] == true));
    let last = server
        .users
        .device_stream_id(&alice, Position::END)
        .unwrap();
    assert_eq!(updates[2]["stream_id"], last);
}

#[tokio::test]
async fn nothing_is_kept_in_memory_for_a_server_that_is_not_reached() {
    let server = server();
    let zoe = them("zoe", 1);
    let (alice, room) = room(&server, &[&zoe]).await;
    let one = server.send(&room, &alice, "one").await;
    let (inner, far) = (&server.delivery.inner, zoe.server_name().to_owned());
    for _ in 0..2000 {
        if !inner.is_reached(&far) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!inner.is_reached(&far));
    for n in 0..5_000_u32 {
        inner.tell_in_passing(&far, |queue| {
            queue.presence.insert(them(&format!("u{n}"), 7));
            let typist = (room.id.clone(), them(&format!("u{n}"), 7));
            queue.typing.insert(typist, true);
        });
    }
    let (typing, presence) = inner.to_servers.as_ref().unwrap().take_passing(&far);
    assert_eq!((typing.len(), presence.len()), (0, 0));
    assert_eq!(waiting(&server, &zoe), [one.position]);
}

#[tokio::test]
async fn what_waits_survives_a_restart() {
    let mut server = server();
    let zoe = them("zoe", 1);
    let (alice, room) = room(&server, &[&zoe]).await;
    let one = server.send(&room, &alice, "one").await;
    followed(&server).await;
    server.restart();
    let two = server.send(&room, &alice, "two").await;
    followed(&server).await;
    assert_eq!(waiting(&server, &zoe), [one.position, two.position]);
}

#[tokio::test]
async fn a_long_queue_keeps_the_newest_event_of_each_room_whoever_made_it() {
    use orvale_storage::{Batch, Entry};
    let server = server();
    let zoe = them("zoe", 1);
    let yan = them("yan", 2);
    let (alice, talk) = room(&server, &[&zoe]).await;
    let quiet = server.room(&alice).await;
    server.join(&quiet, &zoe).await;
    followed(&server).await;
    let before = waiting(&server, &zoe);
    server.send(&talk, &alice, "one").await;
    let two = server.send(&talk, &alice, "two").await;
    server
        .users
        .send_to_device(&alice, None, "m.test", &to(&zoe))
        .await
        .unwrap();
    let message = server.rooms.store().visible();
    // Somebody of a third server came in by way of this one.
    let join = server.did(&quiet, member(&yan, &yan, "join")).await;
    let mut batch = Batch::new();
    batch.log(Entry::Forward {
        event: join.position,
        from: yan.server_name().to_string(),
    });
    server.rooms.store().commit(batch).await.unwrap();
    let forward = server.rooms.store().visible();
    followed(&server).await;
    let inner = &server.delivery.inner;
    inner.shorten(zoe.server_name(), 2).await.unwrap();
    let left = waiting(&server, &zoe);
    assert_eq!(left, [two.position, message, forward], "of {before:?} on");
}
