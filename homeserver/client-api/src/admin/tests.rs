//! Locking and suspending as administrators and the locked meet it.

use serde_json::json;

use crate::testing::{Client, Server};

fn path(what: &str, client: &Client) -> String {
    format!("/_matrix/client/v1/admin/{what}/{}", client.user_id)
}

#[tokio::test]
async fn administrators_lock_and_unlock() {
    let server = Server::start().await;
    let (admin, alice) = (
        server.register("admin").await,
        server.register("alice").await,
    );
    admin
        .put(&path("lock", &alice), json!({ "locked": true }))
        .await
        .refused(403, "M_FORBIDDEN");
    server
        .state
        .users
        .set_admin(&admin.user_id, true)
        .await
        .unwrap();
    assert_eq!(
        admin
            .put(&path("lock", &alice), json!({ "locked": true }))
            .await
            .ok(),
        json!({ "locked": true })
    );
    assert_eq!(
        admin.get(&path("lock", &alice)).await.ok(),
        json!({ "locked": true })
    );
    let whoami = "/_matrix/client/v3/account/whoami";
    assert_eq!(
        alice.get(whoami).await.refused(401, "M_USER_LOCKED")["soft_logout"],
        true
    );
    admin
        .put(&path("lock", &alice), json!({ "locked": false }))
        .await
        .ok();
    alice.get(whoami).await.ok();
    admin
        .put(&path("lock", &admin), json!({ "locked": true }))
        .await
        .refused(403, "M_FORBIDDEN");
    admin
        .get("/_matrix/client/v1/admin/lock/@nobody:example.org")
        .await
        .refused(404, "M_NOT_FOUND");
    admin
        .get("/_matrix/client/v1/admin/lock/@x:elsewhere.org")
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn the_suspended_read_and_log_out() {
    let server = Server::start().await;
    let (admin, alice) = (
        server.register("admin").await,
        server.register("alice").await,
    );
    server
        .state
        .users
        .set_admin(&admin.user_id, true)
        .await
        .unwrap();
    admin
        .put(&path("suspend", &alice), json!({ "suspended": true }))
        .await
        .ok();
    assert_eq!(
        admin.get(&path("suspend", &alice)).await.ok(),
        json!({ "suspended": true })
    );
    alice.get("/_matrix/client/v3/account/whoami").await.ok();
    alice
        .post("/_matrix/client/v3/logout", json!({}))
        .await
        .ok();
}

#[tokio::test]
async fn where_somebody_is_logged_in_is_for_them_and_for_administrators() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let whois = format!("/_matrix/client/v3/admin/whois/{}", alice.user_id);
    let shown = alice.get(&whois).await.ok();
    assert_eq!(shown["user_id"], alice.user_id.as_str());
    assert!(shown["devices"][alice.device_id.as_str()]["sessions"].is_array());
    bob.get(&whois).await.refused(403, "M_FORBIDDEN");
    server
        .state
        .users
        .set_admin(&bob.user_id, true)
        .await
        .unwrap();
    bob.get(&whois).await.ok();
    bob.get("/_matrix/client/v3/admin/whois/@nobody:example.org")
        .await
        .refused(404, "M_NOT_FOUND");
}
