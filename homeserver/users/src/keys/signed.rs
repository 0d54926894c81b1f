//! Signed JSON objects: what keys are.

use orvale_storage::record::JsonText;
use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, SigningKeyAlgorithm, UserId,
    serde::{Base64, base64::Standard},
    signatures::{to_canonical_json_string_for_signing, verify_canonical_json_bytes},
};

use crate::{Error, Result};

/// A key object, in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signed(CanonicalJsonObject);

/// How a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is by that key, of this object.
    Right,
    /// There is none by that key.
    Absent,
    /// It is not by that key, or not of this object.
    Wrong,
}

impl Signed {
    /// The object of a JSON text, without what is not signed.
    pub(super) fn parse(json: &str) -> Result<Self> {
        let mut object: CanonicalJsonObject = serde_json::from_str(json)
            .map_err(|e| Error::BadJson(format!("a key is no canonical JSON: {e}")))?;
        object.remove("unsigned");
        Ok(Self(object))
    }

    /// An object that was stored.
    pub(super) fn stored(text: &JsonText) -> Result<Self> {
        Self::parse(&text.0).map_err(|e| Error::Internal(format!("a stored key: {e}")))
    }

    /// Its JSON.
    pub(super) fn text(&self) -> Result<JsonText> {
        JsonText::of(&self.0).map_err(|e| Error::Internal(e.to_string()))
    }

    /// A text that it holds.
    pub(super) fn str(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// An object that it holds.
    pub(super) fn object(&self, key: &str) -> Option<&CanonicalJsonObject> {
        self.0.get(key)?.as_object()
    }

    /// An array that it holds.
    pub(super) fn array(&self, key: &str) -> Option<&[CanonicalJsonValue]> {
        self.0.get(key)?.as_array()
    }

    /// The same without signatures.
    pub(super) fn bare(&self) -> Self {
        let mut object = self.0.clone();
        object.remove("signatures");
        Self(object)
    }

    /// The signatures of one user, by key ID.
    pub(super) fn signatures(&self, signer: &UserId) -> Vec<(String, String)> {
        let Some(CanonicalJsonValue::Object(by)) = self
            .0
            .get("signatures")
            .and_then(CanonicalJsonValue::as_object)
            .and_then(|signatures| signatures.get(signer.as_str()))
        else {
            return Vec::new();
        };
        by.iter()
            .filter_map(|(key_id, signature)| {
                Some((key_id.clone(), signature.as_str()?.to_owned()))
            })
            .collect()
    }

    /// Adds a signature.
    pub(super) fn add_signature(&mut self, signer: &str, key_id: &str, signature: &str) {
        let signatures = self
            .0
            .entry("signatures".to_owned())
            .or_insert_with(|| CanonicalJsonValue::Object(CanonicalJsonObject::new()));
        if let CanonicalJsonValue::Object(signatures) = signatures {
            let by = signatures
                .entry(signer.to_owned())
                .or_insert_with(|| CanonicalJsonValue::Object(CanonicalJsonObject::new()));
            if let CanonicalJsonValue::Object(by) = by {
                let signature = CanonicalJsonValue::String(signature.to_owned());
                by.insert(key_id.to_owned(), signature);
            }
        }
    }

    /// Whether it has a right signature of a user by the ed25519 key with this ID (`ed25519:…`) and public key.
    pub(super) fn is_signed_by(&self, signer: &UserId, key_id: &str, key: &str) -> Verdict {
        let signatures = self.signatures(signer).into_iter();
        let Some((_, signature)) = signatures.into_iter().find(|(by, _)| by == key_id) else {
            return Verdict::Absent;
        };
        if self.is_signature(&signature, key) {
            Verdict::Right
        } else {
            Verdict::Wrong
        }
    }

    /// Whether this is a signature of this object by an ed25519 key.
    pub(super) fn is_signature(&self, signature: &str, key: &str) -> bool {
        let decoded = |text| Base64::<Standard>::parse(text);
        let (Ok(key), Ok(signature)) = (decoded(key), decoded(signature)) else {
            return false;
        };
        let Ok(signed) = to_canonical_json_string_for_signing(&self.0) else {
            return false;
        };
        let algorithm = SigningKeyAlgorithm::Ed25519;
        verify_canonical_json_bytes(
            &algorithm,
            key.as_bytes(),
            signature.as_bytes(),
            signed.as_bytes(),
        )
        .is_ok()
    }
}

/// Whether a text is 32 bytes in Base64 without padding: a public key as the specification writes it.
pub(super) fn is_public_key(text: &str) -> bool {
    Base64::<Standard>::parse(text)
        .is_ok_and(|key| key.as_bytes().len() == 32 && key.encode() == text)
}
