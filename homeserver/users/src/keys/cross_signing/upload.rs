//! Uploading cross-signing keys.

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{CROSS_SIGNING, CrossSigning, DEVICE_KEYS, DEVICES, Device, KEY_SIGNATURES},
};
use ruma::{
    CanonicalJsonValue, UserId,
    encryption::{CrossSigningKey, DeviceKeys},
    serde::Raw,
};

use super::{Usage, public_key, stored};
use crate::{
    Error, Result, Users,
    keys::{
        device_keys::signing_key_id,
        device_list::CROSS_SIGNING_KEYS,
        signed::{Signed, Verdict},
    },
    users::Places,
};

/// Cross-signing keys that a user uploads.
#[derive(Debug, Clone, Default)]
pub struct CrossSigningKeys {
    /// The master key.
    pub master: Option<Raw<CrossSigningKey>>,
    /// The self-signing key.
    pub self_signing: Option<Raw<CrossSigningKey>>,
    /// The user-signing key.
    pub user_signing: Option<Raw<CrossSigningKey>>,
}

/// A key that is as it should be by itself.
struct Checked {
    key: Signed,
    public: String,
}

struct AllChecked {
    master: Option<Checked>,
    self_signing: Option<Checked>,
    user_signing: Option<Checked>,
}

impl AllChecked {
    fn all(&self) -> impl Iterator<Item = &Checked> {
        [&self.master, &self.self_signing, &self.user_signing]
            .into_iter()
            .flatten()
    }
}

impl Users {
    /// Keeps cross-signing keys of a user. The first ones, and those that are there already, need no proof of who uploads them.
    ///
    /// With another master key, what the old one signed goes if it is not replaced; with another key of any kind, what the old
    /// one signed.
    ///
    /// # Errors
    /// [`Error::ProofNeeded`] if the user has to prove who they are and this was not `proven`; [`Error::InvalidParam`],
    /// [`Error::BadJson`], [`Error::InvalidSignature`], [`Error::MissingParam`] without any master key, [`Error::Forbidden`] if
    /// a key is named as a device; storage.
    pub async fn upload_cross_signing_keys(
        &self,
        user_id: &UserId,
        keys: &CrossSigningKeys,
        proven: bool,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let most = self.config().limits.key_bytes;
        let check = |key: &Option<Raw<CrossSigningKey>>, usage| {
            key.as_ref()
                .map(|key| check(user_id, key, usage, most))
                .transpose()
        };
        let checked = AllChecked {
            master: check(&keys.master, Usage::Master)?,
            self_signing: check(&keys.self_signing, Usage::SelfSigning)?,
            user_signing: check(&keys.user_signing, Usage::UserSigning)?,
        };
        self.write_at(1, |places| {
            let before = self.store().get(&CROSS_SIGNING, (localpart,))?;
            let mut batch = Batch::new();
            self.cross_signing_batch(
                user_id,
                &checked,
                before.clone().unwrap_or_default(),
                proven,
                places,
                &mut batch,
            )?;
            if !batch.is_empty() {
                batch.expect(&CROSS_SIGNING, (localpart,), before.as_ref());
            }
            Ok((batch, ()))
        })
        .await
    }

    /// Whether a user has cross-signing keys.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn has_cross_signing(&self, user_id: &UserId) -> Result<bool> {
        let keys = self
            .store()
            .get(&CROSS_SIGNING, (self.localpart(user_id)?,))?;
        Ok(keys.is_some_and(|keys| keys.master.is_some()))
    }

    /// Whether a text is one of a user's public cross-signing keys.
    pub(crate) fn is_cross_signing_key(
        &self,
        keys: Option<&CrossSigning>,
        name: &str,
    ) -> Result<bool> {
        let Some(keys) = keys else { return Ok(false) };
        for text in [&keys.master, &keys.self_signing, &keys.user_signing] {
            if stored(text.as_ref())?.is_some_and(|(_, public)| public == name) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn cross_signing_batch(
        &self,
        user_id: &UserId,
        checked: &AllChecked,
        before: CrossSigning,
        proven: bool,
        places: &Places<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let old_master = stored(before.master.as_ref())?;
        let master = match (&checked.master, &old_master) {
            (Some(new), _) => new.public.clone(),
            (None, Some((_, public))) => public.clone(),
            (None, None) => return Err(Error::MissingParam("the master key")),
        };
        let other_master = old_master
            .as_ref()
            .is_some_and(|(_, public)| *public != master);
        let master_id = format!("ed25519:{master}");
        for key in [&checked.self_signing, &checked.user_signing]
            .into_iter()
            .flatten()
        {
            if key.key.is_signed_by(user_id, &master_id, &master) != Verdict::Right {
                return Err(Error::InvalidSignature(
                    "this key is not signed by your master key, or the signature is wrong"
                        .to_owned(),
                ));
            }
        }
        let mut after = before.clone();
        if other_master {
            (after.self_signing, after.user_signing) = (None, None);
        }
        if let Some(new) = &checked.master {
            after.master = Some(self.with_device_signatures(user_id, new, &before)?);
        }
        for (new, place) in [
            (&checked.self_signing, &mut after.self_signing),
            (&checked.user_signing, &mut after.user_signing),
        ] {
            if let Some(new) = new {
                *place = Some(with_signature_of(user_id, new, &master_id)?);
            }
        }
        if after == before {
            return Ok(());
        }
        let differ = |a: &Option<JsonText>, b: &Option<JsonText>| -> Result<bool> {
            let bare = |text: &Option<JsonText>| -> Result<_> {
                Ok(stored(text.as_ref())?.map(|(key, _)| key.bare()))
            };
            Ok(bare(a)? != bare(b)?)
        };
        let seen_by_all =
            before.master != after.master || before.self_signing != after.self_signing;
        if old_master.is_some()
            && !proven
            && (differ(&before.master, &after.master)?
                || differ(&before.self_signing, &after.self_signing)?
                || differ(&before.user_signing, &after.user_signing)?)
        {
            return Err(Error::ProofNeeded);
        }
        self.check_names(user_id, checked, &after, batch)?;
        self.remove_signatures_by_old_keys(user_id, &before, &after, batch)?;
        if before.user_signing != after.user_signing {
            after.private_at = places.at(batch.entries());
            batch.log(Entry::KeySignatures {
                user_id: user_id.to_string(),
                of: user_id.to_string(),
            });
        }
        if seen_by_all {
            self.device_list_changes(user_id, &[CROSS_SIGNING_KEYS], places, batch)?;
        }
        batch.put(&CROSS_SIGNING, (localpart,), &after);
        Ok(())
    }

    /// A master key with the signatures of its user's devices that came with it or were there before, each verified.
    fn with_device_signatures(
        &self,
        user_id: &UserId,
        new: &Checked,
        before: &CrossSigning,
    ) -> Result<JsonText> {
        let localpart = self.localpart(user_id)?;
        let mut kept = new.key.bare();
        let mut signatures = new.key.signatures(user_id);
        if let Some((old, public)) = stored(before.master.as_ref())?
            && public == new.public
            && old.bare() == kept
        {
            let more = old.signatures(user_id).into_iter();
            signatures.extend(more.filter(|(key_id, _)| {
                new.key
                    .signatures(user_id)
                    .iter()
                    .all(|(id, _)| id != key_id)
            }));
        }
        for (key_id, signature) in signatures {
            let Some(device_id) = key_id.strip_prefix("ed25519:") else {
                continue;
            };
            let Some(keys) = self.store().get(&DEVICE_KEYS, (localpart, device_id))? else {
                continue;
            };
            let keys: DeviceKeys = keys
                .parse()
                .map_err(|e| Error::Internal(format!("stored device keys: {e}")))?;
            let Some(key) = keys.keys.get(&signing_key_id(device_id.into())) else {
                continue;
            };
            if !kept.is_signature(&signature, key) {
                return Err(Error::InvalidSignature(format!(
                    "the signature of the master key by your device {device_id} is wrong"
                )));
            }
            kept.add_signature(user_id.as_str(), &key_id, &signature);
        }
        kept.text()
    }

    /// No two keys of a user have one name: neither among cross-signing keys nor with a device.
    fn check_names(
        &self,
        user_id: &UserId,
        checked: &AllChecked,
        after: &CrossSigning,
        batch: &mut Batch,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        for new in checked.all() {
            let place = (localpart, &new.public);
            if self.store().contains(&DEVICES, place)? {
                return Err(Error::Forbidden(
                    "one of your devices has the ID of this key",
                ));
            }
            batch.expect::<_, Device>(&DEVICES, place, None);
        }
        let mut names = Vec::new();
        for text in [&after.master, &after.self_signing, &after.user_signing] {
            if let Some((_, public)) = stored(text.as_ref())? {
                if names.contains(&public) {
                    return Err(Error::InvalidParam(
                        "each cross-signing key is another key".to_owned(),
                    ));
                }
                names.push(public);
            }
        }
        Ok(())
    }

    /// Removes what keys signed that are no more, and what the user signed on them.
    fn remove_signatures_by_old_keys(
        &self,
        user_id: &UserId,
        before: &CrossSigning,
        after: &CrossSigning,
        batch: &mut Batch,
    ) -> Result<()> {
        let public = |text: &Option<JsonText>| -> Result<Option<String>> {
            Ok(stored(text.as_ref())?.map(|(_, public)| public))
        };
        let mut gone = Vec::new();
        for (before, after) in [
            (&before.master, &after.master),
            (&before.self_signing, &after.self_signing),
            (&before.user_signing, &after.user_signing),
        ] {
            if let Some(old) = public(before)?
                && public(after)?.as_ref() != Some(&old)
            {
                gone.push(old);
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        let localpart = self.localpart(user_id)?;
        for ((_, of, key, by), _) in
            self.store()
                .prefix(&KEY_SIGNATURES, (localpart,), usize::MAX)?
        {
            let is_by_old = gone
                .iter()
                .any(|old| by.strip_prefix("ed25519:") == Some(old.as_str()));
            if is_by_old || of == user_id.as_str() && gone.contains(&key) {
                batch.delete(&KEY_SIGNATURES, (localpart, of, key, by));
            }
        }
        Ok(())
    }
}

/// A key with its signature by the master key alone.
fn with_signature_of(user_id: &UserId, new: &Checked, master_id: &str) -> Result<JsonText> {
    let mut kept = new.key.bare();
    for (key_id, signature) in new.key.signatures(user_id) {
        if key_id == master_id {
            kept.add_signature(user_id.as_str(), &key_id, &signature);
        }
    }
    kept.text()
}

fn check(
    user_id: &UserId,
    raw: &Raw<CrossSigningKey>,
    usage: Usage,
    most_bytes: usize,
) -> Result<Checked> {
    let name = usage.name();
    let refused = |reason: &str| Err(Error::InvalidParam(format!("the {name} key {reason}")));
    if raw.json().get().len() > most_bytes {
        return Err(Error::TooLarge(format!(
            "a cross-signing key has at most {most_bytes} bytes"
        )));
    }
    raw.deserialize()
        .map_err(|e| Error::BadJson(format!("the {name} key is malformed: {e}")))?;
    let key = Signed::parse(raw.json().get())?;
    if key.str("user_id") != Some(user_id.as_str()) {
        return refused("is another user's");
    }
    let usages = key.array("usage").unwrap_or_default();
    if usages != [CanonicalJsonValue::String(name.to_owned())] {
        return refused("has another usage");
    }
    let Some(public) = public_key(&key) else {
        return refused("has to hold one ed25519 key, whose ID is the key itself");
    };
    Ok(Checked { key, public })
}
