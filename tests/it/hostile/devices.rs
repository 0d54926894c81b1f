//! Whose devices a client has to look at anew.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use orvale_tests::{Client, Server, Sync};
use serde_json::{Value, json};
use sha2::Digest as _;

use super::people;

/// Has a user's keys change: the first cross-signing key needs no signature.
async fn change_keys(of: &Client) {
    let public = STANDARD_NO_PAD.encode(sha2::Sha256::digest(&of.user_id));
    let master = json!({
        "user_id": of.user_id, "usage": ["master"], "keys": { format!("ed25519:{public}"): public },
    });
    let path = "keys/device_signing/upload";
    let _ = of.post(path, json!({ "master_key": master })).await.ok();
}

async fn encrypted_room(of: &Client, others: &[&Client]) -> String {
    let encryption = json!({ "type": "m.room.encryption", "state_key": "", "content": { "algorithm": "m.megolm.v1.aes-sha2" } });
    let body = json!({ "preset": "public_chat", "initial_state": [encryption] });
    let room = of.create_room(body).await;
    for other in others {
        other.join(&room).await;
    }
    room
}

fn told<'a>(sync: &'a Sync, what: &str) -> Vec<&'a str> {
    let users = sync.0["device_lists"][what].as_array();
    let users = users.into_iter().flatten();
    users.filter_map(Value::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_06_who_leaves_and_comes_back_unseen_is_looked_at_anew() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let room = encrypted_room(&alice, &[&bob]).await;
    let _ = alice.sync().await;
    // While alice is away, bob leaves the only room they share, has other keys, and comes back.
    bob.leave(&room).await;
    change_keys(&bob).await;
    bob.join(&room).await;
    let sync = alice.sync().await;
    assert_eq!(told(&sync, "changed"), [&bob.user_id]);
    assert!(told(&sync, "left").is_empty());
    // What happened once is told once.
    assert!(told(&alice.sync().await, "changed").is_empty());

    // Keys of somebody with whom no room is shared are nobody's business, and who leaves is let go.
    change_keys(&mallory).await;
    assert!(told(&alice.sync().await, "changed").is_empty());
    bob.leave(&room).await;
    let sync = alice.sync().await;
    assert_eq!(told(&sync, "left"), [&bob.user_id]);
    assert!(told(&sync, "changed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_06_neither_filters_nor_gaps_nor_restarts_hide_whose_devices_changed() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let room = encrypted_room(&alice, &[&bob, &mallory]).await;
    let since = alice.sync().await.next_batch().to_owned();
    change_keys(&bob).await;
    for n in 0..30 {
        mallory.send_text(&room, &n.to_string()).await;
    }
    server.restart().await;
    mallory.leave(&room).await;
    // Nothing of the room is asked for.
    let filter = r#"{"room":{"rooms":[]},"presence":{"types":[]}}"#;
    for filter in [filter, r#"{"room":{"timeline":{"limit":1}}}"#] {
        let filter = orvale_tests::encode(filter);
        let path = format!("sync?since={since}&filter={filter}");
        let sync = Sync(alice.get(&path).await.ok());
        assert_eq!(told(&sync, "changed"), [&bob.user_id], "{filter}");
        assert_eq!(told(&sync, "left"), [&mallory.user_id], "{filter}");
        let path = format!("keys/changes?from={since}&to={}", sync.next_batch());
        let changes = alice.get(&path).await.ok();
        assert_eq!(
            changes,
            json!({ "changed": [bob.user_id], "left": [mallory.user_id] })
        );
    }
}
