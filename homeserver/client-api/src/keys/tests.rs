//! Keys of devices as clients meet them.

use serde_json::{Value, json};

use crate::testing::{Client, Server};

const UPLOAD: &str = "/_matrix/client/v3/keys/upload";

fn device_keys(client: &Client) -> Value {
    json!({
        "user_id": client.user_id,
        "device_id": client.device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
        "keys": {
            format!("curve25519:{}", client.device_id): "3C5BFWi2Y8MaVvjM8M22DBmh24PmgR0nPvJOIArzgyI",
            format!("ed25519:{}", client.device_id): "lEuiRJBit0IG6nUf5pUzWTUEsRVVe/HJkoKuEww9ULI",
        },
        "signatures": {},
    })
}

fn one_time_key(key: &str) -> Value {
    json!({ "key": key, "signatures": {} })
}

#[tokio::test]
async fn keys_are_uploaded_asked_for_and_claimed() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let upload = json!({
        "device_keys": device_keys(&alice),
        "one_time_keys": { "signed_curve25519:A": one_time_key("zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs") },
    });
    for _ in 0..2 {
        let counts = alice.post(UPLOAD, upload.clone()).await.ok();
        assert_eq!(
            counts,
            json!({ "one_time_key_counts": { "signed_curve25519": 1 } })
        );
    }
    let asked = json!({ "device_keys": { alice.user_id.as_str(): [], "@x:elsewhere.org": [] } });
    let found = bob.post("/_matrix/client/v3/keys/query", asked).await.ok();
    let keys = &found["device_keys"][alice.user_id.as_str()][alice.device_id.as_str()];
    assert_eq!(keys["keys"], device_keys(&alice)["keys"]);
    assert!(found["failures"]["elsewhere.org"].is_object());
    let wanted = json!({ "one_time_keys": {
        alice.user_id.as_str(): { alice.device_id.as_str(): "signed_curve25519" },
    } });
    let claimed = bob
        .post("/_matrix/client/v3/keys/claim", wanted.clone())
        .await
        .ok();
    let key = &claimed["one_time_keys"][alice.user_id.as_str()][alice.device_id.as_str()]["signed_curve25519:A"];
    assert_eq!(key["key"], "zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs");
    let again = bob.post("/_matrix/client/v3/keys/claim", wanted).await.ok();
    assert_eq!(again["one_time_keys"], json!({}));
}

#[tokio::test]
async fn keys_of_others_and_other_keys_of_one_id_are_refused() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let foreign = json!({ "device_keys": device_keys(&bob) });
    alice
        .post(UPLOAD, foreign)
        .await
        .refused(400, "M_INVALID_PARAM");
    let one = |key: &str| json!({ "one_time_keys": { "signed_curve25519:A": one_time_key(key) } });
    alice
        .post(UPLOAD, one("zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs"))
        .await
        .ok();
    alice
        .post(UPLOAD, one("j3fR3HemM16M7CWhoI4Sk5ZsdmdfQHsKL1xuSft6MSw"))
        .await
        .refused(400, "M_INVALID_PARAM");
    server
        .stranger()
        .post(UPLOAD, json!({}))
        .await
        .refused(401, "M_MISSING_TOKEN");
}
