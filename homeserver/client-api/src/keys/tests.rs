//! Keys of devices as clients meet them.

use serde_json::{Value, json};

use crate::testing::{Client, Server, keys};

const UPLOAD: &str = "/_matrix/client/v3/keys/upload";

fn one_time_key(key: &str) -> Value {
    json!({ "key": key, "signatures": {} })
}

#[tokio::test]
async fn keys_are_uploaded_asked_for_and_claimed() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let device_keys = keys::device(&alice, alice.device_id.as_str(), &keys::pair());
    let upload = json!({
        "device_keys": device_keys,
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
    assert_eq!(keys["keys"], device_keys["keys"]);
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
    let foreign = keys::device(&bob, bob.device_id.as_str(), &keys::pair());
    let foreign = json!({ "device_keys": foreign });
    alice
        .post(UPLOAD, foreign)
        .await
        .refused(400, "M_INVALID_PARAM");
    let mut unsigned = keys::device(&alice, alice.device_id.as_str(), &keys::pair());
    unsigned["signatures"] = json!({});
    alice
        .post(UPLOAD, json!({ "device_keys": unsigned }))
        .await
        .refused(400, "M_INVALID_SIGNATURE");
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

const SIGNING: &str = "/_matrix/client/v3/keys/device_signing/upload";

/// A person's three cross-signing keys.
struct Keys {
    master: ruma::signatures::Ed25519KeyPair,
    upload: Value,
}

fn cross_signing(client: &Client) -> Keys {
    let (master, own, user) = (keys::pair(), keys::pair(), keys::pair());
    let upload = json!({
        "master_key": keys::cross_signing(client, "master", &master, None),
        "self_signing_key": keys::cross_signing(client, "self_signing", &own, Some(&master)),
        "user_signing_key": keys::cross_signing(client, "user_signing", &user, Some(&master)),
    });
    Keys { master, upload }
}

fn with_password(client: &Client, mut upload: Value, session: &Value) -> Value {
    upload["auth"] = json!({
        "type": "m.login.password", "password": "the password", "session": session,
        "identifier": { "type": "m.id.user", "user": client.user_id },
    });
    upload
}

#[tokio::test]
async fn cross_signing_keys_are_replaced_by_their_owner_alone() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let first = cross_signing(&alice);
    for _ in 0..2 {
        assert_eq!(
            alice.post(SIGNING, first.upload.clone()).await.ok(),
            json!({})
        );
    }
    let second = cross_signing(&alice);
    let asked = alice.post(SIGNING, second.upload.clone()).await;
    assert_eq!(asked.status, 401, "{}", asked.json);
    let session = &asked.json["session"];
    // The proof is for these keys and no others.
    let third = with_password(&alice, cross_signing(&alice).upload, session);
    let query = json!({ "device_keys": { alice.user_id.as_str(): [] } });
    let confirmed = with_password(&alice, second.upload.clone(), session);
    alice.post(SIGNING, confirmed).await.ok();
    assert_eq!(alice.post(SIGNING, third).await.status, 401);
    let found = alice
        .post("/_matrix/client/v3/keys/query", query.clone())
        .await
        .ok();
    for (of, key) in [
        ("master_keys", "master_key"),
        ("self_signing_keys", "self_signing_key"),
        ("user_signing_keys", "user_signing_key"),
    ] {
        assert_eq!(
            found[of][alice.user_id.as_str()]["keys"],
            second.upload[key]["keys"]
        );
    }
    let found = bob.post("/_matrix/client/v3/keys/query", query).await.ok();
    assert!(found["master_keys"][alice.user_id.as_str()].is_object());
    assert!(found.get("user_signing_keys").is_none(), "{found}");
}

#[tokio::test]
async fn cross_signing_keys_that_are_wrong_have_their_errcodes() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let good = cross_signing(&alice);
    let mut alone = good.upload.clone();
    alone.as_object_mut().unwrap().remove("master_key");
    alice
        .post(SIGNING, alone)
        .await
        .refused(400, "M_MISSING_PARAM");
    let mut forged = good.upload.clone();
    let own = keys::pair();
    let key = keys::cross_signing(&alice, "self_signing", &own, None);
    forged["self_signing_key"] = keys::signed(
        key,
        alice.user_id.as_str(),
        &keys::public(&good.master),
        &own,
    );
    alice
        .post(SIGNING, forged)
        .await
        .refused(400, "M_INVALID_SIGNATURE");
    let mut usage = good.upload.clone();
    usage["master_key"]["usage"] = json!(["self_signing"]);
    alice
        .post(SIGNING, usage)
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .post(SIGNING, json!({ "master_key": "text" }))
        .await
        .refused(400, "M_BAD_JSON");
}

#[tokio::test]
async fn signatures_are_kept_and_refused_one_by_one() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (device, device_id) = (keys::pair(), alice.device_id.as_str());
    let device_keys = keys::device(&alice, device_id, &device);
    alice
        .post(UPLOAD, json!({ "device_keys": device_keys }))
        .await
        .ok();
    let own = cross_signing(&alice);
    alice.post(SIGNING, own.upload.clone()).await.ok();
    let public = keys::public(&own.master);
    let master = own.upload["master_key"].clone();
    let by_device = keys::signed(master, alice.user_id.as_str(), device_id, &device);
    let signed = json!({ alice.user_id.as_str(): {
        public.as_str(): by_device,
        device_id: keys::signed(device_keys, alice.user_id.as_str(), &public, &own.master),
        "UNKNOWN": {},
    } });
    let path = "/_matrix/client/v3/keys/signatures/upload";
    let failures = alice.post(path, signed).await.ok()["failures"].clone();
    let failed = &failures[alice.user_id.as_str()];
    assert_eq!(failed["UNKNOWN"]["errcode"], "M_NOT_FOUND");
    assert!(failed[public.as_str()].is_null(), "{failures}");
    let query = json!({ "device_keys": { alice.user_id.as_str(): [] } });
    let found = bob.post("/_matrix/client/v3/keys/query", query).await.ok();
    let master = &found["master_keys"][alice.user_id.as_str()];
    let by = &master["signatures"][alice.user_id.as_str()];
    assert!(by[format!("ed25519:{device_id}")].is_string(), "{found}");
    let other = alice.post(path, json!({ "nobody": {} })).await;
    assert_eq!(other.status, 400);
}

#[tokio::test]
async fn changes_of_keys_are_told_since_a_token() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = json!({ "preset": "public_chat", "initial_state": [
        { "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } },
    ] });
    let room = alice.post("/_matrix/client/v3/createRoom", room).await.ok();
    let start = bob.get("/_matrix/client/v3/sync").await.ok()["next_batch"].clone();
    let join = format!(
        "/_matrix/client/v3/join/{}",
        room["room_id"].as_str().unwrap()
    );
    bob.post(&join, json!({})).await.ok();
    let changes = async |client: &Client, from: &Value| {
        let from = from.as_str().unwrap();
        let path = format!("/_matrix/client/v3/keys/changes?from={from}&to={from}");
        client.get(&path).await.ok()
    };
    let expected = json!({ "changed": [alice.user_id], "left": [] });
    assert_eq!(changes(&bob, &start).await, expected);
    let now = bob.get("/_matrix/client/v3/sync").await.ok()["next_batch"].clone();
    assert_eq!(
        changes(&bob, &now).await,
        json!({ "changed": [], "left": [] })
    );
    let device_keys = keys::device(&alice, alice.device_id.as_str(), &keys::pair());
    alice
        .post(UPLOAD, json!({ "device_keys": device_keys }))
        .await
        .ok();
    assert_eq!(changes(&bob, &now).await, expected);
    let leave = room["room_id"].as_str().unwrap();
    bob.post(
        &format!("/_matrix/client/v3/rooms/{leave}/leave"),
        json!({}),
    )
    .await
    .ok();
    let expected = json!({ "changed": [], "left": [alice.user_id] });
    assert_eq!(changes(&bob, &now).await, expected);
    bob.get("/_matrix/client/v3/keys/changes?from=nonsense&to=s1")
        .await
        .refused(400, "M_INVALID_PARAM");
    bob.get("/_matrix/client/v3/keys/changes?from=s1")
        .await
        .refused(400, "M_MISSING_PARAM");
}
