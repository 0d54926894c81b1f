//! Profiles as clients meet them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::testing::{Client, Server};

fn path(client: &Client, rest: &str) -> String {
    format!("/_matrix/client/v3/profile/{}{rest}", client.user_id)
}

#[tokio::test]
async fn fields_are_set_by_their_owner_and_seen_by_all() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice
        .put(
            &path(&alice, "/displayname"),
            json!({ "displayname": "Alice" }),
        )
        .await
        .ok();
    alice
        .put(
            &path(&alice, "/org.example.pet"),
            json!({ "org.example.pet": { "name": "Rex" } }),
        )
        .await
        .ok();
    let expected = json!({ "displayname": "Alice", "org.example.pet": { "name": "Rex" } });
    assert_eq!(
        server.stranger().get(&path(&alice, "")).await.ok(),
        expected
    );
    let name = server
        .stranger()
        .get(&path(&alice, "/displayname"))
        .await
        .ok();
    assert_eq!(name, json!({ "displayname": "Alice" }));
    bob.get(&path(&alice, "/avatar_url"))
        .await
        .refused(404, "M_NOT_FOUND");
    bob.put(
        &path(&alice, "/displayname"),
        json!({ "displayname": "Eve" }),
    )
    .await
    .refused(403, "M_FORBIDDEN");
    bob.delete(&path(&alice, "/displayname"))
        .await
        .refused(403, "M_FORBIDDEN");
    alice.delete(&path(&alice, "/org.example.pet")).await.ok();
    alice
        .put(
            &path(&alice, "/displayname"),
            json!({ "displayname": null }),
        )
        .await
        .ok();
    assert_eq!(bob.get(&path(&alice, "")).await.ok(), json!({}));
    bob.get("/_matrix/client/v3/profile/@nobody:example.org")
        .await
        .refused(404, "M_NOT_FOUND");
    bob.get("/_matrix/client/v3/profile/@nobody:elsewhere.org")
        .await
        .refused(404, "M_NOT_FOUND");
    // As of old.
    let old = format!("/_matrix/client/r0/profile/{}/displayname", alice.user_id);
    alice
        .put(&old, json!({ "displayname": "Alice" }))
        .await
        .ok();
    assert_eq!(
        alice.get(&old).await.ok(),
        json!({ "displayname": "Alice" })
    );
}

#[tokio::test]
async fn values_are_checked() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let large = json!({ "org.example.large": "x".repeat(70_000) });
    let long = "x".repeat(260);
    for (field, body, errcode) in [
        ("displayname", json!({}), "M_MISSING_PARAM"),
        (
            "displayname",
            json!({ "displayname": 7 }),
            "M_INVALID_PARAM",
        ),
        (
            "avatar_url",
            json!({ "avatar_url": "https://example.org" }),
            "M_INVALID_PARAM",
        ),
        ("nonsense", json!({ "nonsense": 1 }), "M_INVALID_PARAM"),
        ("org.example.large", large, "M_PROFILE_TOO_LARGE"),
        (
            &format!("org.{long}"),
            json!({ format!("org.{long}"): 1 }),
            "M_KEY_TOO_LARGE",
        ),
    ] {
        alice
            .put(&path(&alice, &format!("/{field}")), body)
            .await
            .refused(400, errcode);
    }
    alice
        .put(&path(&alice, "/displayname"), json!("x"))
        .await
        .refused(400, "M_BAD_JSON");
}

#[tokio::test]
async fn rooms_show_the_new_name_and_keep_the_membership() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice
        .post("/_matrix/client/v3/createRoom", json!({}))
        .await
        .ok();
    let room = room["room_id"].as_str().unwrap();
    let member = format!(
        "/_matrix/client/v3/rooms/{room}/state/m.room.member/{}",
        alice.user_id
    );
    let becomes = async |expected: Value| {
        for _ in 0..200 {
            let shown = alice.get(&member).await.ok();
            if shown == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the member event never became {expected}");
    };
    alice
        .put(
            &path(&alice, "/displayname"),
            json!({ "displayname": "Alice" }),
        )
        .await
        .ok();
    becomes(json!({ "membership": "join", "displayname": "Alice" })).await;
    alice
        .put(
            &path(&alice, "/avatar_url"),
            json!({ "avatar_url": "mxc://example.org/a" }),
        )
        .await
        .ok();
    becomes(json!({ "membership": "join", "displayname": "Alice", "avatar_url": "mxc://example.org/a" })).await;
    alice.delete(&path(&alice, "/displayname")).await.ok();
    becomes(json!({ "membership": "join", "avatar_url": "mxc://example.org/a" })).await;
}
