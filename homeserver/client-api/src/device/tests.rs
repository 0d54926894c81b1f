//! Devices as clients meet them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::testing::{Client, Server};

const DEVICES: &str = "/_matrix/client/v3/devices";

fn password(client: &Client, session: &Value) -> Value {
    let identifier = json!({ "type": "m.id.user", "user": client.user_id });
    json!({ "auth": {
        "type": "m.login.password", "identifier": identifier, "password": "the password", "session": session,
    } })
}

#[tokio::test]
async fn devices_are_listed_shown_and_renamed() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    server.log_in(&alice.user_id).await;
    assert_eq!(
        alice.get(DEVICES).await.ok()["devices"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let mine = format!("{DEVICES}/{}", alice.device_id);
    let unnamed = alice.get(&mine).await.ok();
    // matrix-nio refuses a device that lacks one of them.
    for field in ["display_name", "last_seen_ip", "last_seen_ts"] {
        assert!(unnamed.get(field).is_some(), "{field} in {unnamed}");
    }
    assert_eq!(
        alice
            .put(&mine, json!({ "display_name": "Phone" }))
            .await
            .ok(),
        json!({})
    );
    alice.put(&mine, json!({})).await.ok();
    let shown = alice.get(&mine).await.ok();
    assert_eq!(
        (&shown["device_id"], &shown["display_name"]),
        (&json!(alice.device_id), &json!("Phone"))
    );
    alice
        .get(&format!("{DEVICES}/OTHER"))
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .put(&format!("{DEVICES}/OTHER"), json!({ "display_name": "x" }))
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .put(&format!("{DEVICES}/OTHER"), json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_device_goes_when_its_user_has_proved_it_for_that_device() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let (one, two) = (
        server.log_in(&alice.user_id).await,
        server.log_in(&alice.user_id).await,
    );
    let (first, second) = (
        format!("{DEVICES}/{}", one.device_id),
        format!("{DEVICES}/{}", two.device_id),
    );
    let asked = alice.call(Method::DELETE, &first, Some(json!({}))).await;
    assert_eq!(asked.status, 401);
    let proof = password(&alice, &asked.json["session"]);
    alice
        .call(Method::DELETE, &second, Some(proof.clone()))
        .await
        .refused(401, "M_FORBIDDEN");
    alice
        .call(Method::DELETE, &first, Some(proof.clone()))
        .await
        .ok();
    one.get(DEVICES).await.refused(401, "M_UNKNOWN_TOKEN");
    two.get(DEVICES).await.ok();
    let again = alice.call(Method::DELETE, &first, Some(proof)).await;
    assert_eq!(again.status, 401, "a session passes once");
    // Without a body at all the flows are told too.
    assert_eq!(alice.delete(&second).await.status, 401);
}

#[tokio::test]
async fn several_devices_go_at_once() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let others = [
        server.log_in(&alice.user_id).await,
        server.log_in(&alice.user_id).await,
    ];
    let path = "/_matrix/client/v3/delete_devices";
    let mut body = json!({ "devices": [others[0].device_id, others[1].device_id, "UNKNOWN"] });
    let asked = alice.post(path, body.clone()).await;
    body["auth"] = password(&alice, &asked.json["session"])["auth"].clone();
    alice.post(path, body).await.ok();
    assert_eq!(
        alice.get(DEVICES).await.ok()["devices"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
