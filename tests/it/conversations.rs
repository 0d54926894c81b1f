//! What Orvale adds to rooms: second thoughts, direct messages, previews of links, reports.

use futures_util::future::join_all;
use orvale_tests::{Client, Server, Settings};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

async fn own(client: &Client, method: reqwest::Method, path: &str, body: Value) -> Value {
    let path = format!("/_orvale/client/v1/{path}");
    client.call(method, &path, body.to_string()).await.ok()
}

#[tokio::test]
async fn messages_are_edited_within_the_window_that_the_settings_tell() {
    let server = Server::with(Settings::default().and("[policy]\nedit_seconds = 0")).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let settings = own(&alice, reqwest::Method::GET, "settings", json!({})).await;
    assert_eq!(settings["messages"]["edit_window_ms"], 0);
    assert_eq!(settings["messages"]["delete_window_ms"], 180_000);
    let room = alice
        .post("createRoom", json!({"preset": "public_chat"}))
        .await
        .ok();
    let room = room["room_id"].as_str().unwrap();
    let _ = bob
        .post(&format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    let text = json!({"msgtype": "m.text", "body": "tea?"});
    let sent = bob
        .put(&format!("rooms/{room}/send/m.room.message/1"), text)
        .await
        .ok();
    let event = sent["event_id"].as_str().unwrap();
    let edit = json!({"msgtype": "m.text", "body": "* coffee?", "m.new_content": {"msgtype": "m.text", "body": "coffee?"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": event}});
    // Within the millisecond in which it was sent it may still be edited.
    for n in 2.. {
        let path = format!("rooms/{room}/send/m.room.message/{n}");
        let answer = bob.put(&path, edit.clone()).await;
        if !answer.status.is_success() {
            assert_eq!(answer.json["com.orvale.reason"], "edit_time_over");
            let _ = answer.refused(403, "M_FORBIDDEN");
            break;
        }
    }
    let _ = bob
        .put(&format!("rooms/{room}/redact/{event}/9"), json!({}))
        .await
        .ok();
}

#[tokio::test]
async fn two_who_write_each_other_at_once_meet_in_one_room_also_after_a_crash() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let ask = async |from: &Client, to: &Client| {
        let path = format!("direct/{}", to.user_id);
        own(from, reqwest::Method::POST, &path, json!({})).await["room_id"].clone()
    };
    let asking = (0..10).map(|n| {
        if n % 2 == 0 {
            ask(&alice, &bob)
        } else {
            ask(&bob, &alice)
        }
    });
    let rooms = join_all(asking).await;
    assert!(rooms.iter().all(|room| *room == rooms[0]), "{rooms:?}");
    server.kill();
    server.start_again().await;
    assert_eq!(ask(&bob, &alice).await, rooms[0]);
}

#[tokio::test]
async fn links_are_previewed_but_none_that_lead_into_this_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 18\r\n\r\n<title>Tea</title>";
            let _ = stream.write_all(page.as_bytes()).await;
        }
    });
    let path = format!("/_matrix/client/v1/media/preview_url?url=http://127.0.0.1:{port}/");
    let closed = Server::start().await;
    let alice = closed.register("alice").await;
    let refused = alice.get(&path).await;
    let _ = refused.refused(404, "M_NOT_FOUND");
    let open = "[media.previews]\nallowed_private_ranges = [\"127.0.0.1\"]";
    let open = Server::with(Settings::default().and(open)).await;
    let alice = open.register("alice").await;
    let found = alice.get(&path).await;
    assert_eq!(found.ok(), json!({"og:title": "Tea"}));
}
