//! Messages to devices as clients meet them.

use orvale_storage::Position;
use serde_json::json;

use crate::testing::Server;

#[tokio::test]
async fn a_message_arrives_once_however_often_it_is_sent() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let path = "/_matrix/client/v3/sendToDevice/m.test/1";
    let body = json!({ "messages": { bob.user_id.as_str(): { "*": { "n": 1 } } } });
    for _ in 0..2 {
        assert_eq!(alice.put(path, body.clone()).await.ok(), json!({}));
    }
    let users = &server.state.users;
    let waiting = users
        .to_device_messages(
            &bob.user_id,
            &bob.device_id,
            Position::START,
            Position::END,
            10,
        )
        .unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0].1.sender.as_str(), waiting[0].1.kind.as_str()),
        (alice.user_id.as_str(), "m.test")
    );
    alice.put(path, json!({})).await.refused(400, "M_BAD_JSON");
    let nonsense = json!({ "messages": { bob.user_id.as_str(): { "*": 7 } } });
    alice
        .put("/_matrix/client/v3/sendToDevice/m.test/2", nonsense)
        .await
        .refused(400, "M_BAD_JSON");
}
