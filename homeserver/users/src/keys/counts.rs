//! How many keys of a device are left: asked by every sync.

use std::{collections::BTreeMap, sync::Arc};

use orvale_storage::trees::users::{FALLBACK_KEYS, ONE_TIME_KEYS};
use ruma::{DeviceId, OneTimeKeyAlgorithm, OwnedDeviceId, OwnedUserId, UInt, UserId};

use crate::{Result, Users, cache::Replacing};

/// How many one-time keys a device has left, and which of its fallback keys are unused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// One-time keys by algorithm. `signed_curve25519` is always there: clients wait for its count to upload keys.
    pub one_time: BTreeMap<OneTimeKeyAlgorithm, UInt>,
    /// The algorithms of unused fallback keys.
    pub unused_fallback: Vec<OneTimeKeyAlgorithm>,
}

impl Users {
    /// How many keys a device has left. Nearly always from memory.
    ///
    /// # Errors
    /// Storage; [`crate::Error::NotLocal`].
    pub fn key_counts(&self, user_id: &UserId, device_id: &DeviceId) -> Result<Arc<KeyCounts>> {
        let localpart = self.localpart(user_id)?;
        self.inner
            .key_counts
            .get_or(&(user_id.to_owned(), device_id.to_owned()), || {
                let mut one_time =
                    BTreeMap::from([(OneTimeKeyAlgorithm::SignedCurve25519, UInt::from(0_u32))]);
                for ((_, _, algorithm, ..), _) in
                    self.store()
                        .prefix(&ONE_TIME_KEYS, (localpart, device_id), usize::MAX)?
                {
                    *one_time.entry(algorithm.into()).or_default() += UInt::from(1_u32);
                }
                let fallback =
                    self.store()
                        .prefix(&FALLBACK_KEYS, (localpart, device_id), usize::MAX)?;
                let unused = fallback.into_iter().filter(|(_, key)| !key.used);
                let unused_fallback = unused
                    .map(|((_, _, algorithm), _)| algorithm.into())
                    .collect();
                Ok(Arc::new(KeyCounts {
                    one_time,
                    unused_fallback,
                }))
            })
    }

    /// To be held while the keys of a device change.
    pub(super) fn replacing_key_counts(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
    ) -> Replacing<'_, (OwnedUserId, OwnedDeviceId), Arc<KeyCounts>> {
        let device = (user_id.to_owned(), device_id.to_owned());
        self.inner.key_counts.replacing(device)
    }
}
