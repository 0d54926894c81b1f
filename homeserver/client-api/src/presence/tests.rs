//! Presence as clients meet it.

use serde_json::json;

use crate::testing::{Client, Server};

fn path(client: &Client) -> String {
    format!("/_matrix/client/v3/presence/{}/status", client.user_id)
}

#[tokio::test]
async fn presence_is_for_those_who_share_a_room() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    assert_eq!(alice.get(&path(&alice)).await.ok()["presence"], "offline");
    alice
        .put(
            &path(&alice),
            json!({ "presence": "online", "status_msg": "here" }),
        )
        .await
        .ok();
    bob.get(&path(&alice)).await.refused(403, "M_FORBIDDEN");
    let room = alice
        .post(
            "/_matrix/client/v3/createRoom",
            json!({ "preset": "public_chat" }),
        )
        .await
        .ok();
    bob.post(
        &format!(
            "/_matrix/client/v3/join/{}",
            room["room_id"].as_str().unwrap()
        ),
        json!({}),
    )
    .await
    .ok();
    let shown = bob.get(&path(&alice)).await.ok();
    assert_eq!(
        (&shown["presence"], &shown["status_msg"]),
        (&json!("online"), &json!("here"))
    );
    assert_eq!(shown["currently_active"], true);
    bob.put(&path(&alice), json!({ "presence": "offline" }))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.get("/_matrix/client/v3/presence/@nobody:example.org/status")
        .await
        .refused(403, "M_FORBIDDEN");
    alice
        .put(&path(&alice), json!({ "presence": "asleep" }))
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn a_busy_client_stays_busy_while_it_syncs() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let busy = "org.matrix.msc3026.busy";
    alice
        .put(&path(&alice), json!({ "presence": busy }))
        .await
        .ok();
    alice
        .get(&format!("/_matrix/client/v3/sync?set_presence={busy}"))
        .await
        .ok();
    assert_eq!(alice.get(&path(&alice)).await.ok()["presence"], busy);
    alice
        .get("/_matrix/client/v3/sync?set_presence=asleep")
        .await
        .ok();
    assert_eq!(alice.get(&path(&alice)).await.ok()["presence"], busy);
}

#[tokio::test]
async fn who_sends_is_not_away() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice
        .post("/_matrix/client/v3/createRoom", json!({}))
        .await
        .ok();
    let room = room["room_id"].as_str().unwrap();
    let message = json!({ "msgtype": "m.text", "body": "here I am" });
    let doings = [
        (
            format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/1"),
            message,
        ),
        (
            format!("/_matrix/client/v3/rooms/{room}/typing/{}", alice.user_id),
            json!({ "typing": true }),
        ),
    ];
    for (doing, body) in doings {
        alice
            .get("/_matrix/client/v3/sync?set_presence=unavailable")
            .await
            .ok();
        let shown = alice.get(&path(&alice)).await.ok();
        assert_eq!(shown["presence"], "unavailable");
        alice.put(&doing, body).await.ok();
        let shown = alice.get(&path(&alice)).await.ok();
        assert_eq!(shown["presence"], "online", "{doing}");
    }
}
