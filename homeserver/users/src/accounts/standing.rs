//! What administrators decide about an account, and what others may ask of it.

use orvale_storage::{
    Batch,
    trees::users::{ACCOUNTS, Account, DEVICES},
};
use ruma::UserId;

use crate::{Error, Result, Users, sessions::tokens::Hash};

/// How an account stands. Of several that apply, the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may do everything.
    Active,
    /// It may read, log in and out, leave rooms, and little else.
    Suspended,
    /// It may only log out. Its sessions stay.
    Locked,
    /// It is gone for good.
    Deactivated,
}

impl From<&Account> for Standing {
    fn from(account: &Account) -> Self {
        match account {
            Account {
                deactivated: Some(_),
                ..
            } => Self::Deactivated,
            Account { locked: true, .. } => Self::Locked,
            Account {
                suspended: true, ..
            } => Self::Suspended,
            _ => Self::Active,
        }
    }
}

impl Users {
    /// How an account stands; `None` if there is none.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn standing(&self, user_id: &UserId) -> Result<Option<Standing>> {
        Ok(self.account(user_id)?.as_ref().map(Standing::from))
    }

    /// Whether an account is deactivated.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn is_deactivated(&self, user_id: &UserId) -> Result<bool> {
        Ok(self.standing(user_id)? == Some(Standing::Deactivated))
    }

    /// Whether an account was deactivated with the wish to have its content erased: later readers of its events get them
    /// redacted. Answered from memory.
    #[must_use]
    pub fn is_erased(&self, user_id: &UserId) -> bool {
        self.inner.erased.has(user_id.localpart()) && self.is_local(user_id)
    }

    /// Whether an account may use the admin APIs.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn is_admin(&self, user_id: &UserId) -> Result<bool> {
        Ok(self.account(user_id)?.is_some_and(|account| account.admin))
    }

    /// Whether an account is a guest's.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn is_guest(&self, user_id: &UserId) -> Result<bool> {
        Ok(self.account(user_id)?.is_some_and(|account| account.guest))
    }

    /// Whether an account is an application service's: its own or one that it speaks through.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn is_appservice(&self, user_id: &UserId) -> Result<bool> {
        Ok(self
            .account(user_id)?
            .is_some_and(|account| account.appservice.is_some()))
    }

    /// Lets an account use the admin APIs, or no more.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; storage.
    pub async fn set_admin(&self, user_id: &UserId, admin: bool) -> Result<()> {
        self.change_account(self.localpart(user_id)?, |account| account.admin = admin)
            .await?;
        self.tell_permissions(user_id).await
    }

    /// Whether an account is locked, whatever else it is.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; storage.
    pub fn is_locked(&self, user_id: &UserId) -> Result<bool> {
        Ok(self.account(user_id)?.ok_or(Error::NoSuchUser)?.locked)
    }

    /// Locks an account, or unlocks it.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; storage.
    pub async fn set_locked(&self, user_id: &UserId, locked: bool) -> Result<()> {
        self.change_account(self.localpart(user_id)?, |account| account.locked = locked)
            .await
    }

    /// Whether an account is suspended, whatever else it is.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; storage.
    pub fn is_suspended(&self, user_id: &UserId) -> Result<bool> {
        Ok(self.account(user_id)?.ok_or(Error::NoSuchUser)?.suspended)
    }

    /// Suspends an account, or lifts that.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; storage.
    pub async fn set_suspended(&self, user_id: &UserId, suspended: bool) -> Result<()> {
        self.change_account(self.localpart(user_id)?, |account| {
            account.suspended = suspended;
        })
        .await
    }

    /// The e-mail address of an account and when it was vouched for.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn email(&self, user_id: &UserId) -> Result<Option<(String, u64)>> {
        Ok(self.account(user_id)?.and_then(|account| account.email))
    }

    pub(crate) fn account(&self, user_id: &UserId) -> Result<Option<Account>> {
        Ok(self.store().get(&ACCOUNTS, (self.localpart(user_id)?,))?)
    }

    /// Changes an account and drops the copies of it that sessions hold.
    pub(crate) async fn change_account(
        &self,
        localpart: &str,
        change: impl Fn(&mut Account),
    ) -> Result<()> {
        self.write(|| {
            let before = self
                .store()
                .get(&ACCOUNTS, (localpart,))?
                .ok_or(Error::NoSuchUser)?;
            let mut after = before.clone();
            change(&mut after);
            let mut batch = Batch::new();
            if after != before {
                batch.expect(&ACCOUNTS, (localpart,), Some(&before)).put(
                    &ACCOUNTS,
                    (localpart,),
                    &after,
                );
            }
            Ok((batch, ()))
        })
        .await?;
        let devices = self.store().prefix(&DEVICES, (localpart,), usize::MAX)?;
        let pairs = devices.iter().flat_map(|(_, device)| &device.pairs);
        let hashes = pairs.map(|pair| Hash(pair.access)).collect::<Vec<_>>();
        self.inner.sessions.forget(&hashes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn sessions_show_at_once_how_the_account_stands() {
        let users = users();
        let alice = users.account("alice").await;
        let session = users.session(&alice).await;
        let standing = async || {
            users
                .authenticate(&session.access_token)
                .await
                .unwrap()
                .unwrap()
                .standing
        };
        assert_eq!(standing().await, Standing::Active);
        users.set_suspended(&alice, true).await.unwrap();
        assert_eq!(standing().await, Standing::Suspended);
        users.set_locked(&alice, true).await.unwrap();
        assert_eq!(standing().await, Standing::Locked);
        users.set_locked(&alice, false).await.unwrap();
        assert_eq!(standing().await, Standing::Suspended);
    }
}
