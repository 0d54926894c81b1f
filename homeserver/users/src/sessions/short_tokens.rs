//! Tokens for a short while: to log in one more client, and to show a third party who the user is.

use std::time::Duration;

use orvale_storage::{
    Batch,
    trees::users::{LOGIN_TOKEN, OPENID_TOKEN, SHORT_TOKENS, ShortToken},
};
use ruma::{OwnedUserId, UserId};

use super::tokens::{self, Hash};
use crate::{Error, Result, Users, clock::milliseconds};

/// How long a third party may take to ask who the user is.
const OPENID_LIFE: Duration = Duration::from_secs(3600);

/// A token just made.
#[derive(Clone)]
pub struct NewShortToken {
    /// The token.
    pub token: String,
    /// How long it is valid.
    pub expires_in: Duration,
}

impl Users {
    /// A token with which one client logs in as this user, once.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the server does not offer this; storage.
    pub async fn create_login_token(&self, user_id: &UserId) -> Result<NewShortToken> {
        let tokens = &self.inner.config.tokens;
        if !tokens.login_tokens {
            return Err(Error::Forbidden("this server gives out no login tokens"));
        }
        self.create_short_token(
            user_id,
            LOGIN_TOKEN,
            Duration::from_secs(tokens.login_seconds),
        )
        .await
    }

    /// The user of a login token, which is used up by this.
    ///
    /// # Errors
    /// [`Error::LoginRefused`]; storage.
    pub async fn spend_login_token(&self, token: &str) -> Result<OwnedUserId> {
        const REFUSED: Error = Error::LoginRefused("this login token is unknown, used or expired");
        let hash = Hash::of(token);
        let key = (LOGIN_TOKEN, &hash.0[..]);
        let spent = self
            .write(|| {
                let found = self.store().get(&SHORT_TOKENS, key)?.ok_or(REFUSED)?;
                let mut batch = Batch::new();
                batch
                    .expect(&SHORT_TOKENS, key, Some(&found))
                    .delete(&SHORT_TOKENS, key);
                Ok((batch, found))
            })
            .await?;
        if spent.expires_at <= self.now() {
            return Err(REFUSED);
        }
        self.user_id(&spent.localpart)
    }

    /// A token with which a third party can ask us who the user is.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn create_openid_token(&self, user_id: &UserId) -> Result<NewShortToken> {
        self.create_short_token(user_id, OPENID_TOKEN, OPENID_LIFE)
            .await
    }

    /// The user of an OpenID token.
    ///
    /// # Errors
    /// Storage.
    pub fn openid_user(&self, token: &str) -> Result<Option<OwnedUserId>> {
        let found = self
            .store()
            .get(&SHORT_TOKENS, (OPENID_TOKEN, &Hash::of(token).0[..]))?;
        let now = self.now();
        found
            .filter(|found| now < found.expires_at)
            .map(|found| self.user_id(&found.localpart))
            .transpose()
    }

    /// Removes those that have expired.
    pub(crate) async fn sweep_short_tokens(&self) -> Result<()> {
        let now = self.now();
        let mut batch = Batch::new();
        for ((purpose, hash), token) in self.store().prefix(&SHORT_TOKENS, (), 10_000)? {
            if token.expires_at <= now {
                batch.delete(&SHORT_TOKENS, (purpose, hash));
            }
        }
        if !batch.is_empty() {
            self.store().commit(batch).await?;
        }
        Ok(())
    }

    async fn create_short_token(
        &self,
        user_id: &UserId,
        purpose: u8,
        expires_in: Duration,
    ) -> Result<NewShortToken> {
        let token = tokens::random(if purpose == LOGIN_TOKEN { "orl" } else { "oro" });
        let localpart = self.localpart(user_id)?.to_owned();
        let record = ShortToken {
            localpart,
            expires_at: self.now().saturating_add(milliseconds(expires_in)),
        };
        let mut batch = Batch::new();
        batch.put(&SHORT_TOKENS, (purpose, &Hash::of(&token).0[..]), &record);
        self.store().commit(batch).await?;
        Ok(NewShortToken { token, expires_in })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn a_login_token_works_once_and_not_for_long() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.create_login_token(&alice).await.unwrap();
        let (a, b) = tokio::join!(
            users.spend_login_token(&new.token),
            users.spend_login_token(&new.token)
        );
        assert!(a.is_ok() != b.is_ok(), "two at once: one of them");
        let late = users.create_login_token(&alice).await.unwrap();
        users.clock().advance(late.expires_in);
        assert!(matches!(
            users.spend_login_token(&late.token).await,
            Err(Error::LoginRefused(_))
        ));
        assert!(matches!(
            users.spend_login_token("orl_unknown").await,
            Err(Error::LoginRefused(_))
        ));
    }

    #[tokio::test]
    async fn an_openid_token_tells_the_user_and_logs_nobody_in() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.create_openid_token(&alice).await.unwrap();
        assert_eq!(users.openid_user(&new.token).unwrap(), Some(alice));
        assert!(matches!(
            users.spend_login_token(&new.token).await,
            Err(Error::LoginRefused(_))
        ));
        users.clock().advance(new.expires_in);
        assert_eq!(users.openid_user(&new.token).unwrap(), None);
        users.sweep_short_tokens().await.unwrap();
        assert!(
            users
                .store()
                .prefix(&SHORT_TOKENS, (), 10)
                .unwrap()
                .is_empty()
        );
    }
}
