//! Key backup as clients meet it.

use serde_json::{Value, json};

use crate::testing::{Client, Server};

const VERSION: &str = "/_matrix/client/v3/room_keys/version";
const KEYS: &str = "/_matrix/client/v3/room_keys/keys";

fn algorithm(key: &str) -> Value {
    json!({ "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2", "auth_data": { "public_key": key, "signatures": {} } })
}

fn session(first: u64) -> Value {
    json!({
        "first_message_index": first, "forwarded_count": 0, "is_verified": true,
        "session_data": { "ephemeral": "AAAA", "ciphertext": "BBBB", "mac": "CCCC" },
    })
}

async fn with_backup() -> (Server, Client) {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let made = alice.post(VERSION, algorithm("abc")).await.ok();
    assert_eq!(made, json!({ "version": "1" }));
    (server, alice)
}

#[tokio::test]
async fn versions_are_made_read_changed_and_deleted() {
    let (_server, alice) = with_backup().await;
    let mut expected = algorithm("abc");
    for (key, value) in [
        ("count", json!(0)),
        ("etag", json!("0")),
        ("version", json!("1")),
    ] {
        expected[key] = value;
    }
    assert_eq!(alice.get(VERSION).await.ok(), expected);
    let first = format!("{VERSION}/1");
    assert_eq!(alice.get(&first).await.ok(), expected);
    let mut other = algorithm("def");
    other["version"] = json!("1");
    assert_eq!(alice.put(&first, other.clone()).await.ok(), json!({}));
    assert_eq!(
        alice.get(&first).await.ok()["auth_data"]["public_key"],
        "def"
    );
    other["version"] = json!("2");
    alice
        .put(&first, other)
        .await
        .refused(400, "M_INVALID_PARAM");
    let mut unlike = algorithm("def");
    unlike["algorithm"] = json!("other");
    alice
        .put(&first, unlike)
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .put(&format!("{VERSION}/2"), algorithm("x"))
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .post(VERSION, json!({ "algorithm": "x", "auth_data": [] }))
        .await
        .refused(400, "M_BAD_JSON");
    for _ in 0..2 {
        assert_eq!(alice.delete(&first).await.ok(), json!({}));
    }
    alice
        .delete(&format!("{VERSION}/2"))
        .await
        .refused(404, "M_NOT_FOUND");
    alice.get(VERSION).await.refused(404, "M_NOT_FOUND");
    alice.get(&first).await.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn sessions_are_kept_read_and_deleted_at_every_path() {
    let (_server, alice) = with_backup().await;
    let (one, room, all) = (
        format!("{KEYS}/!a:example.org/S?version=1"),
        format!("{KEYS}/!a:example.org?version=1"),
        format!("{KEYS}?version=1"),
    );
    let state = |count, etag: &str| json!({ "count": count, "etag": etag });
    assert_eq!(alice.put(&one, session(5)).await.ok(), state(1, "1"));
    assert_eq!(alice.put(&one, session(9)).await.ok(), state(1, "1"));
    assert_eq!(alice.get(&one).await.ok(), session(5));
    let sessions = json!({ "sessions": { "S": session(3), "T": session(0) } });
    assert_eq!(alice.put(&room, sessions.clone()).await.ok(), state(2, "2"));
    assert_eq!(alice.get(&room).await.ok(), sessions);
    let other = json!({ "rooms": { "!b:example.org": { "sessions": { "S": session(1) } } } });
    assert_eq!(alice.put(&all, other).await.ok(), state(3, "3"));
    let found = alice.get(&all).await.ok();
    assert_eq!(found["rooms"]["!a:example.org"], sessions);
    assert_eq!(
        found["rooms"]["!b:example.org"]["sessions"]["S"],
        session(1)
    );
    assert_eq!(alice.get(VERSION).await.ok()["count"], 3);

    assert_eq!(alice.delete(&one).await.ok(), state(2, "4"));
    alice.get(&one).await.refused(404, "M_NOT_FOUND");
    assert_eq!(alice.delete(&room).await.ok(), state(1, "5"));
    assert_eq!(alice.get(&room).await.ok(), json!({ "sessions": {} }));
    assert_eq!(alice.delete(&all).await.ok(), state(0, "6"));
    assert_eq!(alice.get(&all).await.ok(), json!({ "rooms": {} }));
}

#[tokio::test]
async fn sessions_are_written_to_the_current_version_alone_and_each_has_their_own() {
    let (server, alice) = with_backup().await;
    assert_eq!(
        alice.post(VERSION, algorithm("x")).await.ok()["version"],
        "2"
    );
    let path = |version| format!("{KEYS}/!a:example.org/S?version={version}");
    for wrong in ["1", "3"] {
        let refused = alice.put(&path(wrong), session(0)).await;
        let body = refused.refused(403, "M_WRONG_ROOM_KEYS_VERSION");
        assert_eq!(body["current_version"], "2");
    }
    alice.get(&path("1")).await.refused(404, "M_NOT_FOUND");
    alice
        .put(&path("2"), json!({ "is_verified": 5 }))
        .await
        .refused(400, "M_BAD_JSON");
    alice.put(&path("2"), session(0)).await.ok();
    let bob = server.register("bob").await;
    bob.get(&path("2")).await.refused(404, "M_NOT_FOUND");
    bob.put(&path("2"), session(0))
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .get(&format!("{KEYS}?version=9"))
        .await
        .refused(404, "M_NOT_FOUND");
    alice.get(KEYS).await.refused(400, "M_MISSING_PARAM");
    server
        .stranger()
        .get(VERSION)
        .await
        .refused(401, "M_MISSING_TOKEN");
}
