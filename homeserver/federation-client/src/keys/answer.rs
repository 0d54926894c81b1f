//! What a server, or a notary for it, tells of its keys.
//!
//! <https://spec.matrix.org/v1.19/server-server-api/#publishing-keys>

use std::collections::BTreeMap;

use base64::Engine;
use orvale_events::canonical::{self, Reading};
use orvale_storage::{record::JsonText, trees::federation::KeyRecord};
use ruma::{CanonicalJsonObject, OwnedServerName, ServerName};
use serde::Deserialize;

use crate::signing::{BASE64, is_signature};

/// A key is not believed to be valid for longer than this, whatever its server says: else one that was stolen could never be taken back.
const LONGEST: u64 = 7 * 24 * 3600 * 1000;

#[derive(Deserialize)]
struct Told {
    server_name: OwnedServerName,
    valid_until_ts: u64,
    verify_keys: BTreeMap<String, VerifyKey>,
    #[serde(default)]
    old_verify_keys: BTreeMap<String, OldVerifyKey>,
}

#[derive(Deserialize)]
struct VerifyKey {
    key: String,
}

#[derive(Deserialize)]
struct OldVerifyKey {
    key: String,
    expired_ts: u64,
}

/// The server that this is about, and its keys. It must have signed all of it itself.
pub(crate) fn read(
    json: &str,
    now: u64,
) -> Result<(OwnedServerName, Vec<(String, KeyRecord)>), String> {
    let told: Told = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let verify_keys: BTreeMap<_, _> = told
        .verify_keys
        .iter()
        .filter_map(|(id, key)| Some((id.as_str(), public_key(id, &key.key)?)))
        .collect();
    let (object, signatures) = parts(json)?;
    let of_server = signatures.get(told.server_name.as_str());
    let mut signed = false;
    for (key_id, signature) in of_server.into_iter().flatten() {
        let Some(key) = verify_keys.get(key_id.as_str()) else {
            continue;
        };
        if !is_signature(key, &object, signature) {
            return Err(format!("its signature by {key_id} is wrong"));
        }
        signed = true;
    }
    if !signed {
        return Err("its server did not sign it".to_owned());
    }
    // Without the notaries' signatures, so that it does not grow from one to the next.
    let answer = JsonText(own_part(json, &told.server_name)?);
    let record = |key: Vec<u8>, valid_until| KeyRecord {
        key,
        valid_until,
        fetched_at: now,
        answer: answer.clone(),
    };
    let mut keys = BTreeMap::new();
    for (id, old) in &told.old_verify_keys {
        if let Some(key) = public_key(id, &old.key) {
            keys.insert(id.clone(), record(key, old.expired_ts.min(now)));
        }
    }
    for (id, key) in verify_keys {
        let valid_until = told.valid_until_ts.min(now + LONGEST);
        keys.insert(id.to_owned(), record(key, valid_until));
    }
    Ok((told.server_name, keys.into_iter().collect()))
}

/// Whether a notary signed it, by a key that `key` knows.
pub(crate) fn is_signed_by(
    json: &str,
    notary: &ServerName,
    key: impl Fn(&str) -> Option<Vec<u8>>,
) -> bool {
    let Ok((object, signatures)) = parts(json) else {
        return false;
    };
    let of_notary = signatures.get(notary.as_str());
    of_notary.into_iter().flatten().any(|(key_id, signature)| {
        key(key_id).is_some_and(|key| is_signature(&key, &object, signature))
    })
}

type Signatures = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// What is signed, and the signatures.
fn parts(json: &str) -> Result<(Vec<u8>, Signatures), String> {
    let mut object = object(json)?;
    object.remove("unsigned");
    let signatures = object.remove("signatures");
    let signatures = serde_json::to_value(signatures).unwrap_or_default();
    let signatures: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(signatures).map_err(|error| format!("signatures: {error}"))?;
    let decoded = signatures.into_iter().map(|(server, of_server)| {
        let of_server = of_server
            .into_iter()
            .filter_map(|(id, signature)| Some((id, BASE64.decode(signature).ok()?)));
        (server, of_server.collect())
    });
    Ok((canonical::to_vec(&object), decoded.collect()))
}

fn own_part(json: &str, server: &ServerName) -> Result<String, String> {
    let mut object = object(json)?;
    object.remove("unsigned");
    if let Some(ruma::CanonicalJsonValue::Object(signatures)) = object.get_mut("signatures") {
        signatures.retain(|name, _| name == server.as_str());
    }
    String::from_utf8(canonical::to_vec(&object)).map_err(|error| error.to_string())
}

pub(crate) fn object(json: &str) -> Result<CanonicalJsonObject, String> {
    canonical::parse_object(json.as_bytes(), Reading::PDU).map_err(|error| error.to_string())
}

/// The bytes of a key, if it is one of the kind that is known.
fn public_key(id: &str, key: &str) -> Option<Vec<u8>> {
    let key = BASE64.decode(key).ok()?;
    (id.starts_with("ed25519:") && key.len() == 32).then_some(key)
}

#[cfg(test)]
mod tests {
    use orvale_events::ServerKey;
    use ruma::server_name;
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn signed(key: &ServerKey, answer: &Value) -> String {
        let mut object = object(&answer.to_string()).unwrap();
        key.sign_json(&mut object).unwrap();
        String::from_utf8(canonical::to_vec(&object)).unwrap()
    }

    fn key() -> ServerKey {
        ServerKey::generate(server_name!("a.example").to_owned())
    }

    fn answer(key: &ServerKey, valid_until: u64) -> Value {
        json!({
            "server_name": "a.example",
            "valid_until_ts": valid_until,
            "verify_keys": { key.key_id(): { "key": key.public_key() } },
            "old_verify_keys": { "ed25519:old": { "key": key.public_key(), "expired_ts": 7 } },
        })
    }

    #[test]
    fn keys_are_valid_as_long_as_told_but_no_longer_than_a_week() {
        let key = key();
        for (told, kept) in [(NOW + 1000, NOW + 1000), (NOW * 2, NOW + LONGEST)] {
            let (server, keys) = read(&signed(&key, &answer(&key, told)), NOW).unwrap();
            assert_eq!(server, "a.example");
            let until: BTreeMap<_, _> = keys
                .iter()
                .map(|(id, key)| (id.as_str(), key.valid_until))
                .collect();
            assert_eq!(until[key.key_id()], kept);
            assert_eq!(until["ed25519:old"], 7);
        }
    }

    #[test]
    fn what_the_server_did_not_sign_is_not_believed() {
        let key = key();
        let good = answer(&key, NOW);
        assert!(read(&good.to_string(), NOW).is_err());
        let mut changed: Value = serde_json::from_str(&signed(&key, &good)).unwrap();
        changed["valid_until_ts"] = json!(NOW * 2);
        assert!(read(&changed.to_string(), NOW).is_err());
        // By a key that it does not list.
        let other = self::key();
        assert!(read(&signed(&other, &good), NOW).is_err());
        // By a key of another server.
        let notary = ServerKey::generate(server_name!("n.example").to_owned());
        assert!(read(&signed(&notary, &good), NOW).is_err());
    }

    #[test]
    fn notary_signs_beside_the_server_and_its_signature_is_not_kept() {
        let key = key();
        let notary = ServerKey::generate(server_name!("n.example").to_owned());
        let by_server = signed(&key, &answer(&key, NOW));
        let by_both = signed(&notary, &serde_json::from_str(&by_server).unwrap());
        let known =
            |id: &str| (id == notary.key_id()).then(|| BASE64.decode(notary.public_key()).unwrap());
        assert!(is_signed_by(&by_both, notary.server_name(), known));
        assert!(!is_signed_by(&by_server, notary.server_name(), known));
        let (_, keys) = read(&by_both, NOW).unwrap();
        assert_eq!(keys[0].1.answer.0, by_server);
    }
}
