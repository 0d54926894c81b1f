//! Uploading keys of a device.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orvale_storage::{
    Batch, Entry, Position,
    record::JsonText,
    trees::users::{
        DEVICE_KEYS, DEVICE_LISTS, DEVICES, Device, FALLBACK_KEYS, FallbackKey, ONE_TIME_KEYS,
    },
};
use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, DeviceId, DeviceKeyAlgorithm, DeviceKeyId,
    OneTimeKeyName, OwnedOneTimeKeyId, UserId,
    encryption::{DeviceKeys, OneTimeKey},
    serde::{Base64, Raw},
    signatures::verify_json,
};

use super::KeyCounts;
use crate::{Error, Result, Users};

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
struct Checked {
    device_keys: Option<(JsonText, DeviceKeys)>,
    one_time: Vec<(String, String, JsonText)>,
    fallback: Vec<(String, String, JsonText)>,
}

impl Users {
    /// Keeps keys that a device uploads; returns how many it has then. Uploading the same again changes nothing; another
    /// key under a known ID is refused. With other identity keys the one-time and fallback keys of the old ones go.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::TooLarge`], [`Error::NoSuchDevice`]; storage.
    pub async fn upload_keys(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        upload: &KeyUpload,
    ) -> Result<Arc<KeyCounts>> {
        let localpart = self.localpart(user_id)?;
        let checked = check(user_id, device_id, upload)?;
        let replacing = self.replacing_key_counts(user_id, device_id);
        self.write_at(1, |places| {
            let device = self
                .store()
                .get(&DEVICES, (localpart, device_id))?
                .ok_or(Error::NoSuchDevice)?;
            let mut batch = Batch::new();
            let news = self.keys_batch(localpart, device_id, &checked, places.at(0), &mut batch)?;
            if batch.is_empty() {
                return Ok((batch, ()));
            }
            batch.log(Entry::DeviceKeyCounts {
                user_id: user_id.to_string(),
                device_id: device_id.to_string(),
            });
            if news {
                batch.log(Entry::DeviceList {
                    user_id: user_id.to_string(),
                });
                batch.put(&DEVICE_LISTS, (localpart,), &places.at(1));
            }
            // A device that is being removed must not be left with keys.
            batch.expect::<_, Device>(&DEVICES, (localpart, device_id), Some(&device));
            Ok((batch, ()))
        })
        .await?;
        drop(replacing);
        self.key_counts(user_id, device_id)
    }

    /// Adds to a batch what an upload changes; whether the device's identity keys are among it.
    fn keys_batch(
        &self,
        localpart: &str,
        device_id: &DeviceId,
        checked: &Checked,
        at: Position,
        batch: &mut Batch,
    ) -> Result<bool> {
        let key = (localpart, device_id);
        let mut known = self.store().prefix(&ONE_TIME_KEYS, key, usize::MAX)?;
        let mut news = false;
        if let Some((text, device_keys)) = &checked.device_keys {
            let before = self.store().get(&DEVICE_KEYS, key)?;
            news = before.as_ref() != Some(text);
            if news {
                batch
                    .expect(&DEVICE_KEYS, key, before.as_ref())
                    .put(&DEVICE_KEYS, key, text);
            }
            let identity = before
                .and_then(|before| before.parse::<DeviceKeys>().ok())
                .map(|before| before.keys);
            if identity.is_some_and(|identity| identity != device_keys.keys) {
                for ((_, _, algorithm, at, key_id), _) in std::mem::take(&mut known) {
                    batch.delete(
                        &ONE_TIME_KEYS,
                        (localpart, device_id, algorithm, at, key_id),
                    );
                }
                for ((_, _, algorithm), _) in
                    self.store().prefix(&FALLBACK_KEYS, key, usize::MAX)?
                {
                    batch.delete(&FALLBACK_KEYS, (localpart, device_id, algorithm));
                }
            }
        }
        let ids = known
            .iter()
            .map(|((_, _, algorithm, _, id), key)| ((algorithm.as_str(), id.as_str()), key));
        let ids = ids.collect::<BTreeMap<_, _>>();
        let mut count = known.len();
        for (algorithm, key_id, key) in &checked.one_time {
            match ids.get(&(algorithm.as_str(), key_id.as_str())) {
                Some(same) if *same == key => {}
                Some(_) => {
                    let message = format!(
                        "there is another one-time key with the ID {algorithm}:{key_id} already"
                    );
                    return Err(Error::InvalidParam(message));
                }
                None => {
                    batch.put(
                        &ONE_TIME_KEYS,
                        (localpart, device_id, algorithm, at, key_id),
                        key,
                    );
                    count += 1;
                }
            }
        }
        let most = self.config().limits.one_time_keys;
        if count > most {
            return Err(Error::TooLarge(format!(
                "a device has at most {most} one-time keys"
            )));
        }
        for (algorithm, key_id, key) in &checked.fallback {
            let place = (localpart, device_id, algorithm);
            let before = self.store().get(&FALLBACK_KEYS, place)?;
            if before.is_none_or(|before| before.key_id != *key_id || before.key != *key) {
                let record = FallbackKey {
                    key_id: key_id.clone(),
                    key: key.clone(),
                    used: false,
                };
                batch.put(&FALLBACK_KEYS, place, &record);
            }
        }
        Ok(news)
    }
}

fn check(user_id: &UserId, device_id: &DeviceId, upload: &KeyUpload) -> Result<Checked> {
    let device_keys = upload
        .device_keys
        .as_ref()
        .map(|keys| check_device_keys(user_id, device_id, keys))
        .transpose()?;
    let fallback = upload
        .fallback_keys
        .iter()
        .map(|(id, key)| check_key(id, key))
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
        .map(|(id, key)| check_key(id, key))
        .collect::<Result<_>>()?;
    Ok(Checked {
        device_keys,
        one_time,
        fallback,
    })
}

fn check_device_keys(
    user_id: &UserId,
    device_id: &DeviceId,
    raw: &Raw<DeviceKeys>,
) -> Result<(JsonText, DeviceKeys)> {
    let refused = |reason: &str| Err(Error::InvalidParam(format!("the device keys {reason}")));
    let keys = raw
        .deserialize()
        .map_err(|e| Error::BadJson(format!("the device keys are malformed: {e}")))?;
    if keys.user_id != user_id || keys.device_id != device_id {
        return refused("are of another user or device");
    }
    if keys
        .keys
        .keys()
        .any(|key_id| key_id.key_name() != device_id)
    {
        return refused("have a key whose ID does not end in the device's ID");
    }
    let signing_key_id = DeviceKeyId::from_parts(DeviceKeyAlgorithm::Ed25519, device_id);
    let Some(signing_key) = keys.keys.get(&signing_key_id) else {
        return refused("have no ed25519 key");
    };
    let mut object = canonical(raw.json().get())?;
    object.remove("unsigned");
    // Others refuse a device whose signature on its own keys is wrong; better that its client learns of it here.
    let own = keys
        .signatures
        .get(user_id)
        .is_some_and(|by| by.keys().any(|id| id.as_str() == signing_key_id.as_str()));
    if own {
        let Ok(signing_key) = Base64::parse(signing_key) else {
            return refused("have an ed25519 key that is not Base64");
        };
        let mut signed = object.clone();
        let theirs = BTreeMap::from([(signing_key_id.to_string(), signing_key)]);
        if let Some(CanonicalJsonValue::Object(signatures)) = signed.get_mut("signatures") {
            signatures.retain(|signer, _| signer == user_id.as_str());
            for by in signatures.values_mut() {
                if let CanonicalJsonValue::Object(by) = by {
                    by.retain(|key_id, _| key_id == signing_key_id.as_str());
                }
            }
        }
        if verify_json(&BTreeMap::from([(user_id.to_string(), theirs)]), &signed).is_err() {
            return refused("are not signed by their own ed25519 key");
        }
    }
    Ok((text(&object)?, keys))
}

fn check_key(id: &OwnedOneTimeKeyId, raw: &Raw<OneTimeKey>) -> Result<(String, String, JsonText)> {
    let refused = |reason: &str| Err(Error::InvalidParam(format!("the key {id} {reason}")));
    let key_id: &OneTimeKeyName = id.key_name();
    if key_id.as_str().is_empty() || id.as_str().len() > 255 {
        return refused("has an impossible ID");
    }
    let algorithm = id.algorithm().to_string();
    match (raw.deserialize(), algorithm.as_str()) {
        (Ok(OneTimeKey::SignedKey(_)), _) => Ok((
            algorithm,
            key_id.to_string(),
            text(&canonical(raw.json().get())?)?,
        )),
        (Ok(OneTimeKey::Key(key)), "curve25519") => {
            let key = JsonText::of(&key).map_err(|e| Error::Internal(e.to_string()))?;
            Ok((algorithm, key_id.to_string(), key))
        }
        _ => refused("is not a key of its algorithm"),
    }
}

fn canonical(json: &str) -> Result<CanonicalJsonObject> {
    serde_json::from_str(json)
        .map_err(|e| Error::BadJson(format!("a key is no canonical JSON: {e}")))
}

fn text(object: &CanonicalJsonObject) -> Result<JsonText> {
    JsonText::of(object).map_err(|e| Error::Internal(e.to_string()))
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
            changed("ed25519:", "ed25519:X"),
        ] {
            let upload = KeyUpload {
                device_keys: Some(bad),
                ..KeyUpload::default()
            };
            let refused = users.upload_keys(&alice, &phone, &upload).await;
            assert!(
                matches!(refused, Err(Error::InvalidParam(_) | Error::BadJson(_))),
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
