//! [`ServerKey`]: this server's name and its ed25519 signing key, and the keys it had before.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ed25519_dalek::{
    Signer, SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
};
use rand::RngExt;
use ruma::{
    CanonicalJsonObject, MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName,
    SigningKeyAlgorithm, SigningKeyId,
    signatures::{KeyPair, Signature},
};

use crate::Error;

/// This server's name and signing key. Cloning is cheap enough for start-up; share it as `Arc<ServerKey>`.
#[derive(Clone)]
pub struct ServerKey {
    server_name: OwnedServerName,
    /// `ed25519:` and the version.
    key_id: String,
    key: SigningKey,
    old: Vec<OldKey>,
}

/// A key that this server signed with until it took another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldKey {
    /// Its key ID: `ed25519:…`.
    pub key_id: String,
    /// The public key in unpadded base64.
    pub public_key: String,
    /// Since when nothing is signed with it.
    pub expired_ts: MilliSecondsSinceUnixEpoch,
}

impl ServerKey {
    /// A new key with a new random key ID.
    pub fn generate(server_name: OwnedServerName) -> Self {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut random = rand::rng();
        let version = (0..6)
            .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
            .collect::<String>();
        let key = SigningKey::from_bytes(&random.random());
        Self {
            server_name,
            key_id: format!("ed25519:{version}"),
            key,
            old: Vec::new(),
        }
    }

    /// The key of a 32-byte seed, with the version that follows `ed25519:` in its key ID.
    pub fn from_seed(
        server_name: OwnedServerName,
        version: &str,
        seed: &[u8; 32],
    ) -> Result<Self, Error> {
        Ok(Self {
            server_name,
            key_id: key_id(version)?,
            key: SigningKey::from_bytes(seed),
            old: Vec::new(),
        })
    }

    /// The key of a PKCS#8 document in DER, with the version that follows `ed25519:` in its key ID.
    pub fn from_pkcs8(
        server_name: OwnedServerName,
        version: &str,
        document: &[u8],
    ) -> Result<Self, Error> {
        let key =
            SigningKey::from_pkcs8_der(document).map_err(|error| Error::Key(error.to_string()))?;
        Ok(Self {
            server_name,
            key_id: key_id(version)?,
            key,
            old: Vec::new(),
        })
    }

    /// With the keys that this server had before.
    #[must_use]
    pub fn after(self, old: Vec<OldKey>) -> Self {
        Self { old, ..self }
    }

    /// The keys that this server had before.
    pub fn old(&self) -> &[OldKey] {
        &self.old
    }

    /// The secret seed, for keeping.
    pub fn seed(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The secret key as a PKCS#8 document in DER, for keeping.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        self.key
            .to_pkcs8_der()
            .expect("an ed25519 key has a PKCS#8 form")
            .as_bytes()
            .to_vec()
    }

    /// This server's name.
    pub fn server_name(&self) -> &ServerName {
        &self.server_name
    }

    /// The key ID as in `signatures`: `ed25519:…`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key ID's part after `ed25519:`.
    pub fn version(&self) -> &str {
        self.key_id.trim_start_matches("ed25519:")
    }

    /// The public key in unpadded base64, as `/_matrix/key/v2/server` shows it.
    pub fn public_key(&self) -> String {
        STANDARD_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    /// Adds this server's signature to a JSON object (`unsigned` and other signatures are not covered).
    pub fn sign_json(&self, object: &mut CanonicalJsonObject) -> Result<(), Error> {
        ruma::signatures::sign_json(self.server_name.as_str(), self, object)
            .map_err(|error| Error::Json(error.to_string()))
    }

    /// The signature of a message in unpadded base64.
    pub fn sign_bytes(&self, message: &[u8]) -> String {
        STANDARD_NO_PAD.encode(self.key.sign(message).to_bytes())
    }
}

impl KeyPair for ServerKey {
    fn sign(&self, message: &[u8]) -> Signature {
        let key_id = SigningKeyId::from_parts(SigningKeyAlgorithm::Ed25519, self.version().into());
        Signature::new(key_id, self.key.sign(message).to_bytes().to_vec())
    }
}

/// Never shows the secret.
impl fmt::Debug for ServerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServerKey")
            .field("server_name", &self.server_name)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Key versions may have letters, digits and underscores.
fn key_id(version: &str) -> Result<String, Error> {
    if version.is_empty()
        || !version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(Error::Key(format!(
            "{version:?} is not a key version: it may have letters, digits and underscores"
        )));
    }
    Ok(format!("ed25519:{version}"))
}

#[cfg(test)]
mod tests {
    use ruma::server_name;

    use super::*;

    #[test]
    fn key_is_the_same_after_keeping_it() {
        let key = ServerKey::generate(server_name!("example.org").to_owned());
        let name = || key.server_name().to_owned();
        let of_seed = ServerKey::from_seed(name(), key.version(), &key.seed()).unwrap();
        let of_document = ServerKey::from_pkcs8(name(), key.version(), &key.to_pkcs8()).unwrap();
        for other in [of_seed, of_document] {
            assert_eq!(other.public_key(), key.public_key());
            assert_eq!(other.key_id(), key.key_id());
            assert_eq!(other.sign_bytes(b"x"), key.sign_bytes(b"x"));
        }
    }

    #[test]
    fn generated_keys_differ_and_show_no_secret() {
        let [one, two] =
            [(); 2].map(|()| ServerKey::generate(server_name!("example.org").to_owned()));
        assert_ne!(one.seed(), two.seed());
        assert_eq!(one.key_id().len(), "ed25519:xxxxxx".len());
        let shown = format!("{one:?}");
        assert!(shown.contains(one.key_id()) && shown.len() < 100, "{shown}");
    }

    #[test]
    fn key_version_may_not_be_anything() {
        for version in ["", "a b", "a:b", "ä"] {
            assert!(ServerKey::from_seed(server_name!("x").to_owned(), version, &[0; 32]).is_err());
        }
    }
}
