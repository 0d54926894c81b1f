//! Filters as clients meet them.

use serde_json::json;

use crate::testing::Server;

#[tokio::test]
async fn a_filter_is_kept_for_its_user() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let filters = format!("/_matrix/client/v3/user/{}/filter", alice.user_id);
    let filter =
        json!({ "room": { "timeline": { "limit": 10 }, "state": { "lazy_load_members": true } } });
    let id = alice.post(&filters, filter.clone()).await.ok()["filter_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(alice.get(&format!("{filters}/{id}")).await.ok(), filter);
    assert_eq!(alice.post(&filters, filter).await.ok()["filter_id"], id);
    alice
        .get(&format!("{filters}/unknown"))
        .await
        .refused(404, "M_NOT_FOUND");
    bob.get(&format!("{filters}/{id}"))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&filters, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    alice
        .post(&filters, json!({ "room": 7 }))
        .await
        .refused(400, "M_BAD_JSON");
}
