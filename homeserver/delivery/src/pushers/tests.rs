//! Tests of telling push gateways, with one that answers as it is told.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use orvale_storage::trees::delivery::OWED;
use parking_lot::Mutex;
use ruma::{
    UserId,
    api::client::push::{Pusher, PusherIds, PusherInit, PusherKind},
    device_id,
    events::receipt::{ReceiptThread, ReceiptType},
    push::{HttpPusherData, PushFormat},
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    Config,
    testing::{TestServer, member, raw, state, text},
};

/// A push gateway.
#[derive(Clone, Default)]
struct Gateway {
    told: Arc<Mutex<VecDeque<Value>>>,
    news: Arc<Notify>,
    /// What it answers; 0 for 200.
    status: Arc<AtomicU16>,
    rejected: Arc<Mutex<Vec<String>>>,
    url: String,
}

async fn notify(
    State(gateway): State<Gateway>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let status = gateway.status.load(Ordering::SeqCst);
    gateway.news.notify_one();
    if status != 0 {
        return (StatusCode::from_u16(status).unwrap(), Json(json!({})));
    }
    gateway.told.lock().push_back(body["notification"].clone());
    (
        StatusCode::OK,
        Json(json!({"rejected": *gateway.rejected.lock()})),
    )
}

impl Gateway {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/_matrix/push/v1/notify",
            listener.local_addr().unwrap()
        );
        let gateway = Self {
            url,
            ..Self::default()
        };
        let router = Router::new()
            .route("/_matrix/push/v1/notify", post(notify))
            .with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        gateway
    }

    /// The next notification.
    async fn next(&self) -> Value {
        let next = async {
            loop {
                if let Some(told) = self.told.lock().pop_front() {
                    return told;
                }
                self.news.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), next)
            .await
            .expect("a notification")
    }

    /// Waits until somebody was refused.
    async fn asked(&self) {
        tokio::time::timeout(Duration::from_secs(20), self.news.notified())
            .await
            .expect("a request");
    }

    fn pusher(&self, format: Option<PushFormat>) -> Pusher {
        let mut data = HttpPusherData::new(self.url.clone());
        data.format = format;
        data.data.insert("mine".to_owned(), json!(7));
        PusherInit {
            ids: PusherIds::new("key".to_owned(), "app".to_owned()),
            kind: PusherKind::Http(data),
            app_display_name: "App".to_owned(),
            device_display_name: "Phone".to_owned(),
            profile_tag: None,
            lang: "en".to_owned(),
        }
        .into()
    }
}

fn config() -> Config {
    let mut config = Config::default();
    config.push.allowed_private_ranges = vec!["127.0.0.0/8".parse().unwrap()];
    config.push.retry_milliseconds = 20;
    config
}

async fn read(
    server: &TestServer,
    room: &orvale_rooms::Room,
    user_id: &UserId,
    event: &orvale_rooms::StoredEvent,
) {
    let thread = ReceiptThread::Unthreaded;
    server
        .rooms
        .set_receipt(
            user_id,
            &room.id,
            ReceiptType::Read,
            event.event_id(),
            &thread,
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_message_is_told_and_the_badge_goes_back_to_zero_once_it_is_read() {
    let gateway = Gateway::start().await;
    let server = TestServer::start_with(config());
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    server
        .did(
            &room,
            state(
                &alice,
                "m.room.name",
                "",
                &json!({"name": "Mission Control"}),
            ),
        )
        .await;
    server.join(&room, &bob).await;
    server
        .send(&room, &alice, "before there was a pusher")
        .await;
    server.users.clock().advance(Duration::from_millis(1));
    server
        .users
        .set_pusher(&bob, device_id!("PHONE"), &gateway.pusher(None), false)
        .await
        .unwrap();
    let event = server.send(&room, &alice, "hello").await;
    let told = gateway.next().await;
    assert_eq!(told["event_id"], event.event_id().as_str());
    assert_eq!(told["room_id"], room.id.as_str());
    assert_eq!(told["content"]["body"], "hello");
    assert_eq!(told["room_name"], "Mission Control");
    assert_eq!(told["sender"], alice.as_str());
    assert_eq!(told["counts"]["unread"], 2);
    // In a room of two, a message makes a sound.
    assert_eq!(told["prio"], "high");
    let device = &told["devices"][0];
    assert_eq!(
        (&device["app_id"], &device["pushkey"]),
        (&json!("app"), &json!("key"))
    );
    assert_eq!(device["data"], json!({"mine": 7}));
    assert_eq!(device["tweaks"]["sound"], "default");
    read(&server, &room, &bob, &event).await;
    let told = gateway.next().await;
    assert_eq!(told["counts"]["unread"], 0);
    assert!(told.get("event_id").is_none());
    // What one writes oneself is told to nobody.
    server.send(&room, &bob, "mine").await;
    let mention = json!({"msgtype": "m.text", "body": "you!", "m.mentions": {"user_ids": [bob]}});
    let mention = orvale_rooms::Draft {
        content: raw(&mention),
        ..text(&alice, "")
    };
    let mention = server.did(&room, mention).await;
    let told = gateway.next().await;
    assert_eq!(told["event_id"], mention.event_id().as_str());
    assert_eq!(told["devices"][0]["tweaks"]["highlight"], true);
}

#[tokio::test]
async fn an_invite_is_told_by_its_id_alone_where_that_is_wanted() {
    let gateway = Gateway::start().await;
    let server = TestServer::start_with(config());
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    server
        .users
        .set_pusher(
            &bob,
            device_id!("PHONE"),
            &gateway.pusher(Some(PushFormat::EventIdOnly)),
            false,
        )
        .await
        .unwrap();
    let room = server.room(&alice).await;
    let invite = server.did(&room, member(&alice, &bob, "invite")).await;
    let told = loop {
        let told = gateway.next().await;
        if told.get("event_id").is_some() {
            break told;
        }
    };
    assert_eq!(told["event_id"], invite.event_id().as_str());
    assert!(told.get("content").is_none() && told.get("sender").is_none());
    assert_eq!(told["devices"][0]["data"]["format"], "event_id_only");
}

#[tokio::test]
async fn an_invite_to_a_room_of_another_server_is_told_with_what_it_shows_of_the_room() {
    let gateway = Gateway::start().await;
    let server = TestServer::start_with(config());
    let bob = server.user("bob").await;
    let them = server.knows("them.example").await;
    server
        .users
        .set_pusher(&bob, device_id!("PHONE"), &gateway.pusher(None), false)
        .await
        .unwrap();
    let mut client = server.client(&bob);
    client.sync().await;
    let waiting = client.wait(Duration::from_secs(20));
    let (invite, answer) = tokio::join!(server.invited_by(&them, &bob), waiting);
    let invited = &answer["rooms"]["invite"]["!room:them.example"];
    assert!(invited.to_string().contains("Far away"), "{answer}");
    let told = loop {
        let told = gateway.next().await;
        if told.get("event_id").is_some() {
            break told;
        }
    };
    assert_eq!(told["event_id"], invite.as_str());
    assert_eq!(told["room_id"], "!room:them.example");
    assert_eq!(told["room_name"], "Far away");
    assert_eq!(told["sender_display_name"], "Zoe");
    assert_eq!(told["user_is_target"], true);
    assert_eq!(told["content"]["membership"], "invite");
}

#[tokio::test]
async fn a_pushkey_that_the_gateway_rejects_is_forgotten() {
    let gateway = Gateway::start().await;
    gateway.rejected.lock().push("key".to_owned());
    let server = TestServer::start_with(config());
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    server.join(&room, &bob).await;
    server
        .users
        .set_pusher(&bob, device_id!("PHONE"), &gateway.pusher(None), false)
        .await
        .unwrap();
    server.send(&room, &alice, "hello").await;
    gateway.next().await;
    for _ in 0..200 {
        if server.users.pushers(&bob).unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the pusher is still there");
}

#[tokio::test]
async fn a_gateway_that_fails_is_told_later_but_not_of_what_was_read_meanwhile() {
    let gateway = Gateway::start().await;
    gateway.status.store(503, Ordering::SeqCst);
    let server = TestServer::start_with(config());
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    server.join(&room, &bob).await;
    server
        .users
        .set_pusher(&bob, device_id!("PHONE"), &gateway.pusher(None), false)
        .await
        .unwrap();
    let first = server.send(&room, &alice, "read before it is told").await;
    let second = server.send(&room, &alice, "told later").await;
    gateway.asked().await;
    gateway.asked().await;
    read(&server, &room, &bob, &first).await;
    gateway.status.store(0, Ordering::SeqCst);
    let told = loop {
        let told = gateway.next().await;
        if told.get("event_id").is_some() {
            break told;
        }
    };
    assert_eq!(told["event_id"], second.event_id().as_str());
    assert_eq!(told["counts"]["unread"], 1);
}

#[tokio::test]
async fn what_is_owed_survives_a_restart() {
    let gateway = Gateway::start().await;
    gateway.status.store(503, Ordering::SeqCst);
    let mut server = TestServer::start_with(config());
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    server.join(&room, &bob).await;
    server
        .users
        .set_pusher(&bob, device_id!("PHONE"), &gateway.pusher(None), false)
        .await
        .unwrap();
    let event = server.send(&room, &alice, "hello").await;
    gateway.asked().await;
    // Until the cursor is past the event and the event is owed.
    let store = server.rooms.store().clone();
    for _ in 0..1000 {
        if store.contains(&OWED, ("bob", "app", "key")).unwrap() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        store
            .get(&OWED, ("bob", "app", "key"))
            .unwrap()
            .unwrap()
            .events,
        [event.position]
    );
    gateway.status.store(0, Ordering::SeqCst);
    gateway.told.lock().clear();
    server.restart();
    assert_eq!(gateway.next().await["event_id"], event.event_id().as_str());
}

#[tokio::test]
async fn no_gateway_is_told_in_a_private_network() {
    let gateway = Gateway::start().await;
    let mut config = config();
    config.push.allowed_private_ranges.clear();
    let gateways = super::Gateways::new(&config.push).unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"] {
        let url = gateway.url.replace("127.0.0.1", host);
        let told = gateways.tell(&url, "{}".to_owned()).await;
        assert!(
            matches!(told, super::gateway::Told::Failed(_)),
            "{host}: {told:?}"
        );
    }
    assert!(gateway.told.lock().is_empty());
}

#[test]
fn a_file_of_certificates_that_is_not_there_is_named() {
    let mut config = config();
    config.push.extra_ca_file = Some("no/such/file".into());
    let refused = super::Gateways::new(&config.push)
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.starts_with("delivery.push.extra_ca_file"),
        "{refused}"
    );
}
