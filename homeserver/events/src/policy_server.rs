//! [`PolicyServer`]: the server that a room has its events checked by, and its signature on them.
//!
//! <https://spec.matrix.org/v1.19/server-server-api/#policy-servers>

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ed25519_dalek::{Signature, VerifyingKey};
use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, OwnedServerName, ServerName,
    canonical_json::redact_in_place,
    events::{TimelineEventType, room::policy::POLICY_SERVER_ED25519_SIGNING_KEY_ID as KEY_ID},
    room_version_rules::RoomVersionRules,
};
use serde::Deserialize;
use serde_json::value::RawValue as RawJsonValue;

use crate::{
    Error, MAX_PDU_BYTES, Pdu,
    canonical::{self, Reading},
};

/// With or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The server that a room names in its `m.room.policy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyServer {
    name: OwnedServerName,
    /// `None` if what stands in the place of its key is none: nothing is signed by it then.
    key: Option<VerifyingKey>,
}

impl PolicyServer {
    /// The policy server that the content of `m.room.policy` names, if it names one and a key.
    #[must_use]
    pub fn parse(content: &RawJsonValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Content {
            via: OwnedServerName,
            public_keys: PublicKeys,
        }
        #[derive(Deserialize)]
        struct PublicKeys {
            ed25519: String,
        }
        let content: Content = serde_json::from_str(content.get()).ok()?;
        let key = decode(&content.public_keys.ed25519)
            .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        Some(Self {
            name: content.via,
            key,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ServerName {
        &self.name
    }

    /// Whether it has to sign an event: any but the one that names the policy server.
    #[must_use]
    pub fn must_sign(pdu: &Pdu) -> bool {
        pdu.kind != TimelineEventType::from("m.room.policy") || pdu.state_key.as_deref() != Some("")
    }

    /// Whether an event carries its valid signature.
    #[must_use]
    pub fn has_signed(&self, json: &[u8], rules: &RoomVersionRules) -> bool {
        let Ok(mut object) = canonical::parse_object(json, Reading::PDU) else {
            return false;
        };
        let Some(signature) = self.signature(&object) else {
            return false;
        };
        if redact_in_place(&mut object, &rules.redaction, None).is_err() {
            return false;
        }
        object.remove("signatures");
        object.remove("unsigned");
        let signed = canonical::to_vec(&object);
        self.key
            .is_some_and(|key| key.verify_strict(&signed, &signature).is_ok())
    }

    /// An event with its signature, beside those that are there.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the event has no room for it; [`Error::Json`] if it is none.
    pub fn add_signature(&self, json: &[u8], signature: &str) -> Result<Vec<u8>, Error> {
        let mut object = canonical::parse_object(json, Reading::PDU)?;
        let all = object_in(&mut object, "signatures");
        let own = object_in(all, self.name.as_str());
        own.insert(KEY_ID.to_owned(), signature.into());
        let json = canonical::to_vec(&object);
        if json.len() > MAX_PDU_BYTES {
            return Err(Error::TooLarge {
                size: json.len(),
                limit: MAX_PDU_BYTES,
            });
        }
        Ok(json)
    }

    fn signature(&self, object: &CanonicalJsonObject) -> Option<Signature> {
        let own = object.get("signatures")?.as_object()?;
        let own = own.get(self.name.as_str())?.as_object()?;
        let bytes = decode(own.get(KEY_ID)?.as_str()?)?;
        Some(Signature::from_bytes(&bytes))
    }
}

/// The object of this name in another, made if there is none.
fn object_in<'a>(object: &'a mut CanonicalJsonObject, name: &str) -> &'a mut CanonicalJsonObject {
    let value = object
        .entry(name.to_owned())
        .or_insert_with(|| CanonicalJsonValue::Object(CanonicalJsonObject::new()));
    if !value.is_object() {
        *value = CanonicalJsonValue::Object(CanonicalJsonObject::new());
    }
    match value {
        CanonicalJsonValue::Object(object) => object,
        _ => unreachable!("it was made one"),
    }
}

/// Base64 of this many bytes, of either alphabet: keys are found in both.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let standard = text.replace('-', "+").replace('_', "/");
    BASE64.decode(standard).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use ruma::{RoomVersionId, server_name, signatures::sign_json};
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;
    use crate::{ServerKey, Template, build, testing::key_of_the_specification};

    /// A policy server, and the key by which it signs.
    fn policy_server(name: &str) -> (PolicyServer, ServerKey) {
        let name = name.try_into().unwrap();
        let key = ServerKey::from_seed(name, "policy_server", &[7; 32]).unwrap();
        let content =
            json!({ "via": key.server_name(), "public_keys": { "ed25519": key.public_key() } });
        (named(&content).unwrap(), key)
    }

    fn named(content: &Value) -> Option<PolicyServer> {
        PolicyServer::parse(&to_raw_value(content).unwrap())
    }

    fn event(version: &RoomVersionId, kind: &str, state_key: Option<&str>) -> (Pdu, Vec<u8>) {
        let template = Template {
            room_id: Some("!x:domain".try_into().unwrap()),
            sender: "@a:domain".try_into().unwrap(),
            kind: kind.into(),
            state_key: state_key.map(str::to_owned),
            content: to_raw_value(&json!({ "body": "hello" })).unwrap(),
            redacts: None,
            prev_events: vec![],
            auth_events: vec![],
            depth: 3,
            origin_server_ts: ruma::MilliSecondsSinceUnixEpoch(1_000_000_u32.into()),
        };
        let rules = version.rules().unwrap();
        build(template, &rules, &key_of_the_specification()).unwrap()
    }

    /// The signature that the policy server answers: of the redacted event.
    fn signature(key: &ServerKey, json: &[u8], rules: &RoomVersionRules) -> String {
        let redacted = crate::redact(json, rules).unwrap();
        let mut object = canonical::parse_object(&redacted, Reading::PDU).unwrap();
        sign_json(key.server_name().as_str(), key, &mut object).unwrap();
        let value = serde_json::to_value(object).unwrap();
        let signature = &value["signatures"][key.server_name().as_str()][KEY_ID];
        signature.as_str().unwrap().to_owned()
    }

    #[test]
    fn room_has_one_if_it_names_a_server_and_a_key() {
        let key = "6yhHGKhCiXTSEN2ksjV7kX+N6rBQZ3Xb+M7LlC6NS+s";
        let good = json!({ "via": "p.test", "public_keys": { "ed25519": key, "other": "x" } });
        assert_eq!(named(&good).unwrap().name(), server_name!("p.test"));
        let url_safe = key.replace('+', "-").replace('/', "_");
        let same = json!({ "via": "p.test", "public_keys": { "ed25519": url_safe } });
        assert_eq!(named(&same), named(&good));
        for none in [
            json!({}),
            json!({ "via": "p.test" }),
            json!({ "via": "p.test", "public_keys": {} }),
            json!({ "via": "p.test", "public_keys": { "ed25519": 7 } }),
            json!({ "via": 7, "public_keys": { "ed25519": key } }),
        ] {
            assert_eq!(named(&none), None, "{none}");
        }
    }

    #[test]
    fn all_but_the_naming_of_the_policy_server_is_to_be_signed() {
        let version = RoomVersionId::V12;
        let must_sign = |kind, key| PolicyServer::must_sign(&event(&version, kind, key).0);
        assert!(!must_sign("m.room.policy", Some("")));
        assert!(must_sign("m.room.policy", Some("x")));
        assert!(must_sign("m.room.policy", None));
        assert!(must_sign("m.room.power_levels", Some("")));
    }

    #[test]
    fn signature_is_valid_on_the_event_and_on_what_redaction_leaves() {
        let (server, key) = policy_server("p.test");
        for version in crate::SUPPORTED_ROOM_VERSIONS {
            let rules = version.rules().unwrap();
            let (pdu, json) = event(&version, "m.room.message", None);
            assert!(!server.has_signed(&json, &rules));
            let signed = server
                .add_signature(&json, &signature(&key, &json, &rules))
                .unwrap();
            assert!(server.has_signed(&signed, &rules));
            let redacted = crate::redact(&signed, &rules).unwrap();
            assert!(server.has_signed(&redacted, &rules));
            // The event is the same, and its own server's signature is still there.
            let read = crate::Foreign::read(&signed, &rules).unwrap();
            assert_eq!(read.event_id(), pdu.event_id);
            assert_eq!(read.key_ids(server_name!("domain")), ["ed25519:1"]);
        }
    }

    #[test]
    fn signature_of_another_event_key_or_server_counts_for_nothing() {
        let (server, key) = policy_server("p.test");
        let rules = RoomVersionId::V11.rules().unwrap();
        let (_, json) = event(&RoomVersionId::V11, "m.room.message", None);
        let (_, other) = event(&RoomVersionId::V11, "m.sticker", None);
        let of_other = signature(&key, &other, &rules);
        for wrong in [of_other.as_str(), "AAAA", ""] {
            let signed = server.add_signature(&json, wrong).unwrap();
            assert!(!server.has_signed(&signed, &rules), "{wrong:?}");
        }
        let signed = server.add_signature(&json, &signature(&key, &json, &rules));
        let signed = signed.unwrap();
        assert!(!policy_server("q.test").0.has_signed(&signed, &rules));
        let content = json!({ "via": "p.test", "public_keys": { "ed25519": "no key" } });
        let keyless = named(&content).unwrap();
        assert!(!keyless.has_signed(&signed, &rules));
    }

    #[test]
    fn signature_stands_beside_those_of_the_same_server() {
        let rules = RoomVersionId::V11.rules().unwrap();
        let (server, key) = policy_server("domain");
        let (_, json) = event(&RoomVersionId::V11, "m.room.message", None);
        let signed = server.add_signature(&json, &signature(&key, &json, &rules));
        let read = crate::Foreign::read(&signed.unwrap(), &rules).unwrap();
        assert_eq!(read.key_ids(server_name!("domain")), ["ed25519:1", KEY_ID]);
    }
}
