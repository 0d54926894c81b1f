//! Receipts and counts.

use orvale_tests::{Client, Server, encode};
use serde_json::{Value, json};

use super::{of, people, public_room};

#[tokio::test]
async fn line_11_private_receipts_are_for_their_user_alone() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let first = alice.send_text(&room, "one").await;
    let _ = (alice.sync().await, bob.sync().await);
    let receipt = |kind: &str, id: &str| of(&room, &format!("receipt/{kind}/{}", encode(id)));
    let _ = bob
        .post(&receipt("m.read.private", &first), json!({}))
        .await
        .ok();
    let mine = bob.sync().await;
    assert!(
        mine.ephemeral(&room)
            .iter()
            .any(|event| event["type"] == "m.receipt"),
        "{}",
        mine.0
    );
    let second = alice.send_text(&room, "two").await;
    let hers = alice
        .sync_until(|sync| sync.has_event(&room, &second))
        .await;
    assert_eq!(hers.ephemeral(&room), [] as [Value; 0]);
    // Nor when she starts anew, nor by the marker of what is fully read.
    let marker = json!({ "m.fully_read": second, "m.read.private": second });
    let _ = bob.post(&of(&room, "read_markers"), marker).await.ok();
    let anew = server.log_in("alice").await.sync().await;
    assert!(
        !anew.joined(&room)["ephemeral"].to_string().contains("@bob"),
        "{}",
        anew.0
    );
    assert!(!anew.0.to_string().contains("m.read.private"), "{}", anew.0);
    // Made public, it is seen.
    bob.read(&room, &second).await;
    let seen = alice
        .sync_until(|sync| !sync.ephemeral(&room).is_empty())
        .await;
    let content = &seen.ephemeral(&room)[0]["content"];
    assert!(
        content[&second]["m.read"][&bob.user_id].is_object(),
        "{content}"
    );
    assert!(content.to_string().find("private").is_none(), "{content}");
}

#[tokio::test]
async fn line_11_counts_go_down_with_receipts_and_redactions_and_receipts_never_go_back() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let _ = bob.sync().await;
    let mut sent = Vec::new();
    for text in ["one", "hey bob", "three"] {
        sent.push(alice.send_text(&room, text).await);
    }
    let mention =
        json!({ "msgtype": "m.text", "body": "hey", "m.mentions": { "user_ids": [bob.user_id] } });
    sent.push(alice.send(&room, "m.room.message", mention).await);
    let counts = async || {
        let anew = server.log_in("bob").await.sync().await;
        let counts = &anew.joined(&room)["unread_notifications"];
        (
            counts["notification_count"].as_u64(),
            counts["highlight_count"].as_u64(),
        )
    };
    let (all, highlights) = counts().await;
    assert_eq!(all, Some(4));
    assert!(highlights >= Some(1));
    let _ = alice.redact(&room, &sent[3]).await;
    let (all, highlights) = counts().await;
    assert_eq!((all, highlights), (Some(3), highlights.filter(|n| *n <= 1)));
    bob.read(&room, &sent[1]).await;
    assert_eq!(counts().await, (Some(1), Some(0)));
    bob.read(&room, &sent[2]).await;
    assert_eq!(counts().await, (Some(0), Some(0)));
    // An old client that comes back and reads what was first.
    bob.read(&room, &sent[0]).await;
    assert_eq!(counts().await, (Some(0), Some(0)));
    let receipts = server.log_in("alice").await.sync().await.joined(&room)["ephemeral"].clone();
    assert!(
        receipts.to_string().contains(&sent[2]) && !receipts.to_string().contains(&sent[0]),
        "{receipts}"
    );
}

#[tokio::test]
async fn line_11_receipts_take_no_nonsense() {
    let server = Server::start().await;
    let [alice, _, mallory] = people(&server).await;
    let room = public_room(&alice).await;
    let sent = alice.send_text(&room, "one").await;
    let receipt =
        |kind: &str, id: &str| of(&room, &format!("receipt/{}/{}", encode(kind), encode(id)));
    mallory
        .post(&receipt("m.read", &sent), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    mallory.join(&room).await;
    mallory
        .post(&receipt("m.nonsense", &sent), json!({}))
        .await
        .refused(400, "M_INVALID_PARAM");
    for thread in [json!(""), json!(5), json!("nonsense")] {
        let answer = mallory
            .post(&receipt("m.read", &sent), json!({ "thread_id": thread }))
            .await;
        assert_eq!(answer.status, 400, "{thread}: {}", answer.json);
    }
    let of_nothing = mallory
        .post(
            &receipt("m.read", "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            json!({}),
        )
        .await;
    assert!(
        of_nothing.status.is_success() || of_nothing.status == 404,
        "{}",
        of_nothing.json
    );
    let sync = alice.sync().await;
    assert!(
        !sync.joined(&room)["ephemeral"]
            .to_string()
            .contains("@mallory"),
        "{}",
        sync.0
    );
}

/// How much is unread in the main timeline and in threads, as notifications and highlights.
async fn counts(client: &Client, room: &str) -> (Value, Value) {
    let filter = json!({ "room": { "timeline": { "unread_thread_notifications": true } } });
    let path = format!("sync?filter={}", encode(&filter.to_string()));
    let sync = client.get(&path).await.ok();
    let section = &sync["rooms"]["join"][room];
    (
        section["unread_notifications"].clone(),
        section["unread_thread_notifications"].clone(),
    )
}

#[tokio::test]
async fn line_11_threads_are_counted_and_read_apart_from_the_room() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let root = alice.send_text(&room, "root").await;
    let answer = async |body: &str, mentions: Value| {
        let relation = json!({ "rel_type": "m.thread", "event_id": root });
        let content = json!({ "msgtype": "m.text", "body": body, "m.mentions": mentions, "m.relates_to": relation });
        alice.send(&room, "m.room.message", content).await
    };
    let _ = answer("one", json!({})).await;
    let last = answer("two", json!({ "user_ids": [bob.user_id] })).await;
    let count = |notifications: u64, highlights: u64| json!({ "notification_count": notifications, "highlight_count": highlights });
    let threads = json!({ &root: count(2, 1) });
    assert_eq!(counts(&bob, &room).await, (count(1, 0), threads.clone()));
    // Reading the room leaves its threads, and reading a thread leaves the room.
    let receipt = of(&room, &format!("receipt/m.read/{}", encode(&root)));
    let main = json!({ "thread_id": "main" });
    let _ = bob.post(&receipt, main).await.ok();
    assert_eq!(counts(&bob, &room).await, (count(0, 0), threads));
    // A highlight that is redacted is none any more.
    let _ = alice.redact(&room, &last).await;
    let threads = json!({ &root: count(1, 0) });
    assert_eq!(counts(&bob, &room).await, (count(0, 0), threads));
    let _ = alice.send_text(&room, "three").await;
    let newest = answer("four", json!({})).await;
    let receipt = of(&room, &format!("receipt/m.read/{}", encode(&newest)));
    let thread = json!({ "thread_id": root });
    let _ = bob.post(&receipt, thread).await.ok();
    assert_eq!(counts(&bob, &room).await, (count(1, 0), Value::Null));
}
