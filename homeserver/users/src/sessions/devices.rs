//! Devices: what their user sees of them, and what goes when they go.

use orvale_storage::{
    Batch, Entry,
    trees::users::{
        DEHYDRATED_DEVICES, DEVICE_KEYS, DEVICES, Device, PUSHERS, PUSHKEYS, TO_DEVICE, TokenPair,
    },
};
use ruma::{DeviceId, OwnedDeviceId, UserId};

use super::{authenticate::remove_tokens, open::bounded};
use crate::{Error, Result, Users};

/// A device, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its ID.
    pub device_id: OwnedDeviceId,
    /// The name its user sees.
    pub display_name: Option<String>,
    /// When it was last seen, in milliseconds since the Unix epoch; up to three minutes late.
    pub last_seen_at: Option<u64>,
    /// From which address.
    pub last_seen_from: Option<String>,
}

impl DeviceInfo {
    fn new(device_id: &str, device: Device) -> Self {
        let (last_seen_at, last_seen_from) = device.last_seen.unzip();
        Self {
            device_id: device_id.into(),
            display_name: device.display_name,
            last_seen_at,
            last_seen_from,
        }
    }
}

impl Users {
    /// The user's devices.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn devices(&self, user_id: &UserId) -> Result<Vec<DeviceInfo>> {
        let found = self
            .store()
            .prefix(&DEVICES, (self.localpart(user_id)?,), usize::MAX)?;
        Ok(found
            .into_iter()
            .map(|((_, device_id), device)| {
                self.with_last_seen(user_id, DeviceInfo::new(&device_id, device))
            })
            .collect())
    }

    /// One of the user's devices.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn device(&self, user_id: &UserId, device_id: &DeviceId) -> Result<Option<DeviceInfo>> {
        let found = self
            .store()
            .get(&DEVICES, (self.localpart(user_id)?, device_id))?;
        Ok(found.map(|device| {
            self.with_last_seen(user_id, DeviceInfo::new(device_id.as_str(), device))
        }))
    }

    /// Renames a device.
    ///
    /// # Errors
    /// [`Error::NoSuchDevice`], [`Error::NotLocal`]; storage.
    pub async fn rename_device(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        name: &str,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let name = bounded(name, 256);
        self.write_at(1, |places| {
            let before = self
                .store()
                .get(&DEVICES, (localpart, device_id))?
                .ok_or(Error::NoSuchDevice)?;
            let after = Device {
                display_name: Some(name.clone()),
                ..before.clone()
            };
            let mut batch = Batch::new();
            if after != before {
                batch.expect(&DEVICES, (localpart, device_id), Some(&before));
                batch.put(&DEVICES, (localpart, device_id), &after);
                // Others see the name beside the device's keys.
                self.device_list_changes(user_id, &[device_id.as_str()], places, &mut batch)?;
            }
            Ok((batch, ()))
        })
        .await
    }

    /// Makes a device without tokens, for an application service to act with. Returns whether it is new.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::NotLocal`]; storage.
    pub async fn create_device(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        name: Option<&str>,
    ) -> Result<bool> {
        crate::users::check_device_id(device_id)?;
        let localpart = self.localpart(user_id)?;
        let device = Device {
            display_name: name.map(|name| bounded(name, 256)),
            created_at: self.now(),
            last_seen: None,
            pairs: Vec::new(),
        };
        let created = self
            .write(|| {
                let mut batch = Batch::new();
                if self.store().contains(&DEVICES, (localpart, device_id))? {
                    return Ok((batch, false));
                }
                self.remove_belongings(localpart, device_id, &mut batch)?;
                self.check_new_device(localpart, device_id, &mut batch)?;
                batch.expect::<_, Device>(&DEVICES, (localpart, device_id), None);
                batch.put(&DEVICES, (localpart, device_id), &device);
                Ok((batch, true))
            })
            .await?;
        if let (false, Some(name)) = (created, name) {
            self.rename_device(user_id, device_id, name).await?;
        }
        Ok(created)
    }

    /// Removes devices and all that belongs to them: tokens, keys, waiting messages, pushers. Those that are not there are
    /// passed over.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn delete_devices(&self, user_id: &UserId, device_ids: &[&DeviceId]) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        for device_id in device_ids {
            let ended = self
                .write_at(2, |places| {
                    let key = (localpart, *device_id);
                    let mut batch = Batch::new();
                    let Some(device) = self.store().get(&DEVICES, key)? else {
                        return Ok((batch, Vec::new()));
                    };
                    batch
                        .expect(&DEVICES, key, Some(&device))
                        .delete(&DEVICES, key);
                    remove_tokens(&mut batch, &device.pairs);
                    self.remove_belongings(localpart, device_id, &mut batch)?;
                    batch.log(Entry::SessionEnded {
                        user_id: user_id.to_string(),
                        device_id: Some(device_id.to_string()),
                    });
                    self.device_list_changes(user_id, &[device_id.as_str()], places, &mut batch)?;
                    Ok((batch, device.pairs))
                })
                .await?;
            self.forget_device(user_id, device_id, &ended);
        }
        Ok(())
    }

    fn forget_device(&self, user_id: &UserId, device_id: &DeviceId, ended: &[TokenPair]) {
        self.forget_sessions(ended);
        self.inner
            .key_counts
            .forget([&(user_id.to_owned(), device_id.to_owned())]);
        self.inner.pushers.forget([user_id]);
        self.inner.presence.disconnected(user_id, device_id);
    }

    /// Removes what belongs to a device in other trees than its own.
    pub(crate) fn remove_belongings(
        &self,
        localpart: &str,
        device_id: &DeviceId,
        batch: &mut Batch,
    ) -> Result<()> {
        let key = (localpart, device_id);
        batch.delete(&DEVICE_KEYS, key);
        self.remove_one_time_keys(localpart, device_id, batch)?;
        self.remove_signatures_of(&self.user_id(localpart)?, device_id, batch)?;
        let dehydrated = self.store().get(&DEHYDRATED_DEVICES, (localpart,))?;
        if dehydrated.is_some_and(|dehydrated| dehydrated.device_id == device_id.as_str()) {
            batch.delete(&DEHYDRATED_DEVICES, (localpart,));
        }
        for ((_, _, at), _) in self.store().prefix(&TO_DEVICE, key, usize::MAX)? {
            batch.delete(&TO_DEVICE, (localpart, device_id, at));
        }
        for ((_, app_id, pushkey), pusher) in
            self.store().prefix(&PUSHERS, (localpart,), usize::MAX)?
        {
            if pusher.device_id == device_id.as_str() {
                batch.delete(&PUSHERS, (localpart, &app_id, &pushkey));
                batch.delete(&PUSHKEYS, (&app_id, &pushkey, localpart));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ruma::device_id;

    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn devices_are_listed_renamed_and_removed() {
        let users = users();
        let alice = users.account("alice").await;
        let phone = device_id!("PHONE");
        users
            .open_session(&alice, Some(phone), Some("Phone"), false)
            .await
            .unwrap();
        users.session(&alice).await;
        assert_eq!(users.devices(&alice).unwrap().len(), 2);
        users
            .rename_device(&alice, phone, "Old phone")
            .await
            .unwrap();
        assert_eq!(
            users
                .device(&alice, phone)
                .unwrap()
                .unwrap()
                .display_name
                .as_deref(),
            Some("Old phone")
        );
        users
            .delete_devices(&alice, &[phone, device_id!("UNKNOWN")])
            .await
            .unwrap();
        assert!(users.device(&alice, phone).unwrap().is_none());
        assert_eq!(users.devices(&alice).unwrap().len(), 1);
        let refused = users.rename_device(&alice, phone, "Gone").await;
        assert!(matches!(refused, Err(Error::NoSuchDevice)));
    }

    #[tokio::test]
    async fn a_removed_device_is_logged_out_and_others_learn_of_it() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.session(&alice).await;
        users
            .authenticate(&new.access_token)
            .await
            .unwrap()
            .unwrap();
        let before = users.store().visible();
        users
            .delete_devices(&alice, &[&new.device_id])
            .await
            .unwrap();
        assert!(
            users
                .authenticate(&new.access_token)
                .await
                .unwrap()
                .is_none()
        );
        let told = users
            .store()
            .log(before, 10)
            .unwrap()
            .into_iter()
            .map(|(_, entry)| entry)
            .collect::<Vec<_>>();
        let ended = Entry::SessionEnded {
            user_id: alice.to_string(),
            device_id: Some(new.device_id.to_string()),
        };
        assert_eq!(
            told,
            [
                ended,
                Entry::DeviceList {
                    user_id: alice.to_string()
                }
            ]
        );
    }
}
