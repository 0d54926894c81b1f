//! Key backup: encrypted copies of the keys of rooms.

pub(crate) mod add_backup_keys;
pub(crate) mod add_backup_keys_for_room;
pub(crate) mod add_backup_keys_for_session;
pub(crate) mod create_backup_version;
pub(crate) mod delete_backup_keys;
pub(crate) mod delete_backup_keys_for_room;
pub(crate) mod delete_backup_keys_for_session;
pub(crate) mod delete_backup_version;
pub(crate) mod get_backup_info;
pub(crate) mod get_backup_keys;
pub(crate) mod get_backup_keys_for_room;
pub(crate) mod get_backup_keys_for_session;
pub(crate) mod get_latest_backup_info;
pub(crate) mod update_backup_version;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use orvale_http::{Json, MatrixError};
use orvale_storage::record::JsonText;
use orvale_users::{BackupInfo, BackupKeys};
use ruma::{
    UInt,
    api::client::backup::{BackupAlgorithm, KeyBackupData, RoomKeyBackup},
    serde::Raw,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How a version encrypts, as clients write it.
#[derive(Deserialize)]
struct Algorithm {
    algorithm: String,
    auth_data: Box<RawValue>,
    version: Option<String>,
}

impl Algorithm {
    fn of(raw: &Raw<BackupAlgorithm>) -> Result<Self, MatrixError> {
        let parsed: Self = serde_json::from_str(raw.json().get())
            .map_err(|e| MatrixError::bad_json(format!("This is no key backup: {e}")))?;
        if !parsed.auth_data.get().starts_with('{') {
            return Err(MatrixError::bad_json("auth_data is a JSON object"));
        }
        Ok(parsed)
    }

    fn auth_data(&self) -> JsonText {
        JsonText(self.auth_data.get().to_owned())
    }
}

/// A version as clients read it.
#[derive(serde::Serialize)]
pub(crate) struct Shown {
    algorithm: String,
    auth_data: Box<RawValue>,
    count: u64,
    etag: String,
    version: String,
}

fn shown(info: BackupInfo) -> Result<Json<Shown>, MatrixError> {
    let auth_data = RawValue::from_string(info.auth_data.0);
    Ok(Json(Shown {
        algorithm: info.algorithm,
        auth_data: auth_data.map_err(|e| MatrixError::unexpected(&e))?,
        count: info.count,
        etag: info.etag,
        version: info.version,
    }))
}

/// Sessions as they are kept.
fn sessions(given: BTreeMap<String, Raw<KeyBackupData>>) -> BTreeMap<String, Box<RawValue>> {
    let given = given.into_iter();
    given.map(|(id, json)| (id, json.into_json())).collect()
}

/// Sessions as they are told.
fn told(kept: BTreeMap<String, Box<RawValue>>) -> BTreeMap<String, Raw<KeyBackupData>> {
    let kept = kept.into_iter();
    kept.map(|(id, json)| (id, Raw::from_json(json))).collect()
}

fn rooms(kept: BackupKeys) -> BTreeMap<ruma::OwnedRoomId, RoomKeyBackup> {
    let kept = kept.into_iter();
    kept.map(|(room, of_room)| (room, RoomKeyBackup::new(told(of_room))))
        .collect()
}

fn count(count: u64) -> UInt {
    UInt::try_from(count).unwrap_or(UInt::MAX)
}
