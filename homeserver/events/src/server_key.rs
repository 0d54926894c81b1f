//! [`ServerKey`]: this server's name and its ed25519 signing key.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ed25519_dalek::{
    Signer, SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
};
use rand::RngExt;
use ruma::{
    CanonicalJsonObject, OwnedServerName, ServerName, SigningKeyAlgorithm, SigningKeyId,
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
        })
    }

    /// The key of a PKCS#8 document in DER, with the version that follows `ed25519:` in its key ID.
    pub fn from_pkcs8(
        server_name: OwnedServerName,
        version: &str,
        document: &[u8],
    ) -> Result<Self, Error> {
        let key = SigningKey::from_pkcs8_der(document)
            .map_err(|error| Error::Key(error.to_string()))?;
        Ok(Self {
            server_name,
            key_id: key_id(version)?,
            key,
        })
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
