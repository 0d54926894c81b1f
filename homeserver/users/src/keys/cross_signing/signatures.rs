//! Signatures on keys that are there already.

use std::collections::{BTreeMap, BTreeSet};

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{
        ACCOUNTS, CROSS_SIGNING, DEVICE_KEYS, FOREIGN_USERS, KEY_SIGNATURES, KeySignature,
    },
};
use ruma::{OwnedUserId, UserId, encryption::DeviceKeys};

use super::stored;
use crate::{
    Error, Result, Users,
    keys::{device_keys::signing_key_id, device_list::CROSS_SIGNING_KEYS, signed::Signed},
    users::Places,
};

/// Signed keys by user and by device ID or public cross-signing key: JSON objects.
pub type SignedKeys = BTreeMap<OwnedUserId, BTreeMap<String, String>>;

/// Keys whose signatures were refused, and why.
pub type KeyFailures = BTreeMap<OwnedUserId, BTreeMap<String, Error>>;

/// A signature that is right.
struct Verified<'a> {
    of: &'a UserId,
    key: &'a str,
    by: String,
    signature: String,
}

impl Users {
    /// Keeps signatures that a user puts on keys: on the own devices by the self-signing key, on the own master key by
    /// devices, on others' master keys by the user-signing key. Returns which were refused; the others are kept.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn upload_signatures(
        &self,
        user_id: &UserId,
        signed: &SignedKeys,
    ) -> Result<KeyFailures> {
        self.localpart(user_id)?;
        self.write_at(1, |places| {
            let mut failures = KeyFailures::new();
            let mut batch = Batch::new();
            for (of, keys) in signed {
                let mut verified = Vec::new();
                for (key, json) in keys {
                    let found = if of == user_id {
                        self.verify_own(user_id, key, json, &mut batch)
                    } else {
                        self.verify_others(user_id, of, key, json, &mut batch)
                    };
                    match found {
                        Ok(found) => verified.extend(found),
                        Err(error @ (Error::Storage(_) | Error::Internal(_))) => return Err(error),
                        Err(error) => {
                            let of_user = failures.entry(of.clone()).or_default();
                            of_user.insert(key.clone(), error);
                        }
                    }
                }
                self.keep_signatures(user_id, of, verified, places, &mut batch)?;
            }
            if batch.entries() == 0 {
                batch = Batch::new();
            }
            Ok((batch, failures))
        })
        .await
    }

    /// Adds what is new of signatures on one user's keys, and tells of it whoever sees it.
    fn keep_signatures(
        &self,
        user_id: &UserId,
        of: &UserId,
        verified: Vec<Verified<'_>>,
        places: &Places<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let at = places.at(batch.entries());
        let mut news = BTreeSet::new();
        for found in verified {
            let place = (localpart, found.of, found.key, &found.by);
            let known = self.store().get(&KEY_SIGNATURES, place)?;
            if known.is_some_and(|known| known.signature == found.signature) {
                continue;
            }
            let signature = KeySignature {
                at,
                signature: found.signature,
            };
            batch.put(&KEY_SIGNATURES, place, &signature);
            news.insert(found.key.to_owned());
        }
        if news.is_empty() {
            return Ok(());
        }
        if of == user_id {
            let mut changed = BTreeSet::new();
            for key in &news {
                let is_device = self.store().contains(&DEVICE_KEYS, (localpart, key))?;
                changed.insert(if is_device {
                    &**key
                } else {
                    CROSS_SIGNING_KEYS
                });
            }
            let changed: Vec<&str> = changed.into_iter().collect();
            self.device_list_changes(user_id, &changed, places, batch)?;
        } else {
            batch.log(Entry::KeySignatures {
                user_id: user_id.to_string(),
                of: of.to_string(),
            });
        }
        Ok(())
    }

    /// The user's signatures on a key of their own.
    fn verify_own<'a>(
        &self,
        user_id: &'a UserId,
        key: &'a str,
        json: &str,
        batch: &mut Batch,
    ) -> Result<Vec<Verified<'a>>> {
        let localpart = self.localpart(user_id)?;
        let given = Signed::parse(json)?;
        let keys = self.store().get(&CROSS_SIGNING, (localpart,))?;
        batch.expect(&CROSS_SIGNING, (localpart,), keys.as_ref());
        let keys = keys.unwrap_or_default();
        let device = self.store().get(&DEVICE_KEYS, (localpart, key))?;
        if let Some(text) = device {
            batch.expect(&DEVICE_KEYS, (localpart, key), Some(&text));
            must_be(&given, &Signed::stored(&text)?)?;
            let own_id = signing_key_id(key.into());
            let Some((_, self_signing)) = stored(keys.self_signing.as_ref())? else {
                return Err(Error::InvalidSignature(
                    "you have no self-signing key that could have signed this device".to_owned(),
                ));
            };
            let by = |id: &str| {
                (id.strip_prefix("ed25519:") == Some(self_signing.as_str()))
                    .then(|| self_signing.clone())
            };
            // A device's signature on itself is part of its keys.
            return verify(
                user_id,
                user_id,
                key,
                &given,
                |id| Ok(by(id)),
                |id| id == own_id.as_str(),
            );
        }
        match stored(keys.master.as_ref())? {
            Some((master, public)) if public == key => {
                must_be(&given, &master)?;
                let by = |id: &str| self.device_key(localpart, id, batch);
                verify(user_id, user_id, key, &given, by, |id| {
                    id.strip_prefix("ed25519:") == Some(public.as_str())
                })
            }
            _ => Err(Error::NotFound("key of yours")),
        }
    }

    /// The ed25519 key of a device by its key ID.
    fn device_key(
        &self,
        localpart: &str,
        key_id: &str,
        batch: &mut Batch,
    ) -> Result<Option<String>> {
        let Some(device_id) = key_id.strip_prefix("ed25519:") else {
            return Ok(None);
        };
        let place = (localpart, device_id);
        let Some(text) = self.store().get(&DEVICE_KEYS, place)? else {
            return Ok(None);
        };
        batch.expect(&DEVICE_KEYS, place, Some(&text));
        let keys: DeviceKeys = text
            .parse()
            .map_err(|e| Error::Internal(format!("stored device keys: {e}")))?;
        Ok(keys.keys.get(&signing_key_id(device_id.into())).cloned())
    }

    /// The user's signatures on another user's master key. (That of another server's user is to be fetched and kept here first.)
    fn verify_others<'a>(
        &self,
        user_id: &UserId,
        of: &'a UserId,
        key: &'a str,
        json: &str,
        batch: &mut Batch,
    ) -> Result<Vec<Verified<'a>>> {
        let given = Signed::parse(json)?;
        let own = self
            .store()
            .get(&CROSS_SIGNING, (self.localpart(user_id)?,))?;
        batch.expect(&CROSS_SIGNING, (user_id.localpart(),), own.as_ref());
        let theirs = self.master_key(of, batch)?;
        let master = stored(theirs.as_ref())?;
        let Some((master, _)) = master.filter(|(_, public)| public == key) else {
            return Err(Error::NotFound("key: you sign others' master keys alone"));
        };
        must_be(&given, &master)?;
        let Some((_, signing)) = stored(own.and_then(|keys| keys.user_signing).as_ref())? else {
            return Err(Error::InvalidSignature(
                "you have no user-signing key that could have signed this key".to_owned(),
            ));
        };
        let by = |id: &str| {
            (id.strip_prefix("ed25519:") == Some(signing.as_str())).then(|| signing.clone())
        };
        verify(user_id, of, key, &given, |id| Ok(by(id)), |_| false)
    }

    /// Somebody's master key, which the batch expects to stay as it is.
    fn master_key(&self, of: &UserId, batch: &mut Batch) -> Result<Option<JsonText>> {
        if !self.is_local(of) {
            let theirs = self.store().get(&FOREIGN_USERS, (of,))?;
            batch.expect(&FOREIGN_USERS, (of,), theirs.as_ref());
            return Ok(theirs.and_then(|user| user.master));
        }
        if !self.store().contains(&ACCOUNTS, (of.localpart(),))? {
            return Err(Error::NotFound("key"));
        }
        let theirs = self.store().get(&CROSS_SIGNING, (of.localpart(),))?;
        batch.expect(&CROSS_SIGNING, (of.localpart(),), theirs.as_ref());
        Ok(theirs.and_then(|keys| keys.master))
    }
}

/// What is signed must be what is there.
fn must_be(given: &Signed, known: &Signed) -> Result<()> {
    if given.bare() == known.bare() {
        return Ok(());
    }
    Err(Error::InvalidParam(
        "the signed key is not the one that is known under this ID".to_owned(),
    ))
}

/// The signatures of a signer on a key. `by` gives the public key of a signing key's ID, where that may sign this key; those
/// that are `known` already, and those by keys that are no more, are passed over.
///
/// # Errors
/// [`Error::InvalidSignature`] if one is wrong, or nothing is signed.
fn verify<'a>(
    signer: &UserId,
    of: &'a UserId,
    key: &'a str,
    given: &Signed,
    by: impl FnMut(&str) -> Result<Option<String>>,
    known: impl Fn(&str) -> bool,
) -> Result<Vec<Verified<'a>>> {
    let (mut by, mut found, mut any) = (by, Vec::new(), false);
    for (key_id, signature) in given.signatures(signer) {
        if known(&key_id) {
            any = true;
            continue;
        }
        let Some(public) = by(&key_id)? else {
            continue;
        };
        if !given.is_signature(&signature, &public) {
            return Err(Error::InvalidSignature(format!(
                "the signature by {key_id} is wrong"
            )));
        }
        any = true;
        found.push(Verified {
            of,
            key,
            by: key_id,
            signature,
        });
    }
    if !any {
        return Err(Error::InvalidSignature(
            "there is no signature on this key by a key of yours that signs such keys".to_owned(),
        ));
    }
    Ok(found)
}
