//! Keys and messages of devices across servers.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use orvale_tests::{Client, Sync, encode, eventually};
use serde_json::{Value, json};

use super::{World, room_of};

/// A key made from a seed.
struct Key(SigningKey);

impl Key {
    fn of(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    fn public(&self) -> String {
        STANDARD_NO_PAD.encode(self.0.verifying_key().as_bytes())
    }

    /// The object with its signature. (Objects of serde_json have their keys in order: canonical JSON here.)
    fn sign(&self, mut object: Value, user: &str, name: &str) -> Value {
        let signature = self.0.sign(object.to_string().as_bytes());
        object["signatures"] = json!({
            user: { format!("ed25519:{name}"): STANDARD_NO_PAD.encode(signature.to_bytes()) },
        });
        object
    }
}

/// Uploads the keys of a device and some one-time keys.
async fn upload(client: &Client, seed: u8) -> String {
    let (key, device) = (Key::of(seed), &client.device_id);
    let keys = json!({
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "device_id": device,
        "keys": { format!("curve25519:{device}"): key.public(), format!("ed25519:{device}"): key.public() },
        "user_id": client.user_id,
    });
    let one_time = key.sign(json!({ "key": key.public() }), &client.user_id, device);
    let body = json!({
        "device_keys": key.sign(keys, &client.user_id, device),
        "one_time_keys": { "signed_curve25519:AAAAAA": one_time },
    });
    let _ = client.post("keys/upload", body).await.ok();
    key.public()
}

async fn keys_of(reader: &Client, of: &Client) -> Value {
    let body = json!({ "device_keys": { &of.user_id: [] } });
    let answer = reader.post("keys/query", body).await.ok();
    answer["device_keys"][&of.user_id].clone()
}

fn changed(sync: &Sync, user: &str) -> bool {
    let changed = sync.0["device_lists"]["changed"].as_array();
    changed.is_some_and(|changed| changed.iter().any(|one| one == user))
}

#[tokio::test]
async fn devices_of_other_servers_are_known_and_stay_known() {
    let world = World::of("devices").await;
    let mut others = world.everybody();
    others.remove(0);
    let encrypted = json!({ "initial_state": [{ "type": "m.room.encryption", "state_key": "",
        "content": { "algorithm": "m.megolm.v1.aes-sha2" } }] });
    let room = room_of(&world.alice, &others, encrypted).await;
    for (n, owner) in world.everybody().into_iter().enumerate() {
        let public = upload(owner, u8::try_from(n).unwrap() + 1).await;
        for reader in world.everybody() {
            eventually("the keys of a device", async || {
                let keys = keys_of(reader, owner).await;
                let key = &keys[&owner.device_id]["keys"][format!("ed25519:{}", owner.device_id)];
                (*key == public).then_some(())
            })
            .await;
        }
    }
    for reader in world.everybody() {
        let _ = reader.sync().await;
    }
    // A second device, then one less: all readers are told, and see it.
    for (n, owner) in world.everybody().into_iter().enumerate() {
        let name = owner.user_id[1..].split(':').next().unwrap().to_owned();
        let second = owner.server().log_in(&name).await;
        let _ = upload(&second, u8::try_from(n).unwrap() + 11).await;
        for reader in world.everybody() {
            if reader.user_id != owner.user_id {
                reader
                    .sync_until(|sync| changed(sync, &owner.user_id))
                    .await;
            }
            eventually("two devices", async || {
                let keys = keys_of(reader, owner).await;
                (keys.as_object()?.len() == 2).then_some(())
            })
            .await;
        }
        let _ = second.post("logout", json!({})).await.ok();
        for reader in world.everybody() {
            eventually("one device", async || {
                let keys = keys_of(reader, owner).await;
                (keys.as_object()?.len() == 1).then_some(())
            })
            .await;
        }
    }
    // Who has left and comes back is known anew.
    world.bob.leave(&room).await;
    let name = "bob";
    let third = world.bob.server().log_in(name).await;
    let _ = upload(&third, 31).await;
    super::join_by(&world.bob, &room, world.alice.server()).await;
    for reader in world.everybody() {
        eventually("the device of who came back", async || {
            let keys = keys_of(reader, &world.bob).await;
            keys.get(&third.device_id).map(drop)
        })
        .await;
    }
}

#[tokio::test]
async fn a_one_time_key_of_another_server_is_given_out_once() {
    let world = World::of("claim").await;
    let mut others = world.everybody();
    others.remove(0);
    let _ = room_of(&world.alice, &others, json!({})).await;
    for owner in world.everybody() {
        let _ = upload(owner, 41).await;
        let reader = if owner.user_id == world.alice.user_id {
            &world.bob
        } else {
            &world.alice
        };
        let wanted = json!({ "one_time_keys": { &owner.user_id: { &owner.device_id: "signed_curve25519" } } });
        let claimed = reader.post("keys/claim", wanted.clone()).await.ok();
        let key = &claimed["one_time_keys"][&owner.user_id][&owner.device_id];
        assert!(key["signed_curve25519:AAAAAA"].is_object(), "{claimed}");
        let again = reader.post("keys/claim", wanted).await.ok();
        let none = &again["one_time_keys"][&owner.user_id][&owner.device_id];
        assert!(
            none.as_object().is_none_or(serde_json::Map::is_empty),
            "{again}"
        );
    }
}

#[tokio::test]
async fn messages_to_devices_arrive_once_and_in_order_also_where_no_room_is_shared() {
    let world = World::of("to_device").await;
    for sender in world.everybody() {
        for n in 0..5 {
            for reader in world.everybody() {
                let path = format!("sendToDevice/m.test/{n}-{}", encode(&reader.user_id));
                let body = json!({ "messages": { &reader.user_id: { "*": { "n": n } } } });
                // A client that did not hear the answer asks again.
                for _ in 0..2 {
                    let _ = sender.put(&path, body.clone()).await.ok();
                }
            }
        }
    }
    for reader in world.everybody() {
        for sender in world.everybody() {
            let expected: Vec<u64> = (0..5).collect();
            let mut seen = Vec::new();
            let what = format!("messages of {} to {}", sender.user_id, reader.user_id);
            eventually(&what, async || {
                let sync = reader.get("sync?timeout=0").await.ok();
                // Without acknowledging, so that the next sender's are there too.
                let empty = Vec::new();
                let events = sync["to_device"]["events"].as_array().unwrap_or(&empty);
                seen = events
                    .iter()
                    .filter(|event| event["sender"] == sender.user_id)
                    .filter_map(|event| event["content"]["n"].as_u64())
                    .collect();
                (seen.len() >= expected.len()).then_some(())
            })
            .await;
            assert_eq!(seen, expected, "{what}");
        }
    }
}
