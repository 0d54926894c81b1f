//! Asking for the keys of devices.

use std::collections::BTreeMap;

use orvale_storage::{
    record::JsonText,
    trees::users::{DEVICE_KEYS, DEVICES},
};
use ruma::{DeviceId, OwnedDeviceId, UserId, encryption::DeviceKeys, serde::Raw};
use serde_json::{Map, Value, json, value::to_raw_value};

use super::signed::Signed;
use crate::{Error, Result, Users};

/// The keys of a user's devices.
pub type DeviceKeysOf = BTreeMap<OwnedDeviceId, Raw<DeviceKeys>>;

impl Users {
    /// The keys of some of a user's devices, or of all if none is named, as a reader sees them; each with the device's name under
    /// `unsigned`. Devices without keys are left out.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn query_keys(
        &self,
        user_id: &UserId,
        device_ids: &[OwnedDeviceId],
        reader: &UserId,
    ) -> Result<DeviceKeysOf> {
        let localpart = self.localpart(user_id)?;
        let found = if device_ids.is_empty() {
            let all = self
                .store()
                .prefix(&DEVICE_KEYS, (localpart,), usize::MAX)?;
            all.into_iter()
                .map(|((_, device_id), keys)| (OwnedDeviceId::from(device_id), keys))
                .collect::<Vec<_>>()
        } else {
            let mut named = Vec::new();
            for device_id in device_ids {
                let keys = self.store().get(&DEVICE_KEYS, (localpart, device_id))?;
                named.extend(keys.map(|keys| (device_id.clone(), keys)));
            }
            named
        };
        let signatures = self.visible_signatures(user_id, reader)?;
        let mut answer = DeviceKeysOf::new();
        for (device_id, keys) in found {
            let device = self.store().get(&DEVICES, (localpart, &device_id))?;
            let name = device.and_then(|device| device.display_name);
            let mut keys = Signed::stored(&keys)?;
            signatures.add_to(device_id.as_str(), &mut keys);
            answer.insert(device_id, with_name(&keys, name)?);
        }
        Ok(answer)
    }

    /// The keys of one device as it uploaded them.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn device_keys(&self, user_id: &UserId, device_id: &DeviceId) -> Result<Option<JsonText>> {
        Ok(self
            .store()
            .get(&DEVICE_KEYS, (self.localpart(user_id)?, device_id))?)
    }
}

pub(super) fn with_name(keys: &Signed, name: Option<String>) -> Result<Raw<DeviceKeys>> {
    let malformed = |e: serde_json::Error| Error::Internal(format!("stored device keys: {e}"));
    let mut object: Map<String, Value> = keys.text()?.parse().map_err(malformed)?;
    let unsigned = name.map_or_else(|| json!({}), |name| json!({ "device_display_name": name }));
    object.insert("unsigned".to_owned(), unsigned);
    to_raw_value(&object).map(Raw::from_json).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use crate::{
        keys::testing::{upload, with_device},
        testing::users,
    };

    #[tokio::test]
    async fn keys_come_with_the_name_of_the_device() {
        let (users, alice, phone) = with_device(users()).await;
        users.session(&alice).await;
        users
            .upload_keys(&alice, &phone, &upload(&alice, &phone, &["A"]))
            .await
            .unwrap();
        users.rename_device(&alice, &phone, "Phone").await.unwrap();
        let all = users.query_keys(&alice, &[], &alice).unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), [&phone]);
        let keys = all[&phone].deserialize().unwrap();
        assert_eq!(keys.unsigned.device_display_name.as_deref(), Some("Phone"));
        assert_eq!(keys.device_id, phone);
        assert!(
            users
                .query_keys(&alice, &["OTHER".into()], &alice)
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            users
                .query_keys(&alice, std::slice::from_ref(&phone), &alice)
                .unwrap()
                .len(),
            1
        );
        users.log_out(&alice, &phone).await.unwrap();
        assert!(users.query_keys(&alice, &[], &alice).unwrap().is_empty());
    }
}
