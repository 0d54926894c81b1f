//! Receipts and counts.

use orvale_tests::{Server, encode};
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
