//! What is left when the server ends, well or badly.

use orvale_tests::{Client, Server, Settings};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn nothing_is_lost_when_the_server_is_restarted() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let room = alice
        .create_room(json!({ "name": "Garden", "invite": [bob.user_id] }))
        .await;
    bob.join(&room).await;
    bob.sync().await;
    let before = alice.send_text(&room, "before").await;

    server.restart().await;

    let after = alice.send_text(&room, "after").await;
    let sync = bob.sync_until(|sync| sync.has_event(&room, &after)).await;
    assert!(
        sync.has_event(&room, &before),
        "a token from before the restart goes on where it was"
    );
    assert_eq!(
        alice.state(&room, "m.room.name", "").await["name"],
        "Garden"
    );
    server.log_in("alice").await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for round in 0..3 {
        let mut sent = Vec::new();
        let writers = (0..4).map(|writer| {
            let (alice, room) = (alice.clone(), room.clone());
            async move {
                let mut sent = Vec::new();
                for n in 0..5 {
                    sent.push(
                        alice
                            .send_text(&room, &format!("{round} {writer} {n}"))
                            .await,
                    );
                }
                sent
            }
        });
        for written in futures_util::future::join_all(writers).await {
            sent.extend(written);
        }
        server.kill();
        server.start_again().await;
        for event in sent {
            assert_eq!(alice.event(&room, &event).await["event_id"], event);
        }
    }
}

#[tokio::test]
async fn same_transaction_after_a_crash_makes_no_second_event() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let path = format!("rooms/{room}/send/m.room.message/once");
    let body = json!({ "msgtype": "m.text", "body": "once" });
    let first = alice.put(&path, body.clone()).await.ok();
    server.kill();
    server.start_again().await;
    assert_eq!(alice.put(&path, body).await.ok(), first);
}

#[tokio::test]
async fn waiting_syncs_are_answered_when_the_server_stops() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let next = alice.sync().await.next_batch().to_owned();
    let waiting = tokio::spawn({
        let alice = alice.clone();
        async move { alice.get(&format!("sync?timeout=60000&since={next}")).await }
    });
    // The request is on its way as soon as the figures of open connections say so; a moment is enough for all else.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let start = std::time::Instant::now();
    assert!(server.stop().await.success());
    assert!(
        start.elapsed() < std::time::Duration::from_secs(5),
        "it did not wait for the long poll"
    );
    let _ = waiting.await.unwrap().ok();
}

#[tokio::test]
async fn on_a_full_disk_everything_is_read_and_nothing_more_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::in_directory(home.path(), Settings::default()).await;
    let login = json!({ "username": "alice", "password": "wonderland", "auth": { "type": "m.login.dummy" } });
    let login = server.stranger().post("register", login).await.ok();
    let alice = Client::from_login(&server, &login);
    let room = alice.create_room(json!({})).await;
    let sent = alice.send_text(&room, "while there was room").await;
    server.stop().await;

    // No disk has so much.
    let full = Settings::default().and("[storage]\nfree_bytes = 1152921504606846976");
    let server = Server::in_directory(home.path(), full).await;
    let alice = Client::from_login(&server, &login);
    assert_eq!(alice.event(&room, &sent).await["event_id"], sent);
    assert!(alice.sync().await.has_event(&room, &sent));
    let text = json!({ "msgtype": "m.text", "body": "now" });
    let refused = alice.try_send(&room, "m.room.message", text).await;
    let refused = refused.refused(503, "M_UNKNOWN");
    assert!(refused["error"].as_str().unwrap().contains("disk is full"));
    let upload = alice.call(Method::POST, "/_matrix/media/v3/upload", "content");
    upload.await.refused(503, "M_UNKNOWN");
    let health = alice.get("/health").await;
    assert_eq!(health.status, 503);
    server.stop().await;

    let server = Server::in_directory(home.path(), Settings::default()).await;
    let alice = Client::from_login(&server, &login);
    alice.send_text(&room, "there is room again").await;
    assert_eq!(alice.get("/health").await.status, 200);
}
