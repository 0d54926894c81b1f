//! Uploading keys of a device.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{
        CROSS_SIGNING, DEVICE_KEYS, DEVICES, Device, FALLBACK_KEYS, FallbackKey, KEY_SIGNATURES,
        KeySignature,
    },
};
use ruma::{
    DeviceId, OneTimeKeyName, OwnedOneTimeKeyId, UserId,
    encryption::{DeviceKeys, OneTimeKey},
    serde::Raw,
};

use super::{
    KeyCounts,
    cross_signing::public_key,
    device_keys::{CheckedDeviceKeys, check_device_keys, signing_key_id},
    signed::Signed,
};
use crate::{Error, Result, Users, users::Places};

/// Keys that a device uploads.
#[derive(Debug, Clone, Default)]
pub struct KeyUpload {
    /// Its identity keys.
    pub device_keys: Option<Raw<DeviceKeys>>,
    /// One-time keys.
    pub one_time_keys: BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>,
    /// Fallback keys, at most one for each algorithm.
    pub fallback_keys: BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>,
}

/// An upload that has been checked: algorithm, key ID, key.
pub(super) struct Checked {
    device_keys: Option<CheckedDeviceKeys>,
    pub(super) one_time: Vec<(String, String, JsonText)>,
    fallback: Vec<(String, String, JsonText)>,
}

impl Users {
    /// Keeps keys that a device uploads; returns how many it has then. Uploading the same again changes nothing, also where a
    /// key was given out meanwhile; another key under a known ID is refused. With other identity keys the one-time and
    /// fallback keys of the old ones go.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::InvalidSignature`], [`Error::TooLarge`], [`Error::NoSuchDevice`]; storage.
    pub async fn upload_keys(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        upload: &KeyUpload,
    ) -> Result<Arc<KeyCounts>> {
        let localpart = self.localpart(user_id)?;
        let checked = self.check_upload(user_id, device_id, upload)?;
        let replacing = self.replacing_key_counts(user_id, device_id);
        self.write_at(1, |places| {
            let device = self
                .store()
                .get(&DEVICES, (localpart, device_id))?
                .ok_or(Error::NoSuchDevice)?;
            let mut batch = Batch::new();
            self.keys_batch(user_id, device_id, &checked, false, places, &mut batch)?;
            if !batch.is_empty() {
                // A device that is being removed must not be left with keys.
                batch.expect::<_, Device>(&DEVICES, (localpart, device_id), Some(&device));
            }
            Ok((batch, ()))
        })
        .await?;
        drop(replacing);
        self.key_counts(user_id, device_id)
    }

    /// Adds to a batch what an upload changes, and the entries that tell of it. Of a device that is `new` in this batch nothing is
    /// known.
    pub(super) fn keys_batch(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        checked: &Checked,
        new: bool,
        places: &Places<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let key = (self.localpart(user_id)?, device_id);
        let before = self.store().get(&DEVICE_KEYS, key)?;
        let mut news = false;
        let mut is_other_device = new;
        let mut changes = Batch::new();
        if let Some(device_keys) = &checked.device_keys {
            let is_new = new || before.as_ref() != Some(&device_keys.text);
            if is_new {
                changes.expect(&DEVICE_KEYS, key, before.as_ref()).put(
                    &DEVICE_KEYS,
                    key,
                    &device_keys.text,
                );
                self.remove_signatures_of(user_id, device_id, &mut changes)?;
            }
            let identity = before
                .and_then(|before| before.parse::<DeviceKeys>().ok())
                .map(|before| before.keys);
            is_other_device |= identity.is_some_and(|identity| identity != device_keys.keys.keys);
            let at = places.at(batch.entries());
            let signed = self.self_signed(user_id, device_id, device_keys, is_new)?;
            for (key_id, signature) in &signed {
                let place = (key.0, user_id, device_id, key_id);
                let signature = KeySignature {
                    at,
                    signature: signature.clone(),
                };
                changes.put(&KEY_SIGNATURES, place, &signature);
            }
            news = is_new || !signed.is_empty();
        }
        if is_other_device {
            self.remove_one_time_keys(key.0, device_id, &mut changes)?;
        }
        self.one_time_batch(
            key.0,
            device_id,
            checked,
            is_other_device,
            places.at(batch.entries()),
            &mut changes,
        )?;
        for (algorithm, key_id, text) in &checked.fallback {
            let place = (key.0, device_id, algorithm);
            let before = self.store().get(&FALLBACK_KEYS, place)?;
            if is_other_device
                || before.is_none_or(|before| before.key_id != *key_id || before.key != *text)
            {
                let record = FallbackKey {
                    key_id: key_id.clone(),
                    key: text.clone(),
                    used: false,
                };
                changes.put(&FALLBACK_KEYS, place, &record);
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        batch.append(changes);
        batch.log(Entry::DeviceKeyCounts {
            user_id: user_id.to_string(),
            device_id: device_id.to_string(),
        });
        if news {
            self.device_list_changes(user_id, &[device_id.as_str()], places, batch)?;
        }
        Ok(())
    }

    /// The signatures by the user's self-signing key that came with device keys and are not known yet. Those by other keys
    /// are passed over.
    fn self_signed(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        device_keys: &CheckedDeviceKeys,
        is_new: bool,
    ) -> Result<Vec<(String, String)>> {
        if device_keys.others.is_empty() {
            return Ok(Vec::new());
        }
        let localpart = self.localpart(user_id)?;
        let cross_signing = self.store().get(&CROSS_SIGNING, (localpart,))?;
        let Some(own) = cross_signing.and_then(|keys| keys.self_signing) else {
            return Ok(Vec::new());
        };
        let own = Signed::stored(&own)?;
        let public = public_key(&own)
            .ok_or_else(|| Error::Internal("a stored cross-signing key has no key".to_owned()))?;
        let mut found = Vec::new();
        for (key_id, signature) in &device_keys.others {
            if key_id.strip_prefix("ed25519:") != Some(public.as_str()) {
                continue;
            }
            if !device_keys.signed.is_signature(signature, &public) {
                return Err(Error::InvalidSignature(
                    "the signature of the device keys by your self-signing key is wrong".to_owned(),
                ));
            }
            let place = (localpart, user_id, device_id, key_id);
            if is_new || !self.store().contains(&KEY_SIGNATURES, place)? {
                found.push((key_id.clone(), signature.clone()));
            }
        }
        Ok(found)
    }

    /// Removes the user's signatures on a device's keys, and the device's on the user's master key.
    pub(crate) fn remove_signatures_of(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        batch: &mut Batch,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let own_id = signing_key_id(device_id);
        for ((_, of, key, by), _) in
            self.store()
                .prefix(&KEY_SIGNATURES, (localpart, user_id), usize::MAX)?
        {
            if key == device_id.as_str() || by == own_id.as_str() {
                batch.delete(&KEY_SIGNATURES, (localpart, of, key, by));
            }
        }
        Ok(())
    }

    pub(super) fn check_upload(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        upload: &KeyUpload,
    ) -> Result<Checked> {
        let most_bytes = self.config().limits.key_bytes;
        let device_keys = upload
            .device_keys
            .as_ref()
            .map(|keys| check_device_keys(user_id, device_id, keys, most_bytes))
            .transpose()?;
        let fallback = upload
            .fallback_keys
            .iter()
            .map(|(id, key)| check_key(id, key, most_bytes))
            .collect::<Result<Vec<_>>>()?;
        let algorithms = fallback
            .iter()
            .map(|(algorithm, ..)| algorithm)
            .collect::<BTreeSet<_>>();
        if algorithms.len() < fallback.len() {
            return Err(Error::InvalidParam(
                "there is one fallback key for each algorithm".to_owned(),
            ));
        }
        let one_time = upload
            .one_time_keys
            .iter()
            .map(|(id, key)| check_key(id, key, most_bytes))
            .collect::<Result<_>>()?;
        Ok(Checked {
            device_keys,
            one_time,
            fallback,
        })
    }
}

fn check_key(
    id: &OwnedOneTimeKeyId,
    raw: &Raw<OneTimeKey>,
    most_bytes: usize,
) -> Result<(String, String, JsonText)> {
    let refused = |reason: &str| Err(Error::InvalidParam(format!("the key {id} {reason}")));
    let key_id: &OneTimeKeyName = id.key_name();
    if key_id.as_str().is_empty() || id.as_str().len() > 255 {
        return refused("has an impossible ID");
    }
    if raw.json().get().len() > most_bytes {
        return Err(Error::TooLarge(format!(
            "a key has at most {most_bytes} bytes"
        )));
    }
    let algorithm = id.algorithm().to_string();
    match (raw.deserialize(), algorithm.as_str()) {
        (Ok(OneTimeKey::SignedKey(_)), _) => Ok((
            algorithm,
            key_id.to_string(),
            Signed::parse(raw.json().get())?.text()?,
        )),
        (Ok(OneTimeKey::Key(key)), "curve25519") => {
            let key = JsonText::of(&key).map_err(|e| Error::Internal(e.to_string()))?;
            Ok((algorithm, key_id.to_string(), key))
        }
        _ => refused("is not a key of its algorithm"),
    }
}

#[cfg(test)]
mod tests {
    use ruma::OneTimeKeyAlgorithm::SignedCurve25519;

    use super::*;
    use crate::{
        keys::testing::{device_keys, one_time_keys, upload, with_device},
        testing::users,
    };

    #[tokio::test]
    async fn keys_are_counted_and_uploading_them_again_changes_nothing() {
        let (users, alice, phone) = with_device(users()).await;
        let first = upload(&alice, &phone, &["A", "B"]);
        let counts = users.upload_keys(&alice, &phone, &first).await.unwrap();
        assert_eq!(counts.one_time[&SignedCurve25519], 2_u32.into());
        assert_eq!(counts.unused_fallback, [SignedCurve25519]);
        let before = users.store().visible();
        assert_eq!(
            users.upload_keys(&alice, &phone, &first).await.unwrap(),
            counts
        );
        assert!(users.store().log(before, 10).unwrap().is_empty());
        let more = KeyUpload {
            one_time_keys: one_time_keys(&["C"], 1),
            ..KeyUpload::default()
        };
        let counts = users.upload_keys(&alice, &phone, &more).await.unwrap();
        assert_eq!(counts.one_time[&SignedCurve25519], 3_u32.into());
    }

    #[tokio::test]
    async fn another_key_under_a_known_id_is_refused() {
        let (users, alice, phone) = with_device(users()).await;
        users
            .upload_keys(&alice, &phone, &upload(&alice, &phone, &["A"]))
            .await
            .unwrap();
        let other = KeyUpload {
            one_time_keys: one_time_keys(&["A", "B"], 2),
            ..KeyUpload::default()
        };
        let refused = users.upload_keys(&alice, &phone, &other).await;
        assert!(matches!(refused, Err(Error::InvalidParam(_))));
        assert_eq!(
            users.key_counts(&alice, &phone).unwrap().one_time[&SignedCurve25519],
            1_u32.into()
        );
    }

    #[tokio::test]
    async fn the_log_tells_of_new_identity_keys_and_of_counts() {
        let (users, alice, phone) = with_device(users()).await;
        let before = users.store().visible();
        users
            .upload_keys(&alice, &phone, &upload(&alice, &phone, &["A"]))
            .await
            .unwrap();
        let told = users.store().log(before, 10).unwrap();
        let list = Entry::DeviceList {
            user_id: alice.to_string(),
        };
        assert!(told.iter().any(|(_, entry)| *entry == list));
        let changed = users.device_list_changed_at(&alice).unwrap();
        assert!(
            told.iter()
                .any(|(at, entry)| *entry == list && *at == changed)
        );
        let more = KeyUpload {
            one_time_keys: one_time_keys(&["B"], 1),
            ..KeyUpload::default()
        };
        users.upload_keys(&alice, &phone, &more).await.unwrap();
        assert_eq!(users.device_list_changed_at(&alice).unwrap(), changed);
    }

    #[tokio::test]
    async fn new_identity_keys_end_the_one_time_keys_of_the_old() {
        let (users, alice, phone) = with_device(users()).await;
        users
            .upload_keys(&alice, &phone, &upload(&alice, &phone, &["A", "B"]))
            .await
            .unwrap();
        let other = KeyUpload {
            device_keys: Some(device_keys(&alice, &phone, 2)),
            one_time_keys: one_time_keys(&["A"], 2),
            ..KeyUpload::default()
        };
        let counts = users.upload_keys(&alice, &phone, &other).await.unwrap();
        assert_eq!(counts.one_time[&SignedCurve25519], 1_u32.into());
        assert!(counts.unused_fallback.is_empty());
    }

    #[tokio::test]
    async fn keys_of_another_device_user_or_signature_are_refused() {
        let (users, alice, phone) = with_device(users()).await;
        let changed = |from: &str, to: &str| {
            let json = device_keys(&alice, &phone, 1)
                .json()
                .get()
                .replace(from, to);
            Raw::from_json_string(json).unwrap()
        };
        for bad in [
            device_keys(&alice, "OTHER".into(), 1),
            device_keys(ruma::user_id!("@bob:example.org"), &phone, 1),
            changed("m.olm.v1", "m.olm.v2"),
            changed(
                "\"signatures\"",
                "\"signaturen\":{},\"signatures\":{},\"x\"",
            ),
            changed("ed25519:", "ed25519:X"),
        ] {
            let upload = KeyUpload {
                device_keys: Some(bad),
                ..KeyUpload::default()
            };
            let refused = users.upload_keys(&alice, &phone, &upload).await;
            assert!(
                matches!(
                    refused,
                    Err(Error::InvalidParam(_) | Error::BadJson(_) | Error::InvalidSignature(_))
                ),
                "{refused:?}"
            );
        }
        assert!(users.device_keys(&alice, &phone).unwrap().is_none());
    }

    #[tokio::test]
    async fn one_time_keys_are_bounded_and_well_formed() {
        let (users, alice, phone) = with_device(users()).await;
        let names = (0..501).map(|n| n.to_string()).collect::<Vec<_>>();
        let many = one_time_keys(&names.iter().map(String::as_str).collect::<Vec<_>>(), 1);
        let refused = users
            .upload_keys(
                &alice,
                &phone,
                &KeyUpload {
                    one_time_keys: many,
                    ..KeyUpload::default()
                },
            )
            .await;
        assert!(matches!(refused, Err(Error::TooLarge(_))));
        let id: OwnedOneTimeKeyId = "signed_curve25519:A".try_into().unwrap();
        let bare = BTreeMap::from([(id, Raw::from_json_string(r#""AAAA""#.to_owned()).unwrap())]);
        let refused = users
            .upload_keys(
                &alice,
                &phone,
                &KeyUpload {
                    one_time_keys: bare,
                    ..KeyUpload::default()
                },
            )
            .await;
        assert!(matches!(refused, Err(Error::InvalidParam(_))));
        let two = KeyUpload {
            fallback_keys: one_time_keys(&["A", "B"], 1),
            ..KeyUpload::default()
        };
        assert!(matches!(
            users.upload_keys(&alice, &phone, &two).await,
            Err(Error::InvalidParam(_))
        ));
    }

    #[tokio::test]
    async fn device_keys_are_signed_by_the_device() {
        let (users, alice, phone) = with_device(users()).await;
        let mut unsigned: serde_json::Value =
            serde_json::from_str(device_keys(&alice, &phone, 1).json().get()).unwrap();
        unsigned["signatures"] = serde_json::json!({});
        let upload = KeyUpload {
            device_keys: Some(crate::keys::testing::raw(&unsigned)),
            ..KeyUpload::default()
        };
        let refused = users.upload_keys(&alice, &phone, &upload).await;
        assert!(matches!(refused, Err(Error::InvalidSignature(_))));
    }

    #[tokio::test]
    async fn a_key_that_was_given_out_is_not_taken_once_more() {
        let (users, alice, phone) = with_device(users()).await;
        let first = upload(&alice, &phone, &["A"]);
        users.upload_keys(&alice, &phone, &first).await.unwrap();
        let wanted = BTreeMap::from([(
            alice.clone(),
            BTreeMap::from([(phone.clone(), SignedCurve25519)]),
        )]);
        users.claim_keys(&wanted).await.unwrap();
        let counts = users.upload_keys(&alice, &phone, &first).await.unwrap();
        assert_eq!(counts.one_time[&SignedCurve25519], 0_u32.into());
        let other = KeyUpload {
            one_time_keys: one_time_keys(&["A"], 2),
            ..KeyUpload::default()
        };
        assert!(matches!(
            users.upload_keys(&alice, &phone, &other).await,
            Err(Error::InvalidParam(_))
        ));
    }

    #[tokio::test]
    async fn a_key_is_no_novel() {
        let (users, alice, phone) = with_device(users()).await;
        let mut long: serde_json::Value =
            serde_json::from_str(device_keys(&alice, &phone, 1).json().get()).unwrap();
        long["org.example.more"] = "x".repeat(100_000).into();
        let upload = KeyUpload {
            device_keys: Some(crate::keys::testing::raw(&long)),
            ..KeyUpload::default()
        };
        let refused = users.upload_keys(&alice, &phone, &upload).await;
        assert!(matches!(refused, Err(Error::TooLarge(_))));
    }

    #[tokio::test]
    async fn an_unknown_device_uploads_nothing() {
        let users = users();
        let alice = users.account("alice").await;
        let refused = users
            .upload_keys(
                &alice,
                "PHONE".into(),
                &upload(&alice, "PHONE".into(), &["A"]),
            )
            .await;
        assert!(matches!(refused, Err(Error::NoSuchDevice)));
    }
}
