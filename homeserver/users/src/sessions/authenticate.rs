//! Who is behind an access token: asked by every request.

use std::sync::{Arc, atomic::AtomicU64};

use orvale_storage::{
    Batch,
    trees::users::{ACCOUNTS, DEVICES, Device, TOKENS, TokenOwner, TokenPair},
};
use ruma::{OwnedDeviceId, OwnedUserId, UserId};

use super::tokens::Hash;
use crate::{AppserviceId, Error, Result, Standing, Users};

/// Who is behind an access token.
#[derive(Debug)]
pub struct Session {
    /// The user.
    pub user_id: OwnedUserId,
    /// The device.
    pub device_id: OwnedDeviceId,
    /// How the account stands. A locked one may only log out; see [`Standing`].
    pub standing: Standing,
    /// Whether the user may use the admin APIs.
    pub admin: bool,
    /// Whether the user is a guest.
    pub guest: bool,
    /// The application service that made the user.
    pub appservice: Option<String>,
    /// Whether it is an application service that acts, with its own token.
    pub by_appservice: bool,
    /// When the access token expires, in milliseconds since the Unix epoch.
    pub expires_at: Option<u64>,
    /// When the session was last noted as seen, in milliseconds since the Unix epoch.
    pub(crate) noted_at: AtomicU64,
}

impl Users {
    /// Who is behind an access token; `None` if nobody is, or no more.
    ///
    /// Nearly always answered from memory. The first use of a token that came from refreshing also writes: the pair it
    /// replaces ends with it.
    ///
    /// # Errors
    /// [`Error::TokenExpired`] (a soft logout); storage.
    pub async fn authenticate(&self, access_token: &str) -> Result<Option<Arc<Session>>> {
        let hash = Hash::of(access_token);
        if let Some(session) = self.inner.sessions.get(&hash) {
            return self.unexpired(session).map(Some);
        }
        let ticket = self.inner.sessions.ticket();
        let Some((owner, device, place)) = self.pair_of(&hash, |pair| pair.access == hash.0)?
        else {
            return Ok(None);
        };
        let session = self.session_of(&owner, device.pairs[place].access_expires_at)?;
        let Some(session) = session else {
            return Ok(None);
        };
        let session = self.unexpired(Arc::new(session))?;
        if place > 0 {
            return Ok(self.confirm(&owner, &hash).await?.then_some(session));
        }
        self.inner.sessions.keep(ticket, hash, session.clone());
        Ok(Some(session))
    }

    fn unexpired(&self, session: Arc<Session>) -> Result<Arc<Session>> {
        match session.expires_at {
            Some(expires_at) if expires_at <= self.now() => Err(Error::TokenExpired),
            _ => Ok(session),
        }
    }

    fn session_of(&self, owner: &TokenOwner, expires_at: Option<u64>) -> Result<Option<Session>> {
        let Some(account) = self.store().get(&ACCOUNTS, (&owner.localpart,))? else {
            return Ok(None);
        };
        let standing = Standing::from(&account);
        if standing == Standing::Deactivated {
            return Ok(None);
        }
        Ok(Some(Session {
            user_id: self.user_id(&owner.localpart)?,
            device_id: owner.device_id.as_str().into(),
            standing,
            admin: account.admin,
            guest: account.guest,
            appservice: account.appservice,
            by_appservice: false,
            expires_at,
            noted_at: AtomicU64::new(0),
        }))
    }

    /// The session in which an application service acts as a user, with a device if it names one.
    ///
    /// # Errors
    /// [`Error::Exclusive`] if the user is not in its namespaces, [`Error::NoSuchUser`], [`Error::NoSuchDevice`]; storage.
    pub fn appservice_session(
        &self,
        appservice: &AppserviceId,
        user_id: Option<&UserId>,
        device_id: Option<OwnedDeviceId>,
    ) -> Result<Session> {
        let user_id = self.acts_as(appservice, user_id)?;
        let device_id = match device_id {
            Some(device_id) if self.device(&user_id, &device_id)?.is_none() => {
                return Err(Error::NoSuchDevice);
            }
            Some(device_id) => device_id,
            // What is done without a device is told apart by one that no client can have.
            None => OwnedDeviceId::from(""),
        };
        let owner = TokenOwner {
            localpart: user_id.localpart().to_owned(),
            device_id: device_id.to_string(),
        };
        let session = self.session_of(&owner, None)?.ok_or(Error::NoSuchUser)?;
        Ok(Session {
            by_appservice: true,
            ..session
        })
    }

    /// The device of a token and the place of its pair there, which `is_it` recognises.
    pub(super) fn pair_of(
        &self,
        hash: &Hash,
        is_it: impl Fn(&TokenPair) -> bool,
    ) -> Result<Option<(TokenOwner, Device, usize)>> {
        let Some(owner) = self.store().get(&TOKENS, (&hash.0[..],))? else {
            return Ok(None);
        };
        let Some(device) = self
            .store()
            .get(&DEVICES, (&owner.localpart, &owner.device_id))?
        else {
            return Ok(None);
        };
        let place = device.pairs.iter().position(is_it);
        Ok(place.map(|place| (owner, device, place)))
    }

    /// Makes the pair with this token the only one of its device: the client has shown that it has it. Returns whether the
    /// pair was still there.
    pub(super) async fn confirm(&self, owner: &TokenOwner, token: &Hash) -> Result<bool> {
        let key = (&owner.localpart, &owner.device_id);
        let ended = self
            .write(|| {
                let mut batch = Batch::new();
                let Some(before) = self.store().get(&DEVICES, key)? else {
                    return Ok((batch, None));
                };
                let is_it =
                    |pair: &TokenPair| pair.access == token.0 || pair.refresh == Some(token.0);
                let (kept, ended): (Vec<_>, Vec<_>) = before.pairs.iter().cloned().partition(is_it);
                if kept.is_empty() {
                    return Ok((batch, None));
                }
                if !ended.is_empty() {
                    remove_tokens(&mut batch, &ended);
                    let after = Device {
                        pairs: kept,
                        ..before.clone()
                    };
                    batch
                        .expect(&DEVICES, key, Some(&before))
                        .put(&DEVICES, key, &after);
                }
                Ok((batch, Some(ended)))
            })
            .await?;
        let confirmed = ended.is_some();
        self.forget_sessions(&ended.unwrap_or_default());
        Ok(confirmed)
    }

    /// Drops what is remembered of pairs that ended.
    pub(super) fn forget_sessions(&self, ended: &[TokenPair]) {
        let hashes = ended
            .iter()
            .map(|pair| Hash(pair.access))
            .collect::<Vec<_>>();
        self.inner.sessions.forget(&hashes);
    }
}

/// Removes the tokens of pairs that end with a batch.
pub(super) fn remove_tokens(batch: &mut Batch, ended: &[TokenPair]) {
    for pair in ended {
        batch.delete(&TOKENS, (&pair.access[..],));
        if let Some(refresh) = &pair.refresh {
            batch.delete(&TOKENS, (&refresh[..],));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn a_token_tells_user_and_device() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.session(&alice).await;
        let session = users
            .authenticate(&new.access_token)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (&session.user_id, &session.device_id),
            (&alice, &new.device_id)
        );
        assert!(!session.admin && !session.guest);
        let again = users
            .authenticate(&new.access_token)
            .await
            .unwrap()
            .unwrap();
        assert!(
            Arc::ptr_eq(&session, &again),
            "the second time it comes from memory"
        );
        assert!(users.authenticate("ora_unknown").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_expired_token_is_a_soft_logout() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.open_session(&alice, None, None, true).await.unwrap();
        assert!(
            users
                .authenticate(&new.access_token)
                .await
                .unwrap()
                .is_some()
        );
        users.clock().advance(new.expires_in.unwrap());
        assert!(matches!(
            users.authenticate(&new.access_token).await,
            Err(Error::TokenExpired)
        ));
    }

    #[tokio::test]
    async fn a_refresh_token_is_no_access_token() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.open_session(&alice, None, None, true).await.unwrap();
        assert!(
            users
                .authenticate(&new.refresh_token.unwrap())
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test]
    async fn tokens_are_kept_as_hashes_alone() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.open_session(&alice, None, None, true).await.unwrap();
        let stored = format!(
            "{:?} {:?}",
            users.store().prefix(&TOKENS, (), 10).unwrap(),
            users.store().prefix(&DEVICES, (), 10).unwrap()
        );
        assert!(
            !stored.contains(&new.access_token) && !stored.contains(&new.refresh_token.unwrap())
        );
    }

    #[tokio::test]
    async fn many_at_once_ask_for_one_new_token() {
        let users = users();
        let alice = users.account("alice").await;
        let first = users.open_session(&alice, None, None, true).await.unwrap();
        let second = users.refresh(&first.refresh_token.unwrap()).await.unwrap();
        users.clock().advance(Duration::from_secs(1));
        let (a, b) = tokio::join!(
            users.authenticate(&second.access_token),
            users.authenticate(&second.access_token)
        );
        assert!(a.unwrap().is_some() && b.unwrap().is_some());
    }
}
