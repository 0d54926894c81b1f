//! Account data as clients meet it.

use serde_json::json;

use crate::testing::{Client, Server};

fn path(client: &Client, rest: &str) -> String {
    format!("/_matrix/client/v3/user/{}/{rest}", client.user_id)
}

#[tokio::test]
async fn global_account_data_is_set_and_read_by_its_owner_alone() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let mine = path(&alice, "account_data/org.example.a");
    alice.get(&mine).await.refused(404, "M_NOT_FOUND");
    assert_eq!(alice.put(&mine, json!({ "n": 1 })).await.ok(), json!({}));
    assert_eq!(alice.get(&mine).await.ok(), json!({ "n": 1 }));
    bob.get(&mine).await.refused(403, "M_FORBIDDEN");
    bob.put(&mine, json!({})).await.refused(403, "M_FORBIDDEN");
    alice
        .put(&mine, json!([1]))
        .await
        .refused(400, "M_BAD_JSON");
}

#[tokio::test]
async fn what_the_server_manages_is_read_and_not_set() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let rules = path(&alice, "account_data/m.push_rules");
    alice
        .put(&rules, json!({}))
        .await
        .refused(405, "M_BAD_JSON");
    assert!(alice.get(&rules).await.ok()["global"]["override"].is_array());
    alice
        .put(&path(&alice, "account_data/m.fully_read"), json!({}))
        .await
        .refused(405, "M_BAD_JSON");
}

#[tokio::test]
async fn account_data_of_a_room_is_for_who_has_to_do_with_it() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .post("/_matrix/client/v3/createRoom", json!({}))
        .await
        .ok();
    let room = room["room_id"].as_str().unwrap();
    let kind = format!("rooms/{room}/account_data/org.example.a");
    alice
        .get(&path(&alice, &kind))
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .put(&path(&alice, &kind), json!({ "n": 1 }))
        .await
        .ok();
    assert_eq!(
        alice.get(&path(&alice, &kind)).await.ok(),
        json!({ "n": 1 })
    );
    alice
        .get(&path(&alice, "account_data/org.example.a"))
        .await
        .refused(404, "M_NOT_FOUND");
    bob.put(&path(&bob, &kind), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let unknown = "rooms/!unknown:example.org/account_data/org.example.a";
    bob.put(&path(&bob, unknown), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let marker = format!("rooms/{room}/account_data/m.fully_read");
    alice
        .put(&path(&alice, &marker), json!({}))
        .await
        .refused(405, "M_BAD_JSON");
}

#[tokio::test]
async fn account_data_is_deleted_and_devices_are_told() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice
        .post("/_matrix/client/v3/createRoom", json!({}))
        .await
        .ok();
    let room = room["room_id"].as_str().unwrap().to_owned();
    for place in [
        format!("user/{}/account_data/org.example", alice.user_id),
        format!(
            "user/{}/rooms/{room}/account_data/org.example",
            alice.user_id
        ),
    ] {
        let path = format!("/_matrix/client/v3/{place}");
        let delete = format!("/_matrix/client/unstable/org.matrix.msc3391/{place}");
        alice.delete(&delete).await.refused(404, "M_NOT_FOUND");
        alice.put(&path, json!({"secret": 7})).await.ok();
        let before = alice.get("/_matrix/client/v3/sync").await.ok();
        assert!(before.to_string().contains("\"secret\":7"));
        alice.delete(&delete).await.ok();
        alice.get(&path).await.refused(404, "M_NOT_FOUND");
        let since = before["next_batch"].as_str().unwrap();
        let after = alice
            .get(&format!("/_matrix/client/v3/sync?since={since}"))
            .await
            .ok();
        assert!(after.to_string().contains("org.example"), "{after}");
        let anew = alice.get("/_matrix/client/v3/sync").await.ok();
        assert!(!anew.to_string().contains("org.example"), "{anew}");
    }
}
