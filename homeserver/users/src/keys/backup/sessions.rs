//! The sessions in a key backup.

use std::collections::BTreeMap;

use orvale_storage::{
    Batch,
    record::JsonText,
    trees::users::{BACKUP_SESSIONS, BACKUPS, Backup, BackupSession},
};
use ruma::{OwnedRoomId, RoomId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Error, Result, Users};

/// How many sessions are removed in one batch.
pub(super) const AT_ONCE: usize = 2_000;

/// Sessions by room and ID: JSON objects.
pub type BackupKeys = BTreeMap<OwnedRoomId, BTreeMap<String, Box<RawValue>>>;

/// Which sessions of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupWhich<'a> {
    /// All.
    All,
    /// Those of a room.
    Room(&'a RoomId),
    /// One.
    Session(&'a RoomId, &'a str),
}

/// How a backup stands after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupState {
    /// How many sessions it holds.
    pub count: u64,
    /// Another one after each change of its sessions.
    pub etag: String,
}

impl From<&Backup> for BackupState {
    fn from(backup: &Backup) -> Self {
        Self {
            count: backup.count,
            etag: backup.etag.to_string(),
        }
    }
}

/// A session as clients write it.
#[derive(Deserialize, Serialize)]
struct SessionJson<'a> {
    first_message_index: u64,
    forwarded_count: u64,
    is_verified: bool,
    #[serde(borrow)]
    session_data: &'a RawValue,
}

impl Users {
    /// Keeps sessions in the current version of a user's backup, each where it is better than the one that is there.
    ///
    /// # Errors
    /// [`Error::NotFound`] without a backup, [`Error::WrongBackupVersion`]; [`Error::BadJson`], [`Error::InvalidParam`],
    /// [`Error::TooLarge`]; storage.
    pub async fn put_backup_keys(
        &self,
        user_id: &UserId,
        version: &str,
        keys: &BackupKeys,
    ) -> Result<BackupState> {
        let localpart = self.localpart(user_id)?;
        // Whose version is wrong is told so first.
        self.version_to_write(localpart, version)?;
        let mut sessions = Vec::new();
        for (room, of_room) in keys {
            for (session_id, json) in of_room {
                sessions.push((room, session_id, self.check_session(session_id, json)?));
            }
        }
        self.write(|| {
            let (number, before) = self.version_to_write(localpart, version)?;
            let mut batch = Batch::new();
            let mut count = before.count;
            for (room, session_id, session) in &sessions {
                let place = (localpart, number, room, session_id);
                let known = self.store().get(&BACKUP_SESSIONS, place)?;
                if known.as_ref().is_none_or(|known| is_better(session, known)) {
                    batch.put(&BACKUP_SESSIONS, place, session);
                    count += u64::from(known.is_none());
                }
            }
            let most = self.config().limits.backup_sessions as u64;
            if count > most && count > before.count {
                return Err(Error::TooLarge(format!(
                    "a key backup holds at most {most} sessions"
                )));
            }
            let state = change(localpart, number, &before, count, &mut batch);
            Ok((batch, state))
        })
        .await
    }

    /// Sessions of a version of a user's backup. Reads them all: to be called where that holds up nobody.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such version, or not the one session asked for; storage.
    pub fn backup_keys(
        &self,
        user_id: &UserId,
        version: &str,
        which: BackupWhich<'_>,
    ) -> Result<BackupKeys> {
        let localpart = self.localpart(user_id)?;
        let (number, _) = self.version(localpart, version)?;
        let found = self.list_sessions(localpart, number, which, usize::MAX)?;
        if which.is_one() && found.is_empty() {
            return Err(Error::NotFound("session in this key backup"));
        }
        let malformed = |e: String| Error::Internal(format!("a stored session: {e}"));
        let mut keys = BackupKeys::new();
        for (room, session_id, session) in found {
            let room = OwnedRoomId::try_from(room).map_err(|e| malformed(e.to_string()))?;
            let data: &RawValue = session
                .session_data
                .parse()
                .map_err(|e| malformed(e.to_string()))?;
            let json = SessionJson {
                first_message_index: session.first_message_index,
                forwarded_count: session.forwarded_count,
                is_verified: session.is_verified,
                session_data: data,
            };
            let json =
                serde_json::value::to_raw_value(&json).map_err(|e| malformed(e.to_string()))?;
            keys.entry(room).or_default().insert(session_id, json);
        }
        Ok(keys)
    }

    /// Removes sessions from a version of a user's backup.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such version; storage.
    pub async fn delete_backup_keys(
        &self,
        user_id: &UserId,
        version: &str,
        which: BackupWhich<'_>,
    ) -> Result<BackupState> {
        let localpart = self.localpart(user_id)?;
        // Many go in several batches, each of which leaves the backup whole.
        loop {
            let (state, removed) = self
                .write(|| {
                    let (number, before) = self.version(localpart, version)?;
                    let found = self.list_sessions(localpart, number, which, AT_ONCE)?;
                    let removed = found.len();
                    let mut batch = Batch::new();
                    for (room, session_id, _) in found {
                        batch.delete(&BACKUP_SESSIONS, (localpart, number, room, session_id));
                    }
                    let count = before.count.saturating_sub(removed as u64);
                    let state = change(localpart, number, &before, count, &mut batch);
                    Ok((batch, (state, removed)))
                })
                .await?;
            if removed < AT_ONCE {
                return Ok(state);
            }
        }
    }

    fn list_sessions(
        &self,
        localpart: &str,
        number: u64,
        which: BackupWhich<'_>,
        limit: usize,
    ) -> Result<Vec<(String, String, BackupSession)>> {
        let store = self.store();
        let found = match which {
            BackupWhich::All => store.prefix(&BACKUP_SESSIONS, (localpart, number), limit)?,
            BackupWhich::Room(room) => {
                store.prefix(&BACKUP_SESSIONS, (localpart, number, room), limit)?
            }
            BackupWhich::Session(room, session_id) => {
                let place = (localpart, number, room, session_id);
                let found = store.get(&BACKUP_SESSIONS, place)?;
                return Ok(found
                    .map(|session| (room.to_string(), session_id.to_owned(), session))
                    .into_iter()
                    .collect());
            }
        };
        Ok(found
            .into_iter()
            .map(|((_, _, room, session_id), session)| (room, session_id, session))
            .collect())
    }

    fn check_session(&self, session_id: &str, json: &RawValue) -> Result<BackupSession> {
        let most = self.config().limits.backup_session_bytes;
        if session_id.is_empty() || session_id.len() > 255 {
            return Err(Error::InvalidParam(
                "the ID of a session has 1 to 255 bytes".to_owned(),
            ));
        }
        if json.get().len() > most {
            return Err(Error::TooLarge(format!(
                "a session in a key backup has at most {most} bytes"
            )));
        }
        let parsed: SessionJson<'_> = serde_json::from_str(json.get())
            .map_err(|e| Error::BadJson(format!("the session {session_id} is malformed: {e}")))?;
        if !parsed.session_data.get().starts_with('{') {
            return Err(Error::BadJson(format!(
                "the session_data of {session_id} is no JSON object"
            )));
        }
        Ok(BackupSession {
            first_message_index: parsed.first_message_index,
            forwarded_count: parsed.forwarded_count,
            is_verified: parsed.is_verified,
            session_data: JsonText(parsed.session_data.get().to_owned()),
        })
    }
}

/// Adds to a batch that changes sessions how the backup stands then.
fn change(
    localpart: &str,
    number: u64,
    before: &Backup,
    count: u64,
    batch: &mut Batch,
) -> BackupState {
    if batch.is_empty() {
        return before.into();
    }
    let after = Backup {
        count,
        etag: before.etag + 1,
        ..before.clone()
    };
    batch
        .expect(&BACKUPS, (localpart, number), Some(before))
        .put(&BACKUPS, (localpart, number), &after);
    (&after).into()
}

/// Whether a session is to take another's place.
///
/// <https://spec.matrix.org/latest/client-server-api/#server-side-key-backups>
fn is_better(new: &BackupSession, known: &BackupSession) -> bool {
    if new.is_verified != known.is_verified {
        return new.is_verified;
    }
    (new.first_message_index, new.forwarded_count)
        < (known.first_message_index, known.forwarded_count)
}
