//! Whose devices a client is told of: exactly whose keys it needs anew, whatever its filter, its gaps, or a restart.

use std::{collections::BTreeMap, sync::Arc};

use orvale_rooms::Room;
use orvale_users::{CrossSigningKeys, SignedKeys};
use ruma::{
    CanonicalJsonObject, OwnedUserId, UserId,
    serde::{Base64, Raw, base64::Standard},
    signatures::{Ed25519KeyPair, KeyPair, to_canonical_json_string_for_signing},
};
use serde_json::{Value, json};

use crate::testing::{Client, TestServer, member, state};

async fn encrypt(server: &TestServer, room: &Arc<Room>, by: &UserId) {
    let content = json!({ "algorithm": "m.megolm.v1.aes-sha2" });
    server
        .did(room, state(by, "m.room.encryption", "", &content))
        .await;
}

async fn encrypted(server: &TestServer, by: &UserId) -> Arc<Room> {
    let room = server.room(by).await;
    encrypt(server, &room, by).await;
    room
}

async fn leave(server: &TestServer, room: &Arc<Room>, user_id: &UserId) {
    server.did(room, member(user_id, user_id, "leave")).await;
}

/// A user's devices change.
async fn devices_change(server: &TestServer, user_id: &UserId) {
    let new = server.users.open_session(user_id, None, None, false).await;
    let device_id = new.unwrap().device_id;
    let renamed = server.users.rename_device(user_id, &device_id, "Phone");
    renamed.await.unwrap();
}

/// What the next sync says: who changed, who left.
async fn told(client: &mut Client<'_>) -> (Vec<String>, Vec<String>) {
    let answer = client.sync().await;
    let list = |key: &str| {
        let users = answer["device_lists"][key].as_array().cloned();
        let users = users.unwrap_or_default().into_iter();
        users
            .map(|user| user.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    (list("changed"), list("left"))
}

fn ids<const N: usize>(users: [&OwnedUserId; N]) -> Vec<String> {
    users.iter().map(ToString::to_string).collect()
}

const NOBODY: Vec<String> = Vec::new();

#[tokio::test]
async fn who_shares_a_new_encrypted_room_is_told_and_who_shares_none_any_more() {
    let server = TestServer::start();
    let (alice, bob, carol) = (
        server.user("alice").await,
        server.user("bob").await,
        server.user("carol").await,
    );
    let (first, second) = (
        encrypted(&server, &alice).await,
        encrypted(&server, &alice).await,
    );
    let plain = server.room(&alice).await;
    let mut client = server.client(&alice);
    client.sync().await;
    server.join(&plain, &carol).await;
    assert_eq!(
        told(&mut client).await,
        (NOBODY, NOBODY),
        "no keys are needed there"
    );
    server.join(&first, &bob).await;
    assert_eq!(told(&mut client).await, (ids([&bob]), NOBODY));
    server.send(&first, &bob, "hello").await;
    assert_eq!(told(&mut client).await, (NOBODY, NOBODY));
    server.join(&second, &bob).await;
    client.sync().await;
    leave(&server, &first, &bob).await;
    assert_eq!(told(&mut client).await, (NOBODY, NOBODY), "one is left");
    leave(&server, &second, &bob).await;
    assert_eq!(told(&mut client).await, (NOBODY, ids([&bob])));
    encrypt(&server, &plain, &alice).await;
    assert_eq!(told(&mut client).await, (ids([&carol]), NOBODY));
}

#[tokio::test]
async fn who_joins_or_leaves_themselves_meets_and_parts_from_all() {
    let server = TestServer::start();
    let (alice, bob, carol) = (
        server.user("alice").await,
        server.user("bob").await,
        server.user("carol").await,
    );
    let (room, other) = (
        encrypted(&server, &bob).await,
        encrypted(&server, &carol).await,
    );
    server.join(&room, &carol).await;
    server.join(&other, &alice).await;
    let mut client = server.client(&alice);
    client.sync().await;
    server.join(&room, &alice).await;
    let (changed, left) = told(&mut client).await;
    assert!(changed.contains(&bob.to_string()) && left.is_empty());
    assert!(!changed.contains(&alice.to_string()));
    leave(&server, &room, &alice).await;
    assert_eq!(told(&mut client).await, (NOBODY, ids([&bob])));
    // There and back, or back and there, between two syncs is nothing.
    server.join(&room, &alice).await;
    leave(&server, &room, &alice).await;
    assert_eq!(told(&mut client).await, (NOBODY, NOBODY));
    server.join(&room, &alice).await;
    client.sync().await;
    leave(&server, &room, &alice).await;
    server.join(&room, &alice).await;
    assert_eq!(told(&mut client).await, (NOBODY, NOBODY));
}

#[tokio::test]
async fn filters_and_gaps_hide_nobody() {
    let server = TestServer::start();
    let (alice, bob, carol) = (
        server.user("alice").await,
        server.user("bob").await,
        server.user("carol").await,
    );
    let room = encrypted(&server, &alice).await;
    server.join(&room, &carol).await;
    let filters = [
        json!({"room": {"rooms": []}}),
        json!({"room": {"not_rooms": [room.id]}}),
        json!({"room": {"timeline": {"limit": 1}, "state": {"lazy_load_members": true}}}),
        json!({"room": {"timeline": {"types": []}, "state": {"types": []}}}),
    ];
    let mut clients: Vec<_> = filters
        .into_iter()
        .map(|filter| server.client(&alice).filtered(filter))
        .collect();
    for client in &mut clients {
        client.sync().await;
    }
    server.join(&room, &bob).await;
    leave(&server, &room, &carol).await;
    for n in 0..40 {
        server.send(&room, &alice, &n.to_string()).await;
    }
    for client in &mut clients {
        assert_eq!(
            told(client).await,
            (ids([&bob]), ids([&carol])),
            "{}",
            client.filter
        );
    }
    for n in 0..40 {
        server.send(&room, &alice, &n.to_string()).await;
        if n == 20 {
            leave(&server, &room, &bob).await;
            server.join(&room, &bob).await;
        }
    }
    for client in &mut clients {
        assert_eq!(told(client).await, (NOBODY, NOBODY), "{}", client.filter);
    }
}

#[tokio::test]
async fn changed_devices_are_told_to_who_shares_a_room_also_after_a_restart() {
    let mut server = TestServer::start();
    let (alice, bob, carol) = (
        server.user("alice").await,
        server.user("bob").await,
        server.user("carol").await,
    );
    let room = encrypted(&server, &alice).await;
    server.join(&room, &bob).await;
    let since = {
        let mut client = server.client(&alice);
        client.sync().await;
        devices_change(&server, &bob).await;
        devices_change(&server, &carol).await;
        assert_eq!(told(&mut client).await, (ids([&bob]), NOBODY));
        devices_change(&server, &alice).await;
        let before = client.since.clone();
        assert_eq!(told(&mut client).await, (ids([&alice]), NOBODY));
        devices_change(&server, &bob).await;
        devices_change(&server, &carol).await;
        before
    };
    server.restart();
    let mut client = server.client(&alice);
    client.since = since;
    assert_eq!(told(&mut client).await, (ids([&alice, &bob]), NOBODY));
    assert_eq!(told(&mut client).await, (NOBODY, NOBODY));
    leave(&server, &room, &bob).await;
    devices_change(&server, &bob).await;
    assert_eq!(told(&mut client).await, (NOBODY, ids([&bob])));
    devices_change(&server, &bob).await;
    assert_eq!(
        told(&mut client).await,
        (NOBODY, NOBODY),
        "no business of hers"
    );
}

fn public(pair: &Ed25519KeyPair) -> String {
    Base64::<Standard, _>::new(pair.public_key()).encode()
}

fn signed(mut object: Value, by: &UserId, pair: &Ed25519KeyPair) -> Value {
    let canonical: CanonicalJsonObject = serde_json::from_value(object.clone()).unwrap();
    let text = to_canonical_json_string_for_signing(&canonical).unwrap();
    let signature = pair.sign(text.as_bytes()).base64();
    object["signatures"][by.as_str()][format!("ed25519:{}", public(pair))] = json!(signature);
    object
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_der(&Ed25519KeyPair::generate(), "1".to_owned()).unwrap()
}

fn key(user_id: &UserId, usage: &str, pair: &Ed25519KeyPair) -> Value {
    let public = public(pair);
    json!({ "user_id": user_id, "usage": [usage], "keys": { format!("ed25519:{public}"): public } })
}

#[tokio::test]
async fn cross_signing_is_told_to_all_and_whom_one_verified_to_oneself() {
    let mut server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = encrypted(&server, &alice).await;
    server.join(&room, &bob).await;
    let (master, user) = (pair(), pair());
    let raw = |value: &Value| Some(Raw::from_json_string(value.to_string()).unwrap());
    let bobs = pair();
    let since = {
        let (mut hers, mut his) = (server.client(&alice), server.client(&bob));
        hers.sync().await;
        his.sync().await;
        let keys = CrossSigningKeys {
            master: raw(&key(&alice, "master", &master)),
            user_signing: raw(&signed(key(&alice, "user_signing", &user), &alice, &master)),
            ..CrossSigningKeys::default()
        };
        let upload = server.users.upload_cross_signing_keys(&alice, &keys, false);
        upload.await.unwrap();
        assert_eq!(told(&mut his).await, (ids([&alice]), NOBODY));
        assert_eq!(told(&mut hers).await, (ids([&alice]), NOBODY));
        let keys = CrossSigningKeys {
            master: raw(&key(&bob, "master", &bobs)),
            ..CrossSigningKeys::default()
        };
        let upload = server.users.upload_cross_signing_keys(&bob, &keys, false);
        upload.await.unwrap();
        hers.sync().await;
        his.sync().await;
        let before = hers.since.clone();
        let verified = signed(key(&bob, "master", &bobs), &alice, &user);
        let keys = BTreeMap::from([(public(&bobs), verified.to_string())]);
        let upload = SignedKeys::from([(bob.clone(), keys)]);
        let failures = server.users.upload_signatures(&alice, &upload).await;
        assert!(failures.unwrap().is_empty());
        assert_eq!(told(&mut hers).await, (ids([&bob]), NOBODY));
        assert_eq!(told(&mut his).await, (NOBODY, NOBODY));
        before
    };
    server.restart();
    let mut client = server.client(&alice);
    client.since = since;
    assert_eq!(told(&mut client).await, (ids([&bob]), NOBODY));
}
