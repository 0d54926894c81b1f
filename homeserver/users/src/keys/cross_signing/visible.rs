//! What is shown of keys to whom: whatever their owner signed, and what the reader signed.
//!
//! Who verified whom is nobody else's business, so a user-signing key and what it signed are for its owner alone.

use orvale_storage::{
    record::JsonText,
    trees::users::{CROSS_SIGNING, KEY_SIGNATURES},
};
use ruma::{UserId, encryption::CrossSigningKey, serde::Raw};

use super::stored;
use crate::{Error, Result, Users, keys::signed::Signed};

/// A user's cross-signing keys as somebody sees them.
#[derive(Debug, Clone, Default)]
pub struct VisibleKeys {
    /// The master key.
    pub master: Option<Raw<CrossSigningKey>>,
    /// The self-signing key.
    pub self_signing: Option<Raw<CrossSigningKey>>,
    /// The user-signing key, for its owner.
    pub user_signing: Option<Raw<CrossSigningKey>>,
}

/// Signatures on a user's keys that a reader sees: the key, signer, signing key's ID, signature.
pub(in crate::keys) struct VisibleSignatures(Vec<(String, String, String, String)>);

impl VisibleSignatures {
    /// Adds those on one key to it.
    pub(in crate::keys) fn add_to(&self, name: &str, key: &mut Signed) {
        for (_, signer, by, signature) in self.0.iter().filter(|(key, ..)| key == name) {
            key.add_signature(signer, by, signature);
        }
    }

    /// A cross-signing key with those on it.
    pub(in crate::keys) fn shown(
        &self,
        text: Option<&JsonText>,
    ) -> Result<Option<Raw<CrossSigningKey>>> {
        let Some((mut key, public)) = stored(text)? else {
            return Ok(None);
        };
        self.add_to(&public, &mut key);
        let json = Raw::from_json_string(key.text()?.0);
        json.map(Some).map_err(|e| Error::Internal(e.to_string()))
    }
}

impl Users {
    /// A user's cross-signing keys, as a reader sees them.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn cross_signing_keys(&self, user_id: &UserId, reader: &UserId) -> Result<VisibleKeys> {
        let keys = self
            .store()
            .get(&CROSS_SIGNING, (self.localpart(user_id)?,))?;
        let Some(keys) = keys else {
            return Ok(VisibleKeys::default());
        };
        let signatures = self.visible_signatures(user_id, reader)?;
        let own = (user_id == reader).then_some(&keys.user_signing);
        Ok(VisibleKeys {
            master: signatures.shown(keys.master.as_ref())?,
            self_signing: signatures.shown(keys.self_signing.as_ref())?,
            user_signing: signatures.shown(own.and_then(Option::as_ref))?,
        })
    }

    /// The signatures on a user's keys, besides those that the keys came with, that a reader sees.
    pub(in crate::keys) fn visible_signatures(
        &self,
        user_id: &UserId,
        reader: &UserId,
    ) -> Result<VisibleSignatures> {
        let mut found = Vec::new();
        let mut signers = vec![user_id];
        if user_id != reader {
            signers.push(reader);
        }
        // What others signed came with the keys.
        for signer in signers.into_iter().filter(|signer| self.is_local(signer)) {
            let place = (self.localpart(signer)?, user_id);
            for ((_, _, key, by), signature) in
                self.store().prefix(&KEY_SIGNATURES, place, usize::MAX)?
            {
                found.push((key, signer.to_string(), by, signature.signature));
            }
        }
        Ok(VisibleSignatures(found))
    }
}
