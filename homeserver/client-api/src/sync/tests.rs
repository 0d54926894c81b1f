//! Tests of sync through its endpoint.

use serde_json::json;

use crate::testing::Server;

#[tokio::test]
async fn a_client_follows_a_room_from_token_to_token() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let created = alice
        .post("/_matrix/client/v3/createRoom", json!({}))
        .await
        .ok();
    let room = created["room_id"].as_str().unwrap();
    let first = alice.get("/_matrix/client/v3/sync").await.ok();
    assert!(first["rooms"]["join"][room]["timeline"]["events"].is_array());
    let since = first["next_batch"].as_str().unwrap();
    let send = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/1");
    let sent = alice
        .put(&send, json!({"msgtype": "m.text", "body": "hi"}))
        .await
        .ok();
    let second = alice
        .get(&format!(
            "/_matrix/client/v3/sync?since={since}&timeout=10000"
        ))
        .await
        .ok();
    let event = &second["rooms"]["join"][room]["timeline"]["events"][0];
    assert_eq!(event["event_id"], sent["event_id"]);
    assert_eq!(event["unsigned"]["transaction_id"], "1");
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let sync = |query: &str| format!("/_matrix/client/v3/sync?{query}");
    alice
        .get(&sync("since=nonsense"))
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .get(&sync("since=s999999_t0_p0_n0"))
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .get(&sync("filter=none"))
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .get(&sync("filter=%7B%22room%22:1%7D"))
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .get(&sync("timeout=soon"))
        .await
        .refused(400, "M_INVALID_PARAM");
    server
        .stranger()
        .get(&sync(""))
        .await
        .refused(401, "M_MISSING_TOKEN");
}
