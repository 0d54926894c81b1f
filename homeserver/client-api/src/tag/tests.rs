//! Tags as clients meet them.

use serde_json::json;

use crate::testing::Server;

#[tokio::test]
async fn rooms_are_tagged_by_their_people() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .post("/_matrix/client/v3/createRoom", json!({}))
        .await
        .ok();
    let room = room["room_id"].as_str().unwrap();
    let tags = format!(
        "/_matrix/client/v3/user/{}/rooms/{room}/tags",
        alice.user_id
    );
    assert_eq!(alice.get(&tags).await.ok(), json!({ "tags": {} }));
    alice
        .put(&format!("{tags}/m.favourite"), json!({ "order": 0.25 }))
        .await
        .ok();
    alice.put(&format!("{tags}/u.work"), json!({})).await.ok();
    let expected = json!({ "tags": { "m.favourite": { "order": 0.25 }, "u.work": {} } });
    assert_eq!(alice.get(&tags).await.ok(), expected);
    let shown = format!(
        "/_matrix/client/v3/user/{}/rooms/{room}/account_data/m.tag",
        alice.user_id
    );
    assert_eq!(alice.get(&shown).await.ok(), expected);
    alice.delete(&format!("{tags}/u.work")).await.ok();
    assert_eq!(
        alice.get(&tags).await.ok(),
        json!({ "tags": { "m.favourite": { "order": 0.25 } } })
    );
    bob.get(&tags).await.refused(403, "M_FORBIDDEN");
    let long = format!("{tags}/{}", "x".repeat(256));
    alice
        .put(&long, json!({}))
        .await
        .refused(400, "M_INVALID_PARAM");
}
