//! Keys for tests, properly signed.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use ruma::{
    CanonicalJsonObject, DeviceId, OwnedDeviceId, OwnedOneTimeKeyId, OwnedUserId, UserId,
    encryption::{DeviceKeys, OneTimeKey},
    serde::{Base64, Raw, base64::Standard},
};
use serde_json::{Value, json, value::to_raw_value};

use super::KeyUpload;
use crate::testing::TestUsers;

/// Alice and her phone.
pub(super) async fn with_device(users: TestUsers) -> (TestUsers, OwnedUserId, OwnedDeviceId) {
    let alice = users.account("alice").await;
    let device_id = users.session(&alice).await.device_id;
    (users, alice, device_id)
}

/// The public key made from a seed.
pub(super) fn public(seed: u8) -> String {
    base64(
        SigningKey::from_bytes(&[seed; 32])
            .verifying_key()
            .as_bytes(),
    )
}

/// The object with one more signature, by the key made from a seed.
pub(super) fn signed(mut object: Value, by: &UserId, key_name: &str, seed: u8) -> Value {
    let mut bare = object.clone();
    for unsigned in ["signatures", "unsigned"] {
        bare.as_object_mut().unwrap().remove(unsigned);
    }
    let canonical: CanonicalJsonObject = serde_json::from_value(bare).unwrap();
    let key = SigningKey::from_bytes(&[seed; 32]);
    let signature = key.sign(serde_json::to_string(&canonical).unwrap().as_bytes());
    object["signatures"][by.as_str()][format!("ed25519:{key_name}")] =
        json!(base64(&signature.to_bytes()));
    object
}

/// A cross-signing key made from a seed, without signatures.
pub(super) fn cross_signing_key(user_id: &UserId, usage: &str, seed: u8) -> Value {
    let public = public(seed);
    json!({
        "user_id": user_id,
        "usage": [usage],
        "keys": { format!("ed25519:{public}"): public },
    })
}

/// An object as a request has it.
pub(super) fn raw<T>(object: &Value) -> Raw<T> {
    Raw::from_json(to_raw_value(object).unwrap())
}

fn base64(bytes: &[u8]) -> String {
    Base64::<Standard, _>::new(bytes).encode()
}

/// Device keys made from a seed.
pub(super) fn device_keys(user_id: &UserId, device_id: &DeviceId, seed: u8) -> Raw<DeviceKeys> {
    let object = json!({
        "user_id": user_id,
        "device_id": device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {
            format!("curve25519:{device_id}"): base64(&[seed; 32]),
            format!("ed25519:{device_id}"): public(seed),
        },
    });
    raw(&signed(object, user_id, device_id.as_str(), seed))
}

/// One-time keys of these names, made from a seed.
pub(super) fn one_time_keys(
    names: &[&str],
    seed: u8,
) -> BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>> {
    let key = |name: &&str| {
        let id = OwnedOneTimeKeyId::try_from(format!("signed_curve25519:{name}")).unwrap();
        let key = json!({ "key": base64(&[seed; 32]), "signatures": { "@alice:example.org": {} } });
        (id, Raw::from_json(to_raw_value(&key).unwrap()))
    };
    names.iter().map(key).collect()
}

/// Device keys, one-time keys of these names, and a fallback key.
pub(super) fn upload(user_id: &UserId, device_id: &DeviceId, names: &[&str]) -> KeyUpload {
    KeyUpload {
        device_keys: Some(device_keys(user_id, device_id, 1)),
        one_time_keys: one_time_keys(names, 1),
        fallback_keys: one_time_keys(&["FALLBACK"], 3),
    }
}
