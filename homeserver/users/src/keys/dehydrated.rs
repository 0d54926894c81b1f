//! Dehydrated devices: a device that lives on the server, encrypted, and collects keys for messages while none of its user's other
//! devices is there to receive them.
//!
//! <https://github.com/matrix-org/matrix-spec-proposals/pull/3814>

use orvale_storage::{
    Batch,
    record::JsonText,
    trees::users::{DEHYDRATED_DEVICES, DEVICES, DehydratedDevice, Device},
};
use ruma::{DeviceId, OwnedDeviceId, UserId};

use super::KeyUpload;
use crate::{Error, Result, Users, sessions::bounded, users::check_device_id};

/// A device to be left on the server.
#[derive(Debug, Clone)]
pub struct NewDehydratedDevice {
    /// Its ID, chosen by the client.
    pub device_id: OwnedDeviceId,
    /// The name its user sees.
    pub display_name: Option<String>,
    /// What a client makes it live with, encrypted: a JSON object.
    pub device_data: String,
    /// Its keys.
    pub keys: KeyUpload,
}

impl Users {
    /// Leaves a device on the server, in place of the one left there before.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] if its ID is that of a device that lives, or one that none may have;
    /// [`Error::InvalidSignature`], [`Error::BadJson`], [`Error::TooLarge`]; storage.
    pub async fn dehydrate_device(
        &self,
        user_id: &UserId,
        new: &NewDehydratedDevice,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let device_id = &*new.device_id;
        check_device_id(device_id)?;
        let most = self.config().limits.account_data_bytes;
        if new.device_data.len() > most {
            return Err(Error::TooLarge(format!(
                "a dehydrated device has at most {most} bytes"
            )));
        }
        if !new.device_data.trim_start().starts_with('{') {
            return Err(Error::BadJson(
                "the data of a device is a JSON object".to_owned(),
            ));
        }
        let checked = self.check_upload(user_id, device_id, &new.keys)?;
        let device = Device {
            display_name: new.display_name.as_deref().map(|name| bounded(name, 256)),
            created_at: self.now(),
            last_seen: None,
            pairs: Vec::new(),
        };
        let record = DehydratedDevice {
            device_id: device_id.to_string(),
            device_data: JsonText(new.device_data.clone()),
        };
        let _replacing = self.replacing_key_counts(user_id, device_id);
        self.write_at(2, |places| {
            let mut batch = Batch::new();
            let before = self.store().get(&DEHYDRATED_DEVICES, (localpart,))?;
            let old = before.as_ref().map(|before| before.device_id.as_str());
            let is_same = old == Some(device_id.as_str());
            if !is_same {
                if self.store().contains(&DEVICES, (localpart, device_id))? {
                    return Err(Error::InvalidParam(
                        "one of your devices has this ID already".to_owned(),
                    ));
                }
                self.check_new_device(localpart, device_id, &mut batch)?;
            }
            if let Some(old) = old {
                self.remove_belongings(localpart, old.into(), &mut batch)?;
                batch.delete(&DEVICES, (localpart, old));
            }
            if !is_same {
                self.remove_belongings(localpart, device_id, &mut batch)?;
                batch.expect::<_, Device>(&DEVICES, (localpart, device_id), None);
            }
            batch
                .expect(&DEHYDRATED_DEVICES, (localpart,), before.as_ref())
                .put(&DEHYDRATED_DEVICES, (localpart,), &record)
                .put(&DEVICES, (localpart, device_id), &device);
            self.keys_batch(user_id, device_id, &checked, true, places, &mut batch)?;
            Ok((batch, ()))
        })
        .await
    }

    /// The device left on the server: its ID and what a client makes it live with.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn dehydrated_device(&self, user_id: &UserId) -> Result<Option<(OwnedDeviceId, JsonText)>> {
        let found = self
            .store()
            .get(&DEHYDRATED_DEVICES, (self.localpart(user_id)?,))?;
        Ok(found.map(|device| (device.device_id.into(), device.device_data)))
    }

    /// Removes the device left on the server, with all that is its; returns its ID.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none; storage.
    pub async fn delete_dehydrated_device(&self, user_id: &UserId) -> Result<OwnedDeviceId> {
        let Some((device_id, _)) = self.dehydrated_device(user_id)? else {
            return Err(Error::NotFound("dehydrated device"));
        };
        self.delete_devices(user_id, &[&device_id]).await?;
        Ok(device_id)
    }

    /// Whether a device is the one left on the server.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn is_dehydrated(&self, user_id: &UserId, device_id: &DeviceId) -> Result<bool> {
        Ok(self
            .dehydrated_device(user_id)?
            .is_some_and(|(dehydrated, _)| dehydrated == device_id))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ruma::{OneTimeKeyAlgorithm::SignedCurve25519, device_id};

    use super::*;
    use crate::{
        keys::testing::{upload, with_device},
        testing::users,
    };

    fn new(user_id: &UserId, device_id: &DeviceId, names: &[&str]) -> NewDehydratedDevice {
        NewDehydratedDevice {
            device_id: device_id.to_owned(),
            display_name: Some("Dehydrated".to_owned()),
            device_data: r#"{"algorithm":"org.matrix.msc3814.v2"}"#.to_owned(),
            keys: upload(user_id, device_id, names),
        }
    }

    #[tokio::test]
    async fn a_user_has_one_dehydrated_device_with_keys_and_messages() {
        let (users, alice, phone) = with_device(users()).await;
        assert!(users.dehydrated_device(&alice).unwrap().is_none());
        let (a, b) = (device_id!("A"), device_id!("B"));
        users
            .dehydrate_device(&alice, &new(&alice, a, &["K"]))
            .await
            .unwrap();
        let (found, data) = users.dehydrated_device(&alice).unwrap().unwrap();
        assert_eq!(
            (&*found, &*data.0),
            (a, r#"{"algorithm":"org.matrix.msc3814.v2"}"#)
        );
        assert_eq!(users.query_keys(&alice, &[], &alice).unwrap().len(), 1);

        let before = users.store().visible();
        users
            .dehydrate_device(&alice, &new(&alice, b, &["K"]))
            .await
            .unwrap();
        assert!(users.device_list_changed_at(&alice).unwrap() > before);
        assert!(users.device(&alice, a).unwrap().is_none());
        let shown = users.query_keys(&alice, &[], &alice).unwrap();
        assert_eq!(shown.keys().collect::<Vec<_>>(), [b]);
        let wanted = BTreeMap::from([(
            alice.clone(),
            BTreeMap::from([
                (b.to_owned(), SignedCurve25519),
                (a.to_owned(), SignedCurve25519),
            ]),
        )]);
        let claimed = users.claim_keys(&wanted).await.unwrap();
        assert_eq!(claimed[&alice].keys().collect::<Vec<_>>(), [b]);

        // The same once more is a device anew.
        users
            .dehydrate_device(&alice, &new(&alice, b, &["K"]))
            .await
            .unwrap();
        assert_eq!(users.query_keys(&alice, &[], &alice).unwrap().len(), 1);
        assert_eq!(
            users.key_counts(&alice, b).unwrap().one_time[&SignedCurve25519],
            1_u32.into()
        );

        let refused = users
            .dehydrate_device(&alice, &new(&alice, &phone, &[]))
            .await;
        assert!(matches!(refused, Err(Error::InvalidParam(_))));
    }

    #[tokio::test]
    async fn a_removed_dehydrated_device_is_gone_either_way() {
        let (users, alice, _) = with_device(users()).await;
        let a = device_id!("A");
        for way in 0..2 {
            users
                .dehydrate_device(&alice, &new(&alice, a, &["K"]))
                .await
                .unwrap();
            assert!(users.is_dehydrated(&alice, a).unwrap());
            if way == 0 {
                let gone = users.delete_dehydrated_device(&alice).await.unwrap();
                assert_eq!(gone, a);
            } else {
                users.delete_devices(&alice, &[a]).await.unwrap();
            }
            assert!(users.dehydrated_device(&alice).unwrap().is_none());
            assert!(users.query_keys(&alice, &[], &alice).unwrap().is_empty());
        }
        assert!(matches!(
            users.delete_dehydrated_device(&alice).await,
            Err(Error::NotFound(_))
        ));
    }
}
