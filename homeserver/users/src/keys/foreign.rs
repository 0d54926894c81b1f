//! The devices and cross-signing keys of other servers' users, as far as they are followed.
//!
//! <https://spec.matrix.org/latest/server-server-api/#device-management>
//!
//! A user is followed from the first time that somebody here asks for their keys until no room is shared any more. Updates come in
//! order, each naming the one before; after a gap the list is stale until it has been fetched anew. Who fetches is `delivery`.

use std::collections::BTreeMap;

use orvale_storage::{
    Batch,
    record::JsonText,
    trees::users::{FOREIGN_DEVICES, FOREIGN_USERS, ForeignDevice, ForeignUser},
};
use ruma::{
    DeviceId, OwnedDeviceId, UserId,
    api::federation::{
        device::get_devices::v1::Response as DeviceList,
        transactions::edu::{DeviceListUpdateContent, SigningKeyUpdateContent},
    },
    encryption::{CrossSigningKey, DeviceKeys},
    serde::Raw,
};

use super::{
    DeviceKeysOf, VisibleKeys, cross_signing::public_key, query::with_name, signed::Signed,
};
use crate::{Result, Users};

/// How many devices of one user are kept.
const MOST_DEVICES: usize = 1_000;

/// What came of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The user is not followed.
    NotFollowed,
    /// It is kept, or was known.
    Kept,
    /// One before it was missed: the whole list is to be fetched.
    Missed,
}

/// What is known of a followed user's keys.
#[derive(Debug, Clone, Default)]
pub struct ForeignKeys {
    /// The keys of the devices that have any, each with the device's name under `unsigned`.
    pub devices: DeviceKeysOf,
    /// The cross-signing keys.
    pub cross_signing: VisibleKeys,
}

type Devices = BTreeMap<OwnedDeviceId, ForeignDevice>;

impl Users {
    /// The keys of another server's user, if they are followed and nothing was missed. Besides what their owner signed, a reader sees
    /// what the reader signed.
    ///
    /// # Errors
    /// Storage.
    pub fn foreign_keys(&self, user_id: &UserId, reader: &UserId) -> Result<Option<ForeignKeys>> {
        let Some(user) = self.store().get(&FOREIGN_USERS, (user_id,))? else {
            return Ok(None);
        };
        if user.stale {
            return Ok(None);
        }
        let mut found = ForeignKeys::default();
        for (device_id, device) in self.foreign_devices(user_id)? {
            if let Some(keys) = device.keys {
                let keys = with_name(&Signed::stored(&keys)?, device.display_name)?;
                found.devices.insert(device_id, keys);
            }
        }
        let signatures = self.visible_signatures(user_id, reader)?;
        found.cross_signing = VisibleKeys {
            master: signatures.shown(user.master.as_ref())?,
            self_signing: signatures.shown(user.self_signing.as_ref())?,
            user_signing: None,
        };
        Ok(Some(found))
    }

    /// Whether another server's user is followed.
    ///
    /// # Errors
    /// Storage.
    pub fn is_followed(&self, user_id: &UserId) -> Result<bool> {
        Ok(self.store().contains(&FOREIGN_USERS, (user_id,))?)
    }

    /// Follows another server's user from now on, as one of whom nothing is known yet.
    ///
    /// # Errors
    /// Storage.
    pub async fn follow(&self, user_id: &UserId) -> Result<()> {
        self.write(|| {
            let mut batch = Batch::new();
            if !self.store().contains(&FOREIGN_USERS, (user_id,))? {
                let user = ForeignUser {
                    stale: true,
                    ..ForeignUser::default()
                };
                batch
                    .expect::<_, ForeignUser>(&FOREIGN_USERS, (user_id,), None)
                    .put(&FOREIGN_USERS, (user_id,), &user);
            }
            Ok((batch, ()))
        })
        .await
    }

    /// Keeps the whole list of a user's devices, as their server gave it, and follows them from now on. Keys of another user or device in
    /// it are passed over.
    ///
    /// # Errors
    /// Storage.
    pub async fn keep_foreign_devices(&self, user_id: &UserId, list: &DeviceList) -> Result<()> {
        let mut devices = Devices::new();
        for device in list.devices.iter().take(MOST_DEVICES) {
            let keys = self.checked(user_id, &device.device_id, &device.keys);
            let kept = ForeignDevice {
                display_name: bounded(device.device_display_name.as_deref()),
                keys,
            };
            devices.insert(device.device_id.clone(), kept);
        }
        let user = ForeignUser {
            stream_id: list.stream_id.into(),
            stale: false,
            master: self.checked_key(user_id, list.master_key.as_ref()),
            self_signing: self.checked_key(user_id, list.self_signing_key.as_ref()),
        };
        self.write_at(1, |places| {
            let before = self.store().get(&FOREIGN_USERS, (user_id,))?;
            let known = self.foreign_devices(user_id)?;
            let mut batch = Batch::new();
            batch.expect(&FOREIGN_USERS, (user_id,), before.as_ref());
            batch.put(&FOREIGN_USERS, (user_id,), &user);
            for device_id in known.keys().filter(|id| !devices.contains_key(*id)) {
                batch.delete(&FOREIGN_DEVICES, (user_id, device_id));
            }
            for (device_id, device) in &devices {
                if known.get(device_id) != Some(device) {
                    batch.put(&FOREIGN_DEVICES, (user_id, device_id), device);
                }
            }
            // Who asks for the first time is given what is new to them anyway.
            let is_news = before.is_some_and(|before| {
                let is_first = before.stale && before.stream_id == 0;
                let has_other_keys =
                    (&before.master, &before.self_signing) != (&user.master, &user.self_signing);
                !is_first && (has_other_keys || known != devices)
            });
            if is_news {
                self.devices_look_different(user_id, places, &mut batch)?;
            }
            Ok((batch, ()))
        })
        .await
    }

    /// Takes in that a device of a user changed.
    ///
    /// # Errors
    /// Storage.
    pub async fn hear_device_update(&self, update: &DeviceListUpdateContent) -> Result<Heard> {
        let (user_id, device_id) = (&*update.user_id, &*update.device_id);
        let stream_id = u64::from(update.stream_id);
        self.write_at(1, |places| {
            let mut batch = Batch::new();
            let Some(before) = self.store().get(&FOREIGN_USERS, (user_id,))? else {
                return Ok((batch, Heard::NotFollowed));
            };
            batch.expect(&FOREIGN_USERS, (user_id,), Some(&before));
            let is_next = !update.prev_id.is_empty()
                && update
                    .prev_id
                    .iter()
                    .all(|prev| u64::from(*prev) <= before.stream_id);
            let is_known = !update.prev_id.is_empty() && stream_id <= before.stream_id;
            let heard = match (before.stale, is_known, is_next) {
                (true, ..) => return Ok((Batch::new(), Heard::Missed)),
                (_, true, _) => return Ok((Batch::new(), Heard::Kept)),
                (_, _, true) => Heard::Kept,
                (_, _, false) => Heard::Missed,
            };
            let mut after = before;
            if heard == Heard::Missed {
                after.stale = true;
            } else {
                after.stream_id = stream_id;
                let place = (user_id, device_id);
                if update.deleted == Some(true) {
                    batch.delete(&FOREIGN_DEVICES, place);
                } else if self.has_place_for(user_id, device_id)? {
                    let keys = update.keys.as_ref();
                    let device = ForeignDevice {
                        display_name: bounded(update.device_display_name.as_deref()),
                        keys: keys.and_then(|keys| self.checked(user_id, device_id, keys)),
                    };
                    batch.put(&FOREIGN_DEVICES, place, &device);
                }
                self.devices_look_different(user_id, places, &mut batch)?;
            }
            batch.put(&FOREIGN_USERS, (user_id,), &after);
            Ok((batch, heard))
        })
        .await
    }

    /// Takes in that a user has other cross-signing keys.
    ///
    /// # Errors
    /// Storage.
    pub async fn hear_signing_keys(&self, update: &SigningKeyUpdateContent) -> Result<Heard> {
        let user_id = &*update.user_id;
        self.write_at(1, |places| {
            let mut batch = Batch::new();
            let Some(before) = self.store().get(&FOREIGN_USERS, (user_id,))? else {
                return Ok((batch, Heard::NotFollowed));
            };
            let mut after = before.clone();
            if let Some(key) = self.checked_key(user_id, update.master_key.as_ref()) {
                after.master = Some(key);
            }
            if let Some(key) = self.checked_key(user_id, update.self_signing_key.as_ref()) {
                after.self_signing = Some(key);
            }
            if after != before {
                batch.expect(&FOREIGN_USERS, (user_id,), Some(&before));
                batch.put(&FOREIGN_USERS, (user_id,), &after);
                self.devices_look_different(user_id, places, &mut batch)?;
            }
            Ok((batch, Heard::Kept))
        })
        .await
    }

    /// Tells clients that a user's keys may be other ones than they know.
    ///
    /// # Errors
    /// Storage.
    pub async fn foreign_keys_may_differ(&self, user_id: &UserId) -> Result<()> {
        self.write_at(1, |places| {
            let mut batch = Batch::new();
            self.devices_look_different(user_id, places, &mut batch)?;
            Ok((batch, ()))
        })
        .await
    }

    /// Follows a user no more: no room is shared with them.
    ///
    /// # Errors
    /// Storage.
    pub async fn unfollow(&self, user_id: &UserId) -> Result<()> {
        self.write(|| {
            let mut batch = Batch::new();
            if self.store().contains(&FOREIGN_USERS, (user_id,))? {
                batch.delete(&FOREIGN_USERS, (user_id,));
                for device_id in self.foreign_devices(user_id)?.keys() {
                    batch.delete(&FOREIGN_DEVICES, (user_id, device_id));
                }
            }
            Ok((batch, ()))
        })
        .await
    }

    /// Whether a device of a user is kept, or may be.
    fn has_place_for(&self, user_id: &UserId, device_id: &DeviceId) -> Result<bool> {
        let store = self.store();
        if store.contains(&FOREIGN_DEVICES, (user_id, device_id))? {
            return Ok(true);
        }
        let kept = store.prefix(&FOREIGN_DEVICES, (user_id,), MOST_DEVICES)?;
        Ok(kept.len() < MOST_DEVICES)
    }

    fn foreign_devices(&self, user_id: &UserId) -> Result<Devices> {
        let found = self
            .store()
            .prefix(&FOREIGN_DEVICES, (user_id,), usize::MAX)?;
        let found = found.into_iter();
        Ok(found
            .map(|((_, device_id), device)| (OwnedDeviceId::from(device_id), device))
            .collect())
    }

    /// Keys of a device, if they say that they are that.
    fn checked(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        raw: &Raw<DeviceKeys>,
    ) -> Option<JsonText> {
        let text = raw.json().get();
        let is_small = text.len() <= self.config().limits.key_bytes;
        let keys = raw.deserialize().ok().filter(|_| is_small)?;
        let is_right = keys.user_id == user_id && keys.device_id == device_id;
        (is_right && Signed::parse(text).is_ok()).then(|| JsonText(text.to_owned()))
    }

    /// A cross-signing key, if it says that it is the user's.
    fn checked_key(
        &self,
        user_id: &UserId,
        raw: Option<&Raw<CrossSigningKey>>,
    ) -> Option<JsonText> {
        let text = raw?.json().get();
        let is_small = text.len() <= self.config().limits.key_bytes;
        let key = Signed::parse(text).ok().filter(|_| is_small)?;
        let is_right = key.str("user_id") == Some(user_id.as_str()) && public_key(&key).is_some();
        is_right.then(|| JsonText(text.to_owned()))
    }
}

fn bounded(name: Option<&str>) -> Option<String> {
    name.map(|name| name.chars().take(100).collect())
}
