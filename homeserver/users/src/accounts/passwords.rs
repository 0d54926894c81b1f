//! Passwords: argon2id, away from the async threads, no more at once than there are cores.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use orvale_storage::trees::users::ACCOUNTS;
use ruma::{DeviceId, UserId};
use tokio::sync::Semaphore;

use crate::{Error, Result, Users, config};

/// Longer passwords are refused: nobody types them, and hashing starts with reading them.
const MAX_BYTES: usize = 512;

pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    min_length: usize,
    cores: Arc<Semaphore>,
    /// The hash that is checked when there is no account, so that the answer takes as long as if there were.
    nobody: String,
}

impl Hasher {
    pub(crate) fn new(config: &config::Passwords) -> Result<Self> {
        let params = Params::new(
            config.argon2_memory_kib,
            config.argon2_iterations,
            config.argon2_parallelism,
            None,
        )
        .map_err(|e| Error::Config {
            key: "passwords.argon2_*",
            reason: e.to_string(),
        })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon2, &rand::random::<u128>().to_string())?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2,
            min_length: config.min_length,
            cores: Arc::new(Semaphore::new(cores)),
            nobody,
        })
    }

    /// Whether a new password is acceptable.
    fn check(&self, password: &str) -> Result<()> {
        if password.chars().count() < self.min_length {
            return Err(Error::WeakPassword {
                min_length: self.min_length,
            });
        }
        if password.len() > MAX_BYTES {
            return Err(Error::InvalidParam(format!(
                "a password has at most {MAX_BYTES} bytes"
            )));
        }
        Ok(())
    }

    /// The PHC string of a new password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        self.check(password)?;
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.apart(move || hash(&argon2, &password)).await?
    }

    /// Whether the password is the one of this PHC string. Takes as long if there is none.
    pub(crate) async fn matches(&self, password: &str, phc: Option<&str>) -> Result<bool> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let known = phc.is_some();
        let (argon2, password, phc) = (
            self.argon2.clone(),
            password.to_owned(),
            phc.unwrap_or(&self.nobody).to_owned(),
        );
        let matches = self
            .apart(move || verify(&argon2, &password, &phc))
            .await??;
        Ok(matches && known)
    }

    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let permit = self
            .cores
            .clone()
            .acquire_owned()
            .await
            .map_err(|e| Error::Internal(e.to_string()))?;
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.map_err(|e| Error::Internal(e.to_string()))
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String> {
    let hash = argon2.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|e| Error::Internal(format!("hashing a password: {e}")))
}

fn verify(argon2: &Argon2<'_>, password: &str, phc: &str) -> Result<bool> {
    let hash = PasswordHash::new(phc)
        .map_err(|e| Error::Internal(format!("a stored password hash: {e}")))?;
    Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok())
}

impl Users {
    /// Whether a new password would be accepted.
    ///
    /// # Errors
    /// [`Error::WeakPassword`], [`Error::InvalidParam`]: it would not.
    pub fn check_password(&self, password: &str) -> Result<()> {
        self.inner.hasher.check(password)
    }

    /// Whether this is the user's password.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn password_matches(&self, user_id: &UserId, password: &str) -> Result<bool> {
        let account = self.store().get(&ACCOUNTS, (self.localpart(user_id)?,))?;
        let phc = account
            .filter(|account| account.deactivated.is_none())
            .and_then(|account| account.password);
        self.inner.hasher.matches(password, phc.as_deref()).await
    }

    /// Whether the user can log in by password.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn has_password(&self, user_id: &UserId) -> Result<bool> {
        let account = self.store().get(&ACCOUNTS, (self.localpart(user_id)?,))?;
        Ok(account.is_some_and(|account| account.password.is_some()))
    }

    /// Sets the user's password and, if asked to, ends all sessions but one.
    ///
    /// # Errors
    /// [`Error::WeakPassword`], [`Error::InvalidParam`], [`Error::NoSuchUser`]; storage.
    pub async fn set_password(
        &self,
        user_id: &UserId,
        password: &str,
        logout_all_but: LogoutAllBut<'_>,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let phc = self.inner.hasher.hash(password).await?;
        self.change_account(localpart, |account| account.password = Some(phc.clone()))
            .await?;
        match logout_all_but {
            LogoutAllBut::Everyone => Ok(()),
            LogoutAllBut::Device(kept) => {
                let devices = self.devices(user_id)?;
                let others = devices
                    .iter()
                    .map(|device| &*device.device_id)
                    .filter(|id| Some(*id) != kept);
                self.delete_devices(user_id, &others.collect::<Vec<_>>())
                    .await
            }
        }
    }
}

/// Which sessions survive a new password.
#[derive(Debug, Clone, Copy)]
pub enum LogoutAllBut<'a> {
    /// All do.
    Everyone,
    /// Just that of this device, if any.
    Device(Option<&'a DeviceId>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hasty_passwords, users};

    #[tokio::test]
    async fn hashes_are_argon2id_with_the_configured_cost() {
        let hasher = Hasher::new(&hasty_passwords()).unwrap();
        let phc = hasher.hash("correct horse").await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{phc}");
        assert!(hasher.matches("correct horse", Some(&phc)).await.unwrap());
        assert!(!hasher.matches("wrong horse", Some(&phc)).await.unwrap());
        assert!(!hasher.matches("correct horse", None).await.unwrap());
    }

    #[tokio::test]
    async fn hashes_made_with_another_cost_still_match() {
        let costly = config::Passwords {
            argon2_memory_kib: 64,
            argon2_iterations: 2,
            ..hasty_passwords()
        };
        let phc = Hasher::new(&costly)
            .unwrap()
            .hash("correct horse")
            .await
            .unwrap();
        assert!(
            Hasher::new(&hasty_passwords())
                .unwrap()
                .matches("correct horse", Some(&phc))
                .await
                .unwrap()
        );
    }

    #[test]
    fn impossible_costs_are_refused_by_name() {
        let error = Hasher::new(&config::Passwords {
            argon2_memory_kib: 0,
            ..hasty_passwords()
        })
        .err()
        .unwrap();
        assert!(matches!(
            error,
            Error::Config {
                key: "passwords.argon2_*",
                ..
            }
        ));
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused() {
        let hasher = Hasher::new(&hasty_passwords()).unwrap();
        assert!(matches!(
            hasher.hash("1234567").await,
            Err(Error::WeakPassword { min_length: 8 })
        ));
        assert!(matches!(
            hasher.hash(&"x".repeat(513)).await,
            Err(Error::InvalidParam(_))
        ));
        assert!(!hasher.matches(&"x".repeat(513), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_new_password_replaces_the_old_and_can_end_other_sessions() {
        let users = users();
        let alice = users.account("alice").await;
        let (here, there) = (users.session(&alice).await, users.session(&alice).await);
        users
            .set_password(
                &alice,
                "another one",
                LogoutAllBut::Device(Some(&here.device_id)),
            )
            .await
            .unwrap();
        assert!(
            !users
                .password_matches(&alice, "the password")
                .await
                .unwrap()
        );
        assert!(users.password_matches(&alice, "another one").await.unwrap());
        assert!(
            users
                .authenticate(&here.access_token)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            users
                .authenticate(&there.access_token)
                .await
                .unwrap()
                .is_none()
        );
    }
}
