//! Refreshing: a new pair of tokens for an old one.
//!
//! The old pair stays valid until the client shows that it has a new one, so that a client which never got the answer can
//! ask again. Each answer adds a pair to the device; the first of them that is used ends all others.

use orvale_storage::{
    Batch,
    trees::users::{DEVICES, Device, TokenPair},
};

use super::{NewSession, authenticate::remove_tokens, tokens::Hash};
use crate::{Error, Result, Standing, Users};

/// How many unused pairs a device keeps: a client that asks more often gets the oldest of them taken back.
const UNUSED_PAIRS: usize = 3;

impl Users {
    /// A new pair of tokens for the device of a refresh token.
    ///
    /// # Errors
    /// [`Error::UnknownToken`], [`Error::TokenExpired`] (a soft logout), [`Error::Locked`]; storage.
    pub async fn refresh(&self, refresh_token: &str) -> Result<NewSession> {
        let hash = Hash::of(refresh_token);
        let is_it = |pair: &TokenPair| pair.refresh == Some(hash.0);
        let (owner, device, place) = self.pair_of(&hash, is_it)?.ok_or(Error::UnknownToken)?;
        let user_id = self.user_id(&owner.localpart)?;
        if device.pairs[place]
            .refresh_expires_at
            .is_some_and(|at| at <= self.now())
        {
            return Err(Error::TokenExpired);
        }
        match self.standing(&user_id)? {
            Some(Standing::Active | Standing::Suspended) => {}
            Some(Standing::Locked) => return Err(Error::Locked),
            Some(Standing::Deactivated) | None => return Err(Error::UnknownToken),
        }
        if place > 0 && !self.confirm(&owner, &hash).await? {
            return Err(Error::UnknownToken);
        }
        let fresh = self.fresh_pair(true);
        let key = (&owner.localpart, &owner.device_id);
        let ended = self
            .write(|| {
                let before = self
                    .store()
                    .get(&DEVICES, key)?
                    .ok_or(Error::UnknownToken)?;
                if !before.pairs.first().is_some_and(is_it) {
                    return Err(Error::UnknownToken);
                }
                let mut pairs = before.pairs.clone();
                let ended = if pairs.len() > UNUSED_PAIRS {
                    vec![pairs.remove(1)]
                } else {
                    Vec::new()
                };
                pairs.push(fresh.pair.clone());
                let mut batch = Batch::new();
                remove_tokens(&mut batch, &ended);
                fresh.put(&mut batch, &owner);
                let after = Device {
                    pairs,
                    ..before.clone()
                };
                batch
                    .expect(&DEVICES, key, Some(&before))
                    .put(&DEVICES, key, &after);
                Ok((batch, ended))
            })
            .await?;
        self.forget_sessions(&ended);
        Ok(NewSession {
            user_id,
            device_id: owner.device_id.as_str().into(),
            access_token: fresh.access_token,
            refresh_token: fresh.refresh_token,
            expires_in: fresh.expires_in,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        Config,
        testing::{users, users_with},
    };

    #[tokio::test]
    async fn the_old_pair_lives_until_the_new_access_token_is_used() {
        let users = users();
        let alice = users.account("alice").await;
        let old = users.open_session(&alice, None, None, true).await.unwrap();
        let old_refresh = old.refresh_token.unwrap();
        users
            .authenticate(&old.access_token)
            .await
            .unwrap()
            .unwrap();
        let new = users.refresh(&old_refresh).await.unwrap();
        assert_eq!(new.device_id, old.device_id);
        assert!(
            users
                .authenticate(&old.access_token)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            users
                .authenticate(&new.access_token)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            users
                .authenticate(&old.access_token)
                .await
                .unwrap()
                .is_none()
        );
        assert!(matches!(
            users.refresh(&old_refresh).await,
            Err(Error::UnknownToken)
        ));
    }

    #[tokio::test]
    async fn the_old_pair_lives_until_the_new_refresh_token_is_used() {
        let users = users();
        let alice = users.account("alice").await;
        let old = users.open_session(&alice, None, None, true).await.unwrap();
        let old_refresh = old.refresh_token.unwrap();
        let new = users.refresh(&old_refresh).await.unwrap();
        let newer = users.refresh(&new.refresh_token.unwrap()).await.unwrap();
        assert!(matches!(
            users.refresh(&old_refresh).await,
            Err(Error::UnknownToken)
        ));
        assert!(
            users
                .authenticate(&old.access_token)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            users
                .authenticate(&new.access_token)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            users
                .authenticate(&newer.access_token)
                .await
                .unwrap()
                .is_some()
        );
    }

    #[tokio::test]
    async fn a_client_that_lost_the_answer_asks_again_and_either_answer_works() {
        let users = users();
        let alice = users.account("alice").await;
        let old = users.open_session(&alice, None, None, true).await.unwrap();
        let old_refresh = old.refresh_token.unwrap();
        let lost = users.refresh(&old_refresh).await.unwrap();
        let got = users.refresh(&old_refresh).await.unwrap();
        assert!(
            users
                .authenticate(&lost.access_token)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            users
                .authenticate(&got.access_token)
                .await
                .unwrap()
                .is_none()
        );
        for _ in 0..10 {
            users
                .refresh(lost.refresh_token.as_ref().unwrap())
                .await
                .unwrap();
        }
        let device = users.store().prefix(&DEVICES, (), 1).unwrap().remove(0).1;
        assert_eq!(device.pairs.len(), 1 + UNUSED_PAIRS);
        assert_eq!(
            users
                .store()
                .prefix(&orvale_storage::trees::users::TOKENS, (), 100)
                .unwrap()
                .len(),
            8
        );
    }

    #[tokio::test]
    async fn refresh_tokens_expire_if_configured() {
        let mut config = Config::default();
        config.tokens.refresh_seconds = Some(10);
        let users = users_with(config);
        let alice = users.account("alice").await;
        let refresh = users
            .open_session(&alice, None, None, true)
            .await
            .unwrap()
            .refresh_token
            .unwrap();
        users.clock().advance(Duration::from_secs(10));
        assert!(matches!(
            users.refresh(&refresh).await,
            Err(Error::TokenExpired)
        ));
        assert!(matches!(
            users.refresh("orr_unknown").await,
            Err(Error::UnknownToken)
        ));
    }
}
