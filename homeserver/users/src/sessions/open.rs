//! Opening a session: a device and the tokens that stand for it.

use std::time::Duration;

use orvale_storage::{
    Batch, Entry,
    trees::users::{ACCOUNTS, CROSS_SIGNING, DEVICES, Device, TOKENS, TokenOwner, TokenPair},
};
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};

use super::{
    authenticate::remove_tokens,
    tokens::{self, Hash},
};
use crate::{Error, Result, Standing, Users, clock::milliseconds, users::check_device_id};

/// A session just opened or refreshed. The only place where its tokens are readable.
#[derive(Clone)]
pub struct NewSession {
    /// The user.
    pub user_id: OwnedUserId,
    /// The device.
    pub device_id: OwnedDeviceId,
    /// The access token.
    pub access_token: String,
    /// The token to refresh it with, for clients that can.
    pub refresh_token: Option<String>,
    /// The life of the access token, if it ends.
    pub expires_in: Option<Duration>,
}

/// A new pair of tokens, readable, and as it is kept.
pub(super) struct Fresh {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_in: Option<Duration>,
    pub(super) pair: TokenPair,
}

impl Fresh {
    pub(super) fn put(&self, batch: &mut Batch, owner: &TokenOwner) {
        batch.put(&TOKENS, (&self.pair.access[..],), owner);
        if let Some(refresh) = &self.pair.refresh {
            batch.put(&TOKENS, (&refresh[..],), owner);
        }
    }
}

impl Users {
    /// Opens a session of a user: with a new device, or with one that the client names and whose earlier tokens end.
    /// `refreshable` if the client can refresh tokens.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::Deactivated`], [`Error::Locked`], [`Error::InvalidParam`]; storage.
    pub async fn open_session(
        &self,
        user_id: &UserId,
        device_id: Option<&DeviceId>,
        display_name: Option<&str>,
        refreshable: bool,
    ) -> Result<NewSession> {
        let localpart = self.localpart(user_id)?;
        let device_id =
            device_id.map_or_else(|| tokens::random_capitals(10).into(), DeviceId::to_owned);
        check_device_id(&device_id)?;
        let display_name = display_name.map(|name| bounded(name, 256));
        let fresh = self.fresh_pair(refreshable);
        let key = (localpart, &device_id);
        let owner = TokenOwner {
            localpart: localpart.to_owned(),
            device_id: device_id.to_string(),
        };
        let ended = self
            .write(|| {
                let account = self
                    .store()
                    .get(&ACCOUNTS, (localpart,))?
                    .ok_or(Error::NoSuchUser)?;
                match Standing::from(&account) {
                    Standing::Active | Standing::Suspended => {}
                    Standing::Locked => return Err(Error::Locked),
                    Standing::Deactivated => return Err(Error::Deactivated),
                }
                let before = self.store().get(&DEVICES, key)?;
                let mut batch = Batch::new();
                // An account deactivated meanwhile must not be left with a session.
                batch.expect(&ACCOUNTS, (localpart,), Some(&account));
                batch.expect(&DEVICES, key, before.as_ref());
                let (device, ended) = match before {
                    Some(known) => {
                        remove_tokens(&mut batch, &known.pairs);
                        let user_id = user_id.to_string();
                        batch.log(Entry::SessionEnded {
                            user_id,
                            device_id: Some(device_id.to_string()),
                        });
                        (
                            Device {
                                pairs: vec![fresh.pair.clone()],
                                ..known.clone()
                            },
                            known.pairs,
                        )
                    }
                    None => {
                        // What was written to a device of that ID while it was being removed is not this one's.
                        self.remove_belongings(localpart, &device_id, &mut batch)?;
                        self.check_new_device(localpart, &device_id, &mut batch)?;
                        let display_name = display_name.clone();
                        let pairs = vec![fresh.pair.clone()];
                        (
                            Device {
                                display_name,
                                created_at: self.now(),
                                last_seen: None,
                                pairs,
                            },
                            Vec::new(),
                        )
                    }
                };
                batch.put(&DEVICES, key, &device);
                fresh.put(&mut batch, &owner);
                Ok((batch, ended))
            })
            .await?;
        self.forget_sessions(&ended);
        metrics::counter!("orvale_users_sessions_opened").increment(1);
        Ok(NewSession {
            user_id: user_id.to_owned(),
            device_id: device_id.clone(),
            access_token: fresh.access_token,
            refresh_token: fresh.refresh_token,
            expires_in: fresh.expires_in,
        })
    }

    /// Whether a user may have one more device, of this ID: there is an end to how many, and none is named as one of the user's
    /// cross-signing keys is.
    pub(crate) fn check_new_device(
        &self,
        localpart: &str,
        device_id: &DeviceId,
        batch: &mut Batch,
    ) -> Result<()> {
        let most = self.config().limits.devices;
        if self.store().prefix(&DEVICES, (localpart,), most)?.len() >= most {
            return Err(Error::TooLarge(format!(
                "an account has at most {most} devices: log out of some that you do not use any more"
            )));
        }
        // A device ID that is not 43 letters long is no public key.
        if device_id.as_str().len() != 43 {
            return Ok(());
        }
        let keys = self.store().get(&CROSS_SIGNING, (localpart,))?;
        batch.expect(&CROSS_SIGNING, (localpart,), keys.as_ref());
        if self.is_cross_signing_key(keys.as_ref(), device_id.as_str())? {
            return Err(Error::InvalidParam(
                "one of your cross-signing keys has this ID: a device has another".to_owned(),
            ));
        }
        Ok(())
    }

    pub(super) fn fresh_pair(&self, refreshable: bool) -> Fresh {
        let lives = &self.inner.config.tokens;
        let life = if refreshable {
            Some(lives.refreshable_access_seconds)
        } else {
            lives.access_seconds
        };
        let expires_in = life.map(Duration::from_secs);
        let now = self.now();
        let at = |life: Option<Duration>| life.map(|life| now.saturating_add(milliseconds(life)));
        let access_token = tokens::random("ora");
        let refresh_token = refreshable.then(|| tokens::random("orr"));
        let pair = TokenPair {
            access: Hash::of(&access_token).0,
            access_expires_at: at(expires_in),
            refresh: refresh_token.as_deref().map(|token| Hash::of(token).0),
            refresh_expires_at: refreshable
                .then(|| at(lives.refresh_seconds.map(Duration::from_secs)))
                .flatten(),
        };
        Fresh {
            access_token,
            refresh_token,
            expires_in,
            pair,
        }
    }
}

/// At most so many characters of a text.
pub(crate) fn bounded(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use ruma::device_id;

    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn logging_in_again_with_a_device_ends_its_earlier_tokens_and_keeps_its_name() {
        let users = users();
        let alice = users.account("alice").await;
        let phone = Some(device_id!("PHONE"));
        let first = users
            .open_session(&alice, phone, Some("Phone"), false)
            .await
            .unwrap();
        users
            .authenticate(&first.access_token)
            .await
            .unwrap()
            .unwrap();
        let second = users
            .open_session(&alice, phone, Some("Another name"), false)
            .await
            .unwrap();
        assert!(
            users
                .authenticate(&first.access_token)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            users
                .authenticate(&second.access_token)
                .await
                .unwrap()
                .is_some()
        );
        let devices = users.devices(&alice).unwrap();
        assert_eq!(devices.len(), 1);
        assert_eq!(devices[0].display_name.as_deref(), Some("Phone"));
    }

    #[tokio::test]
    async fn impossible_device_ids_are_refused() {
        let users = users();
        let alice = users.account("alice").await;
        for bad in ["", &"x".repeat(256)] {
            let refused = users
                .open_session(&alice, Some(bad.into()), None, false)
                .await;
            assert!(matches!(refused, Err(Error::InvalidParam(_))));
        }
    }

    #[tokio::test]
    async fn a_locked_account_opens_no_session_and_a_suspended_one_does() {
        let users = users();
        let alice = users.account("alice").await;
        users.set_suspended(&alice, true).await.unwrap();
        assert!(users.open_session(&alice, None, None, false).await.is_ok());
        users.set_locked(&alice, true).await.unwrap();
        assert!(matches!(
            users.open_session(&alice, None, None, false).await,
            Err(Error::Locked)
        ));
    }
}
