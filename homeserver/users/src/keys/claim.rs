//! Claiming one-time keys: each is given out once, in the order they were uploaded.

use std::collections::BTreeMap;

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{CLAIMED_KEYS, ClaimedKey, FALLBACK_KEYS, FallbackKey, ONE_TIME_KEYS},
};
use ruma::{
    DeviceId, OneTimeKeyAlgorithm, OwnedDeviceId, OwnedOneTimeKeyId, OwnedUserId, UserId,
    encryption::OneTimeKey, serde::Raw,
};
use sha2::{Digest, Sha256};

use crate::{Error, Result, Users};

/// The keys claimed, by user and device.
pub type ClaimedKeys =
    BTreeMap<OwnedUserId, BTreeMap<OwnedDeviceId, BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>>>;

type Key = (OwnedOneTimeKeyId, Raw<OneTimeKey>);
type Wanted<'a> = (&'a UserId, &'a DeviceId, &'a OneTimeKeyAlgorithm);

/// How many devices' keys are claimed in one batch: few enough that claims of others seldom come in between.
const AT_ONCE: usize = 32;

impl Users {
    /// Claims one key of each named device of this server: a one-time key, or the fallback key where none is left. Devices
    /// without either are left out, and so are other servers' users.
    ///
    /// # Errors
    /// Storage.
    pub async fn claim_keys(
        &self,
        wanted: &BTreeMap<OwnedUserId, BTreeMap<OwnedDeviceId, OneTimeKeyAlgorithm>>,
    ) -> Result<ClaimedKeys> {
        let local = wanted.iter().filter(|(user_id, _)| self.is_local(user_id));
        let all: Vec<Wanted<'_>> = local
            .flat_map(|(user_id, devices)| {
                let each = devices.iter();
                each.map(move |(device_id, algorithm)| (&**user_id, &**device_id, algorithm))
            })
            .collect();
        let mut claimed = ClaimedKeys::new();
        for some in all.chunks(AT_ONCE) {
            let replacing: Vec<_> = some
                .iter()
                .map(|(user_id, device_id, _)| self.replacing_key_counts(user_id, device_id))
                .collect();
            let found = self
                .write(|| {
                    let mut batch = Batch::new();
                    let mut found = Vec::new();
                    for wanted in some {
                        if let Some(key) = self.claim_key(*wanted, &mut batch)? {
                            found.push((*wanted, key));
                        }
                    }
                    Ok((batch, found))
                })
                .await?;
            drop(replacing);
            for ((user_id, device_id, _), (key_id, key)) in found {
                let of_user = claimed.entry(user_id.to_owned()).or_default();
                of_user
                    .entry(device_id.to_owned())
                    .or_default()
                    .insert(key_id, key);
            }
        }
        Ok(claimed)
    }

    /// Claims a key of one device in a batch.
    fn claim_key(
        &self,
        (user_id, device_id, algorithm): Wanted<'_>,
        batch: &mut Batch,
    ) -> Result<Option<Key>> {
        let localpart = user_id.localpart();
        let counts = || Entry::DeviceKeyCounts {
            user_id: user_id.to_string(),
            device_id: device_id.to_string(),
        };
        let first = self
            .store()
            .prefix(&ONE_TIME_KEYS, (localpart, device_id, algorithm), 1)?;
        if let Some(((_, _, _, at, key_id), key)) = first.into_iter().next() {
            let place = (localpart, device_id, algorithm, at, &key_id);
            let given = ClaimedKey {
                at: self.now(),
                hash: hash_of(&key),
            };
            // That it is still there is what keeps two from getting one key.
            batch
                .expect(&ONE_TIME_KEYS, place, Some(&key))
                .delete(&ONE_TIME_KEYS, place)
                .put(
                    &CLAIMED_KEYS,
                    (localpart, device_id, algorithm, &key_id),
                    &given,
                )
                .log(counts());
            return claimed(algorithm, &key_id, key.0).map(Some);
        }
        let place = (localpart, device_id, algorithm);
        let Some(fallback) = self.store().get(&FALLBACK_KEYS, place)? else {
            return Ok(None);
        };
        if !fallback.used {
            let used = FallbackKey {
                used: true,
                ..fallback.clone()
            };
            batch
                .expect(&FALLBACK_KEYS, place, Some(&fallback))
                .put(&FALLBACK_KEYS, place, &used)
                .log(counts());
        }
        claimed(algorithm, &fallback.key_id, fallback.key.0).map(Some)
    }
}

/// What is remembered of a key that was given out.
pub(super) fn hash_of(key: &JsonText) -> [u8; 32] {
    Sha256::digest(&key.0).into()
}

fn claimed(algorithm: &OneTimeKeyAlgorithm, key_id: &str, key: String) -> Result<Key> {
    let malformed = || Error::Internal("a stored one-time key is malformed".to_owned());
    let key_id =
        OwnedOneTimeKeyId::try_from(format!("{algorithm}:{key_id}")).map_err(|_| malformed())?;
    Ok((key_id, Raw::from_json_string(key).map_err(|_| malformed())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyUpload,
        keys::testing::{one_time_keys, upload, with_device},
        testing::{TestUsers, users},
    };

    async fn claim(users: &TestUsers, user_id: &UserId, device_id: &DeviceId) -> Option<String> {
        let devices =
            BTreeMap::from([(device_id.to_owned(), OneTimeKeyAlgorithm::SignedCurve25519)]);
        let mut claimed = users
            .claim_keys(&BTreeMap::from([(user_id.to_owned(), devices)]))
            .await
            .unwrap();
        let keys = claimed.remove(user_id)?.remove(device_id)?;
        assert_eq!(keys.len(), 1);
        keys.into_keys().next().map(|key_id| key_id.to_string())
    }

    #[tokio::test]
    async fn keys_are_given_out_in_the_order_of_upload_then_the_fallback_key_again_and_again() {
        let (users, alice, phone) = with_device(users()).await;
        users
            .upload_keys(&alice, &phone, &upload(&alice, &phone, &["Z"]))
            .await
            .unwrap();
        let more = KeyUpload {
            one_time_keys: one_time_keys(&["A"], 1),
            ..KeyUpload::default()
        };
        users.upload_keys(&alice, &phone, &more).await.unwrap();
        for expected in ["Z", "A", "FALLBACK", "FALLBACK"] {
            let key_id = claim(&users, &alice, &phone).await.unwrap();
            assert_eq!(key_id, format!("signed_curve25519:{expected}"));
        }
        let counts = users.key_counts(&alice, &phone).unwrap();
        assert_eq!(
            counts.one_time[&OneTimeKeyAlgorithm::SignedCurve25519],
            0_u32.into()
        );
        assert!(counts.unused_fallback.is_empty());
        users
            .upload_keys(&alice, &phone, &upload(&alice, &phone, &[]))
            .await
            .unwrap();
        assert!(
            users
                .key_counts(&alice, &phone)
                .unwrap()
                .unused_fallback
                .is_empty(),
            "the same key stays used"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_key_is_given_out_twice() {
        let (users, alice, phone) = with_device(users()).await;
        let names = (0..50).map(|n| format!("K{n}")).collect::<Vec<_>>();
        let keys = one_time_keys(&names.iter().map(String::as_str).collect::<Vec<_>>(), 1);
        users
            .upload_keys(
                &alice,
                &phone,
                &KeyUpload {
                    one_time_keys: keys,
                    ..KeyUpload::default()
                },
            )
            .await
            .unwrap();
        let users = std::sync::Arc::new(users);
        let tasks = (0..60).map(|_| {
            let (users, alice, phone) = (users.clone(), alice.clone(), phone.clone());
            tokio::spawn(async move { claim(&users, &alice, &phone).await })
        });
        let mut given = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            given.extend(task.await.unwrap());
        }
        given.sort();
        given.dedup();
        assert_eq!(given.len(), 50);
    }

    #[tokio::test]
    async fn many_devices_are_claimed_from_at_once() {
        let users = users();
        let alice = users.account("alice").await;
        let mut devices = BTreeMap::new();
        for _ in 0..AT_ONCE + 5 {
            let device_id = users.session(&alice).await.device_id;
            users
                .upload_keys(&alice, &device_id, &upload(&alice, &device_id, &["A"]))
                .await
                .unwrap();
            devices.insert(device_id, OneTimeKeyAlgorithm::SignedCurve25519);
        }
        let wanted = BTreeMap::from([(alice.clone(), devices)]);
        let claimed = users.claim_keys(&wanted).await.unwrap();
        assert_eq!(claimed[&alice].len(), AT_ONCE + 5);
        assert!(
            claimed[&alice]
                .values()
                .all(|keys| keys.keys().all(|id| id.key_name().as_str() == "A"))
        );
    }

    #[tokio::test]
    async fn a_claim_tells_the_device() {
        let (users, alice, phone) = with_device(users()).await;
        users
            .upload_keys(&alice, &phone, &upload(&alice, &phone, &["A"]))
            .await
            .unwrap();
        let before = users.store().visible();
        claim(&users, &alice, &phone).await.unwrap();
        claim(&users, &alice, &phone).await.unwrap();
        claim(&users, &alice, &phone).await.unwrap();
        let told = users.store().log(before, 10).unwrap();
        assert_eq!(
            told.len(),
            2,
            "one-time key, first use of the fallback key, nothing more"
        );
        assert_eq!(claim(&users, &alice, "UNKNOWN".into()).await, None);
    }
}
