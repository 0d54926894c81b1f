//! Registration tokens: accounts for those who were given one.

use orvale_storage::{
    Batch,
    trees::users::{REGISTRATION_TOKENS, RegistrationToken},
};

use crate::{Error, Result, Users, sessions::tokens};

/// A registration token, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationTokenInfo {
    /// The token.
    pub token: String,
    /// How often it may be used; `None` for no limit.
    pub uses_allowed: Option<u64>,
    /// How often it was used.
    pub completed: u64,
    /// When it expires, in milliseconds since the Unix epoch.
    pub expires_at: Option<u64>,
}

const REFUSED: Error =
    Error::LoginRefused("this registration token is unknown, expired or used up");

impl Users {
    /// Makes a registration token; a random one if none is given.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] if there is such a token or it is not well formed; storage.
    pub async fn create_registration_token(
        &self,
        token: Option<&str>,
        uses_allowed: Option<u64>,
        expires_at: Option<u64>,
    ) -> Result<RegistrationTokenInfo> {
        let token = token.map_or_else(|| tokens::random_letters(16), ToOwned::to_owned);
        check_grammar(&token)?;
        let record = RegistrationToken {
            uses_allowed,
            completed: 0,
            expires_at,
        };
        self.write(|| {
            if self.store().contains(&REGISTRATION_TOKENS, (&token,))? {
                return Err(Error::InvalidParam(
                    "there is a registration token of this name already".to_owned(),
                ));
            }
            let mut batch = Batch::new();
            batch.expect::<_, RegistrationToken>(&REGISTRATION_TOKENS, (&token,), None);
            batch.put(&REGISTRATION_TOKENS, (&token,), &record);
            Ok((batch, ()))
        })
        .await?;
        Ok(info(token, record))
    }

    /// Changes what a registration token is good for; returns it as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`]; storage.
    pub async fn change_registration_token(
        &self,
        token: &str,
        change: impl Fn(&mut RegistrationTokenInfo),
    ) -> Result<RegistrationTokenInfo> {
        self.write(|| {
            let found = self.store().get(&REGISTRATION_TOKENS, (token,))?;
            let before = found.ok_or(Error::NotFound("registration token"))?;
            let mut after = info(token.to_owned(), before.clone());
            change(&mut after);
            let record = RegistrationToken {
                uses_allowed: after.uses_allowed,
                completed: before.completed,
                expires_at: after.expires_at,
            };
            let mut batch = Batch::new();
            batch
                .expect(&REGISTRATION_TOKENS, (token,), Some(&before))
                .put(&REGISTRATION_TOKENS, (token,), &record);
            Ok((batch, info(token.to_owned(), record)))
        })
        .await
    }

    /// Removes a registration token.
    ///
    /// # Errors
    /// [`Error::NotFound`]; storage.
    pub async fn remove_registration_token(&self, token: &str) -> Result<()> {
        self.registration_token(token)?
            .ok_or(Error::NotFound("registration token"))?;
        let mut batch = Batch::new();
        batch.delete(&REGISTRATION_TOKENS, (token,));
        self.store().commit(batch).await?;
        Ok(())
    }

    /// A registration token that administrators made.
    ///
    /// # Errors
    /// Storage.
    pub fn registration_token(&self, token: &str) -> Result<Option<RegistrationTokenInfo>> {
        let found = self.store().get(&REGISTRATION_TOKENS, (token,))?;
        Ok(found.map(|record| info(token.to_owned(), record)))
    }

    /// The registration tokens that administrators made: up to `limit`, by name.
    ///
    /// # Errors
    /// Storage.
    pub fn registration_tokens(&self, limit: usize) -> Result<Vec<RegistrationTokenInfo>> {
        let found = self.store().prefix(&REGISTRATION_TOKENS, (), limit)?;
        Ok(found
            .into_iter()
            .map(|((token,), record)| info(token, record))
            .collect())
    }

    /// Whether a registration token is good for one more account.
    ///
    /// # Errors
    /// Storage.
    pub fn is_valid_registration_token(&self, token: &str) -> Result<bool> {
        Ok(self.is_configured_token(token) || self.usable_token(token)?.is_some())
    }

    /// Adds to the batch that makes an account what its registration token loses by it.
    pub(super) fn pay_with(&self, token: &str, batch: &mut Batch) -> Result<()> {
        if self.is_configured_token(token) {
            return Ok(());
        }
        let before = self.usable_token(token)?.ok_or(REFUSED)?;
        let after = RegistrationToken {
            completed: before.completed + 1,
            ..before.clone()
        };
        batch
            .expect(&REGISTRATION_TOKENS, (token,), Some(&before))
            .put(&REGISTRATION_TOKENS, (token,), &after);
        Ok(())
    }

    fn is_configured_token(&self, token: &str) -> bool {
        use subtle::ConstantTimeEq;
        let configured = self.inner.config.registration.tokens.iter();
        configured.fold(false, |found, known| {
            found | bool::from(known.as_bytes().ct_eq(token.as_bytes()))
        })
    }

    fn usable_token(&self, token: &str) -> Result<Option<RegistrationToken>> {
        let found = self.store().get(&REGISTRATION_TOKENS, (token,))?;
        let now = self.now();
        Ok(found.filter(|record| {
            record
                .uses_allowed
                .is_none_or(|allowed| record.completed < allowed)
                && record.expires_at.is_none_or(|expires_at| now < expires_at)
        }))
    }
}

fn info(token: String, record: RegistrationToken) -> RegistrationTokenInfo {
    let RegistrationToken {
        uses_allowed,
        completed,
        expires_at,
    } = record;
    RegistrationTokenInfo {
        token,
        uses_allowed,
        completed,
        expires_at,
    }
}

/// <https://spec.matrix.org/latest/appendices/#opaque-identifiers>, at most 64 characters.
fn check_grammar(token: &str) -> Result<()> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-');
    if token.is_empty() || token.len() > 64 || !token.bytes().all(allowed) {
        let reason = "a registration token has 1 to 64 of the characters A-Z, a-z, 0-9, dot, underscore, tilde and hyphen";
        return Err(Error::InvalidParam(reason.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn tokens_expire_and_run_out() {
        let users = users();
        let soon = users.clock().now() + 1000;
        users
            .create_registration_token(Some("soon"), None, Some(soon))
            .await
            .unwrap();
        users
            .create_registration_token(Some("never"), Some(0), None)
            .await
            .unwrap();
        assert!(users.is_valid_registration_token("soon").unwrap());
        assert!(!users.is_valid_registration_token("never").unwrap());
        assert!(!users.is_valid_registration_token("unknown").unwrap());
        users.clock().advance(Duration::from_secs(1));
        assert!(!users.is_valid_registration_token("soon").unwrap());
    }

    #[tokio::test]
    async fn administrators_make_change_and_remove_tokens() {
        let users = users();
        let made = users
            .create_registration_token(None, Some(3), None)
            .await
            .unwrap();
        assert_eq!(made.token.len(), 16);
        assert!(
            users
                .create_registration_token(Some(&made.token), None, None)
                .await
                .is_err()
        );
        assert!(
            users
                .create_registration_token(Some("no spaces"), None, None)
                .await
                .is_err()
        );
        let changed = users
            .change_registration_token(&made.token, |token| token.uses_allowed = None)
            .await
            .unwrap();
        assert_eq!(changed.uses_allowed, None);
        assert_eq!(users.registration_tokens(10).unwrap(), [changed]);
        users.remove_registration_token(&made.token).await.unwrap();
        assert!(users.registration_tokens(10).unwrap().is_empty());
        assert!(matches!(
            users.remove_registration_token(&made.token).await,
            Err(Error::NotFound(_))
        ));
    }
}
