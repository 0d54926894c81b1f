//! Identity keys of a device: what is checked before they are kept.

use orvale_storage::record::JsonText;
use ruma::{
    DeviceId, DeviceKeyAlgorithm, DeviceKeyId, OwnedDeviceKeyId, UserId, encryption::DeviceKeys,
    serde::Raw,
};

use super::signed::{Signed, Verdict};
use crate::{Error, Result};

/// Device keys that were checked.
pub(super) struct CheckedDeviceKeys {
    /// What is kept: with the device's own signature alone.
    pub(super) text: JsonText,
    /// What is signed.
    pub(super) signed: Signed,
    /// The public keys.
    pub(super) keys: DeviceKeys,
    /// Their user's other signatures, not verified: key ID and signature.
    pub(super) others: Vec<(String, String)>,
}

/// The ID of a device's ed25519 key.
pub(super) fn signing_key_id(device_id: &DeviceId) -> OwnedDeviceKeyId {
    DeviceKeyId::from_parts(DeviceKeyAlgorithm::Ed25519, device_id)
}

/// Checks the keys of a device, of which its own signature is part: others refuse a device without it, and better that its
/// client learns of it here.
pub(super) fn check_device_keys(
    user_id: &UserId,
    device_id: &DeviceId,
    raw: &Raw<DeviceKeys>,
    most_bytes: usize,
) -> Result<CheckedDeviceKeys> {
    let refused = |reason: &str| Err(Error::InvalidParam(format!("the device keys {reason}")));
    if raw.json().get().len() > most_bytes {
        return Err(Error::TooLarge(format!(
            "the keys of a device have at most {most_bytes} bytes"
        )));
    }
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
    let own_id = signing_key_id(device_id);
    let Some(own_key) = keys.keys.get(&own_id) else {
        return refused("have no ed25519 key");
    };
    let whole = Signed::parse(raw.json().get())?;
    match whole.is_signed_by(user_id, own_id.as_str(), own_key) {
        Verdict::Right => {}
        Verdict::Absent => {
            return Err(Error::InvalidSignature(
                "the device keys are not signed by their own ed25519 key".to_owned(),
            ));
        }
        Verdict::Wrong => {
            return Err(Error::InvalidSignature(
                "the signature of the device keys by their own ed25519 key is wrong".to_owned(),
            ));
        }
    }
    let (own, others) = whole
        .signatures(user_id)
        .into_iter()
        .partition::<Vec<_>, _>(|(key_id, _)| key_id == own_id.as_str());
    let signed = whole.bare();
    let mut kept = signed.clone();
    for (key_id, signature) in own {
        kept.add_signature(user_id.as_str(), &key_id, &signature);
    }
    Ok(CheckedDeviceKeys {
        text: kept.text()?,
        signed,
        keys,
        others,
    })
}
