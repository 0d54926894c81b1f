//! Tests of one sync after the other.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::testing::{TestServer, bodies, member, state};

#[tokio::test]
async fn a_first_sync_tells_the_room_and_the_next_only_what_came() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    server.send(&room, &alice, "one").await;
    let mut client = server.client(&alice);
    let first = client.sync().await;
    assert_eq!(
        bodies(&first, "join", &room),
        [
            "m.room.create",
            "m.room.member",
            "m.room.power_levels",
            "m.room.join_rules",
            "one"
        ]
    );
    let joined = &first["rooms"]["join"][room.id.as_str()];
    assert_eq!(joined["state"]["events"], json!([]));
    assert_eq!(joined["timeline"]["limited"], false);
    assert_eq!(joined["summary"]["m.joined_member_count"], 1);
    assert!(client.sync().await.get("rooms").is_none());
    server.send(&room, &alice, "two").await;
    let next = client.sync().await;
    assert_eq!(bodies(&next, "join", &room), ["two"]);
    assert!(
        next["rooms"]["join"][room.id.as_str()]
            .get("summary")
            .is_none()
    );
}

#[tokio::test]
async fn a_gap_is_told_with_the_state_that_fell_into_it() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    let mut client = server
        .client(&alice)
        .filtered(json!({"room": {"timeline": {"limit": 3}}}));
    client.sync().await;
    server
        .did(
            &room,
            state(&alice, "m.room.name", "", &json!({"name": "in the gap"})),
        )
        .await;
    server.join(&room, &bob).await;
    for n in 0..5 {
        server.send(&room, &alice, &n.to_string()).await;
    }
    server
        .did(
            &room,
            state(&alice, "m.room.topic", "", &json!({"topic": "after"})),
        )
        .await;
    let answer = client.sync().await;
    assert_eq!(bodies(&answer, "join", &room), ["3", "4", "m.room.topic"]);
    let joined = &answer["rooms"]["join"][room.id.as_str()];
    assert_eq!(joined["timeline"]["limited"], true);
    let state: Vec<_> = joined["state"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["type"].as_str().unwrap())
        .collect();
    assert_eq!(state, ["m.room.name", "m.room.member"]);
    assert_eq!(joined["summary"]["m.joined_member_count"], 2);
    let prev_batch = joined["timeline"]["prev_batch"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let before = server
        .rooms
        .list_backwards(&room, prev_batch, orvale_rooms::Order::START, 1)
        .unwrap();
    assert!(before[0].1.pdu.content.get().contains("\"2\""));
}

#[tokio::test]
async fn whoever_waits_is_woken_by_what_concerns_them_alone() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let (room, other) = (server.room(&alice).await, server.room(&bob).await);
    let mut client = server.client(&alice);
    client.sync().await;
    let start = Instant::now();
    let (answer, ()) = tokio::join!(client.wait(Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.send(&other, &bob, "not for alice").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.send(&room, &alice, "for alice").await;
    });
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(bodies(&answer, "join", &room), ["for alice"]);
    assert!(answer["rooms"]["join"].get(other.id.as_str()).is_none());
}

#[tokio::test]
async fn a_wait_without_news_ends_with_a_token() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let mut client = server.client(&alice);
    client.sync().await;
    let answer = client.wait(Duration::from_millis(20)).await;
    assert!(answer.get("rooms").is_none());
    assert_eq!(answer["device_one_time_keys_count"]["signed_curve25519"], 0);
    assert_eq!(answer["device_unused_fallback_key_types"], json!([]));
}

#[tokio::test]
async fn closing_lets_waiting_requests_go() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let mut client = server.client(&alice);
    client.sync().await;
    let start = Instant::now();
    tokio::join!(client.wait(Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        server.delivery.close();
    });
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_logged_out_device_is_let_go() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let session = server
        .users
        .open_session(&alice, None, None, false)
        .await
        .unwrap();
    let mut client = server.client(&alice);
    client.device = session.device_id.to_string();
    client.sync().await;
    let mut request = client.request();
    request.timeout = Some(Duration::from_secs(20));
    let (answer, ()) = tokio::join!(client.ask(request), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        server
            .users
            .log_out(&alice, &session.device_id)
            .await
            .unwrap();
    });
    assert!(
        matches!(answer, Err(crate::Error::SessionEnded)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_room_joined_since_comes_whole_and_a_room_left_ends_with_the_leave() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    let mut client = server
        .client(&bob)
        .filtered(json!({"room": {"timeline": {"limit": 2}}}));
    client.sync().await;
    server.send(&room, &alice, "before bob").await;
    server.join(&room, &bob).await;
    let answer = client.sync().await;
    assert_eq!(
        bodies(&answer, "join", &room),
        ["before bob", "m.room.member"]
    );
    let joined = &answer["rooms"]["join"][room.id.as_str()];
    assert_eq!(joined["state"]["events"].as_array().unwrap().len(), 4);
    assert_eq!(
        joined["timeline"]["events"][0]["unsigned"]["membership"],
        "leave"
    );
    assert_eq!(
        joined["timeline"]["events"][1]["unsigned"]["membership"],
        "join"
    );
    server.send(&room, &alice, "to bob").await;
    server.did(&room, member(&alice, &bob, "leave")).await;
    server.send(&room, &alice, "after bob").await;
    let answer = client.sync().await;
    assert_eq!(bodies(&answer, "leave", &room), ["to bob", "m.room.member"]);
    assert!(answer["rooms"].get("join").is_none());
    assert!(client.sync().await.get("rooms").is_none());
}

#[tokio::test]
async fn an_invite_is_told_once_and_its_refusal_shows_nothing_of_the_room() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    let mut client = server.client(&bob);
    client.sync().await;
    server.did(&room, member(&alice, &bob, "invite")).await;
    let answer = client.sync().await;
    let stripped = answer["rooms"]["invite"][room.id.as_str()]["invite_state"]["events"]
        .as_array()
        .unwrap();
    assert_eq!(stripped.last().unwrap()["state_key"], bob.as_str());
    server.send(&room, &alice, "secret").await;
    assert!(client.sync().await.get("rooms").is_none());
    server.did(&room, member(&bob, &bob, "leave")).await;
    let answer = client.sync().await;
    assert_eq!(bodies(&answer, "leave", &room), ["m.room.member"]);
    assert_eq!(
        answer["rooms"]["leave"][room.id.as_str()]["state"]["events"],
        json!([])
    );
}

#[tokio::test]
async fn a_new_process_goes_on_from_the_tokens_of_the_one_before() {
    let mut server = TestServer::start();
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    let since = {
        let mut client = server.client(&alice);
        client.sync().await;
        client.since
    };
    server.send(&room, &alice, "meanwhile").await;
    server.restart();
    let mut client = server.client(&alice);
    client.since = since;
    assert_eq!(bodies(&client.sync().await, "join", &room), ["meanwhile"]);
    // It may be told afresh that nobody types.
    client.sync().await;
    assert!(client.sync().await.get("rooms").is_none());
    client.since = Some("s99999_t0_p0_n0".to_owned());
    assert!(matches!(
        client.ask(client.request()).await,
        Err(crate::Error::FutureToken)
    ));
}
