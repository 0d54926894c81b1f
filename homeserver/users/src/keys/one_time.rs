//! The one-time keys of a device: kept in the order they came in, given out once.

use std::collections::BTreeMap;

use orvale_storage::{
    Batch, Position,
    trees::users::{CLAIMED_KEYS, FALLBACK_KEYS, ONE_TIME_KEYS},
};
use ruma::DeviceId;

use super::{claim::hash_of, upload::Checked};
use crate::{Error, Result, Users};

/// How many keys that were given out are remembered of a device, and how many are left when they become too many.
const REMEMBERED: usize = 2_000;
const LEFT: usize = 1_000;

impl Users {
    /// Adds the one-time keys of an upload that are new.
    pub(super) fn one_time_batch(
        &self,
        localpart: &str,
        device_id: &DeviceId,
        checked: &Checked,
        is_other_device: bool,
        at: Position,
        batch: &mut Batch,
    ) -> Result<()> {
        if checked.one_time.is_empty() {
            return Ok(());
        }
        let key = (localpart, device_id);
        let known = if is_other_device {
            Vec::new()
        } else {
            self.store().prefix(&ONE_TIME_KEYS, key, usize::MAX)?
        };
        let ids = known
            .iter()
            .map(|((_, _, algorithm, _, id), key)| ((algorithm.as_str(), id.as_str()), key));
        let ids = ids.collect::<BTreeMap<_, _>>();
        let mut count = known.len();
        for (algorithm, key_id, key) in &checked.one_time {
            let other = || {
                Error::InvalidParam(format!(
                    "there is another one-time key with the ID {algorithm}:{key_id} already"
                ))
            };
            match ids.get(&(algorithm.as_str(), key_id.as_str())) {
                Some(same) if *same == key => continue,
                Some(_) => return Err(other()),
                None => {}
            }
            let place = (localpart, device_id, algorithm, key_id);
            if !is_other_device && let Some(claimed) = self.store().get(&CLAIMED_KEYS, place)? {
                // The client repeats an upload whose answer it did not get, and the key was given out meanwhile.
                if claimed.hash == hash_of(key) {
                    continue;
                }
                return Err(other());
            }
            batch.put(
                &ONE_TIME_KEYS,
                (localpart, device_id, algorithm, at, key_id),
                key,
            );
            count += 1;
        }
        let most = self.config().limits.one_time_keys;
        if count > most {
            return Err(Error::TooLarge(format!(
                "a device has at most {most} one-time keys"
            )));
        }
        if !is_other_device {
            self.forget_claimed(localpart, device_id, batch)?;
        }
        Ok(())
    }

    /// Forgets which keys were given out longest ago, where too many are remembered.
    fn forget_claimed(
        &self,
        localpart: &str,
        device_id: &DeviceId,
        batch: &mut Batch,
    ) -> Result<()> {
        let key = (localpart, device_id);
        let mut claimed = self.store().prefix(&CLAIMED_KEYS, key, usize::MAX)?;
        if claimed.len() <= REMEMBERED {
            return Ok(());
        }
        claimed.sort_by_key(|(_, claimed)| claimed.at);
        claimed.truncate(claimed.len() - LEFT);
        for ((_, _, algorithm, key_id), _) in claimed {
            batch.delete(&CLAIMED_KEYS, (localpart, device_id, algorithm, key_id));
        }
        Ok(())
    }

    /// Removes the one-time and fallback keys of a device.
    pub(crate) fn remove_one_time_keys(
        &self,
        localpart: &str,
        device_id: &DeviceId,
        batch: &mut Batch,
    ) -> Result<()> {
        let key = (localpart, device_id);
        for ((_, _, algorithm, at, key_id), _) in
            self.store().prefix(&ONE_TIME_KEYS, key, usize::MAX)?
        {
            batch.delete(
                &ONE_TIME_KEYS,
                (localpart, device_id, algorithm, at, key_id),
            );
        }
        for ((_, _, algorithm), _) in self.store().prefix(&FALLBACK_KEYS, key, usize::MAX)? {
            batch.delete(&FALLBACK_KEYS, (localpart, device_id, algorithm));
        }
        for ((_, _, algorithm, key_id), _) in self.store().prefix(&CLAIMED_KEYS, key, usize::MAX)? {
            batch.delete(&CLAIMED_KEYS, (localpart, device_id, algorithm, key_id));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orvale_storage::trees::users::ClaimedKey;

    use super::*;
    use crate::{
        keys::{
            KeyUpload,
            testing::{one_time_keys, with_device},
        },
        testing::users,
    };

    #[tokio::test]
    async fn what_was_given_out_long_ago_is_forgotten() {
        let (users, alice, phone) = with_device(users()).await;
        let localpart = alice.localpart();
        let mut batch = Batch::new();
        for n in 0..=REMEMBERED as u64 {
            let claimed = ClaimedKey {
                at: n,
                hash: [0; 32],
            };
            batch.put(
                &CLAIMED_KEYS,
                (localpart, &phone, "signed_curve25519", n.to_string()),
                &claimed,
            );
        }
        users.store().commit(batch).await.unwrap();
        let more = KeyUpload {
            one_time_keys: one_time_keys(&["A"], 1),
            ..KeyUpload::default()
        };
        users.upload_keys(&alice, &phone, &more).await.unwrap();
        let left = users
            .store()
            .prefix(&CLAIMED_KEYS, (localpart,), usize::MAX)
            .unwrap();
        assert_eq!(left.len(), LEFT);
        let oldest = left.iter().map(|(_, claimed)| claimed.at).min();
        assert_eq!(oldest, Some((REMEMBERED + 1 - LEFT) as u64));
    }
}
