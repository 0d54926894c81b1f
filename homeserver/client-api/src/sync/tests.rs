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

#[tokio::test]
async fn a_client_slides_over_its_rooms() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let created = alice
        .post("/_matrix/client/v3/createRoom", json!({"name": "Here"}))
        .await
        .ok();
    let room = created["room_id"].as_str().unwrap();
    let sync = |query: &str| format!("{}?{query}", super::sliding_sync::PATH);
    let list = json!({"ranges": [[0, 19]], "timeline_limit": 1, "required_state": []});
    let body = json!({"conn_id": "rooms", "txn_id": "1", "lists": {"all": list}});
    let first = alice.post(&sync("timeout=0"), body.clone()).await.ok();
    assert_eq!(first["rooms"][room]["name"], "Here");
    assert_eq!(
        (&first["lists"]["all"]["count"], &first["txn_id"]),
        (&json!(1), &json!("1"))
    );
    let send = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/1");
    let sent = alice
        .put(&send, json!({"msgtype": "m.text", "body": "hi"}))
        .await
        .ok();
    let pos = first["pos"].as_str().unwrap();
    let second = alice
        .post(&sync(&format!("pos={pos}&timeout=10000")), body.clone())
        .await
        .ok();
    let event = &second["rooms"][room]["timeline"][0];
    assert_eq!(event["event_id"], sent["event_id"]);
    assert_eq!(event["unsigned"]["transaction_id"], "1");
    // The token belongs to the connection, and is over once a later one was used.
    alice
        .post(&sync(&format!("pos={pos}")), json!({}))
        .await
        .refused(400, "M_UNKNOWN_POS");
    let pos = second["pos"].as_str().unwrap();
    alice
        .post(&sync(&format!("pos={pos}")), body.clone())
        .await
        .ok();
    for unknown in ["nonsense", "1_1", first["pos"].as_str().unwrap()] {
        alice
            .post(&sync(&format!("pos={unknown}")), body.clone())
            .await
            .refused(400, "M_UNKNOWN_POS");
    }
    alice
        .post(&sync(""), json!({"lists": {"all": {"ranges": [[3, 2]]}}}))
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .post(&sync(""), json!({"lists": {"all": {"ranges": "all"}}}))
        .await
        .refused(400, "M_BAD_JSON");
    alice
        .post(&sync("set_presence=asleep"), json!({}))
        .await
        .refused(400, "M_INVALID_PARAM");
    let versions = alice.get("/_matrix/client/versions").await.ok();
    assert_eq!(
        versions["unstable_features"]["org.matrix.simplified_msc3575"],
        true
    );
}
