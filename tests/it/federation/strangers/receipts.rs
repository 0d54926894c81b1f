//! 11: notification counts and receipts.

use serde_json::json;

use super::Meeting;

/// Receipts forged for others, private ones over federation.
#[tokio::test]
async fn a_server_reads_for_its_own_users_alone() {
    let meeting = Meeting::new().await;
    let sent = meeting.alice.send_text(&meeting.room, "read this").await;
    let bob = meeting.server.register("bob").await;
    bob.join(&meeting.room).await;
    let read = |user: &str, kind: &str| json!({ &meeting.room: { kind: { user: { "event_ids": [sent], "data": { "ts": 1 } } } } });
    meeting
        .tell("m.receipt", read(&bob.user_id, "m.read"))
        .await;
    meeting
        .tell(
            "m.receipt",
            read(&meeting.stranger.user("nobody"), "m.read"),
        )
        .await;
    meeting
        .tell("m.receipt", read(&meeting.mallory, "m.read.private"))
        .await;
    let sync = meeting.alice.sync().await;
    let seen = json!(sync.ephemeral(&meeting.room)).to_string();
    assert!(!seen.contains("m.read"), "{seen}");
    meeting
        .tell("m.receipt", read(&meeting.mallory, "m.read"))
        .await;
    let sync = meeting.alice.sync().await;
    let seen = json!(sync.ephemeral(&meeting.room)).to_string();
    assert!(seen.contains(&meeting.mallory), "{seen}");
}
