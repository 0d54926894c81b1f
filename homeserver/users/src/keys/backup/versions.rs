//! The versions of a user's key backup.

use orvale_storage::{
    Batch,
    record::JsonText,
    trees::users::{BACKUP_SESSIONS, BACKUPS, Backup},
};
use ruma::UserId;

use super::BackupWhich;
use crate::{Error, Result, Users};

const NO_BACKUP: Error = Error::NotFound("key backup");

/// A version of a key backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupInfo {
    /// Its name.
    pub version: String,
    /// How sessions are encrypted.
    pub algorithm: String,
    /// What the algorithm needs to know, a JSON object.
    pub auth_data: JsonText,
    /// How many sessions it holds.
    pub count: u64,
    /// Another one after each change of its sessions.
    pub etag: String,
}

impl BackupInfo {
    fn new(version: u64, backup: Backup) -> Self {
        Self {
            version: version.to_string(),
            algorithm: backup.algorithm,
            auth_data: backup.auth_data,
            count: backup.count,
            etag: backup.etag.to_string(),
        }
    }
}

impl Users {
    /// Makes a new version, which from now on is the current one; returns its name.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; storage; [`Error::NotLocal`].
    pub async fn create_backup(
        &self,
        user_id: &UserId,
        algorithm: &str,
        auth_data: &JsonText,
    ) -> Result<String> {
        let localpart = self.localpart(user_id)?;
        self.check_auth_data(algorithm, auth_data)?;
        self.write(|| {
            let version = self
                .newest(localpart, 1)?
                .first()
                .map_or(1, |(last, _)| last + 1);
            let backup = Backup {
                algorithm: algorithm.to_owned(),
                auth_data: auth_data.clone(),
                count: 0,
                etag: 0,
                deleted: false,
            };
            let mut batch = Batch::new();
            batch
                .expect::<_, Backup>(&BACKUPS, (localpart, version), None)
                .put(&BACKUPS, (localpart, version), &backup);
            Ok((batch, version.to_string()))
        })
        .await
    }

    /// A version of the user's key backup, or the current one.
    ///
    /// # Errors
    /// [`Error::NotFound`]; storage.
    pub fn backup(&self, user_id: &UserId, version: Option<&str>) -> Result<BackupInfo> {
        let localpart = self.localpart(user_id)?;
        let (version, backup) = match version {
            Some(version) => self.version(localpart, version)?,
            None => self.current(localpart)?.ok_or(NO_BACKUP)?,
        };
        Ok(BackupInfo::new(version, backup))
    }

    /// Changes what the algorithm of a version needs to know.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidParam`] if the version has another algorithm; [`Error::TooLarge`]; storage.
    pub async fn update_backup(
        &self,
        user_id: &UserId,
        version: &str,
        algorithm: &str,
        auth_data: &JsonText,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        self.check_auth_data(algorithm, auth_data)?;
        self.write(|| {
            let (version, before) = self.version(localpart, version)?;
            if before.algorithm != algorithm {
                return Err(Error::InvalidParam(format!(
                    "the algorithm of this backup is {}, and stays so",
                    before.algorithm
                )));
            }
            let after = Backup {
                auth_data: auth_data.clone(),
                ..before.clone()
            };
            let mut batch = Batch::new();
            if after != before {
                batch
                    .expect(&BACKUPS, (localpart, version), Some(&before))
                    .put(&BACKUPS, (localpart, version), &after);
            }
            Ok((batch, ()))
        })
        .await
    }

    /// Deletes a version with all its sessions. Deleting it again does nothing more.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there never was such a version; storage.
    pub async fn delete_backup(&self, user_id: &UserId, version: &str) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let number = number(version)?;
        let key = (localpart, number);
        self.write(|| {
            let before = self.store().get(&BACKUPS, key)?.ok_or(NO_BACKUP)?;
            let mut batch = Batch::new();
            if !before.deleted {
                let after = Backup {
                    auth_data: JsonText("{}".to_owned()),
                    count: 0,
                    deleted: true,
                    ..before.clone()
                };
                batch
                    .expect(&BACKUPS, key, Some(&before))
                    .put(&BACKUPS, key, &after);
            }
            Ok((batch, ()))
        })
        .await?;
        // From here on nobody adds sessions to it. Those of a crash in between go when it is deleted again, or with the account.
        loop {
            let some = self
                .store()
                .prefix(&BACKUP_SESSIONS, key, super::sessions::AT_ONCE)?;
            if some.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for ((_, _, room, session), _) in some {
                batch.delete(&BACKUP_SESSIONS, (localpart, number, room, session));
            }
            self.store().commit(batch).await?;
        }
    }

    /// Deletes all backups of a user, and that there were any.
    pub(crate) async fn forget_backups(&self, user_id: &UserId) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        for ((_, version), _) in self.store().prefix(&BACKUPS, (localpart,), usize::MAX)? {
            self.delete_backup(user_id, &version.to_string()).await?;
            let mut batch = Batch::new();
            batch.delete(&BACKUPS, (localpart, version));
            self.store().commit(batch).await?;
        }
        Ok(())
    }

    /// A version that was not deleted.
    pub(super) fn version(&self, localpart: &str, version: &str) -> Result<(u64, Backup)> {
        let number = number(version)?;
        let found = self.store().get(&BACKUPS, (localpart, number))?;
        let backup = found.filter(|backup| !backup.deleted).ok_or(NO_BACKUP)?;
        Ok((number, backup))
    }

    /// The newest version that was not deleted.
    fn current(&self, localpart: &str) -> Result<Option<(u64, Backup)>> {
        // Nearly always the newest of all.
        let mut limit = 1;
        loop {
            let newest = self.newest(localpart, limit)?;
            let count = newest.len();
            if let Some(found) = newest.into_iter().find(|(_, backup)| !backup.deleted) {
                return Ok(Some(found));
            }
            if count < limit {
                return Ok(None);
            }
            limit *= 8;
        }
    }

    /// The version to write to, which has to be the current one.
    pub(super) fn version_to_write(&self, localpart: &str, version: &str) -> Result<(u64, Backup)> {
        let (current, backup) = self.current(localpart)?.ok_or(NO_BACKUP)?;
        if number(version).ok() != Some(current) {
            return Err(Error::WrongBackupVersion {
                current: current.to_string(),
            });
        }
        Ok((current, backup))
    }

    fn newest(&self, localpart: &str, limit: usize) -> Result<Vec<(u64, Backup)>> {
        let (from, to) = ((localpart, 0), (localpart, u64::MAX));
        let found = self.store().range(&BACKUPS, from, to, true, limit)?;
        Ok(found
            .into_iter()
            .map(|((_, version), backup)| (version, backup))
            .collect())
    }

    fn check_auth_data(&self, algorithm: &str, auth_data: &JsonText) -> Result<()> {
        let most = self.config().limits.key_bytes;
        if algorithm.is_empty() || algorithm.len() > 255 {
            return Err(Error::InvalidParam(
                "the name of an algorithm has 1 to 255 bytes".to_owned(),
            ));
        }
        if auth_data.0.len() > most {
            return Err(Error::TooLarge(format!(
                "the auth_data of a backup has at most {most} bytes"
            )));
        }
        Ok(())
    }
}

fn number(version: &str) -> Result<u64> {
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    let number = version.parse().ok().filter(|_| digits);
    number
        .filter(|n: &u64| n.to_string() == version)
        .ok_or(NO_BACKUP)
}

impl BackupWhich<'_> {
    /// Whether it is about one session alone.
    pub(super) const fn is_one(&self) -> bool {
        matches!(self, Self::Session(..))
    }
}
