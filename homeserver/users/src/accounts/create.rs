//! Making accounts.

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{ACCOUNTS, Account, PROFILES, Profile},
};
use ruma::{OwnedUserId, UserId, api::client::uiaa::UserIdentifier};

use super::{appservices::AppserviceId, localpart};
use crate::{Error, Result, Users, config::RegistrationMode};

/// An account to be made.
#[derive(Debug, Clone, Default)]
pub struct NewAccount<'a> {
    /// The localpart; a random one if none.
    pub localpart: Option<&'a str>,
    /// The password; none, and nobody can log in by password.
    pub password: Option<&'a str>,
    /// Whether it may use the admin APIs.
    pub admin: bool,
    /// Whether it is a guest's.
    pub guest: bool,
    /// The application service that makes it.
    pub appservice: Option<AppserviceId>,
    /// The display name it starts with.
    pub display_name: Option<&'a str>,
    /// The e-mail address that a trusted issuer vouched for.
    pub email: Option<&'a str>,
    /// The registration token it is paid with.
    pub registration_token: Option<&'a str>,
}

impl Users {
    /// Makes an account; of two that want the same localpart, one gets it.
    ///
    /// # Errors
    /// [`Error::UserInUse`], [`Error::InvalidUsername`], [`Error::Exclusive`], [`Error::WeakPassword`],
    /// [`Error::LoginRefused`] if the registration token is used up; storage.
    pub async fn create_account(&self, new: NewAccount<'_>) -> Result<OwnedUserId> {
        let chosen = new
            .localpart
            .map_or_else(localpart::random, ToOwned::to_owned);
        self.check_new(&chosen, new.appservice.as_ref())?;
        let user_id = self.user_id(&chosen)?;
        let now = self.now();
        let account = Account {
            created_at: now,
            password: match new.password {
                Some(password) => Some(self.inner.hasher.hash(password).await?),
                None => None,
            },
            admin: new.admin,
            guest: new.guest,
            appservice: new.appservice.as_ref().map(ToString::to_string),
            locked: false,
            suspended: false,
            deactivated: None,
            email: new.email.map(|address| (address.to_lowercase(), now)),
            claimed_name: new.display_name.map(ToOwned::to_owned),
        };
        self.write(|| {
            if self.store().contains(&ACCOUNTS, (&chosen,))? {
                return Err(Error::UserInUse);
            }
            let mut batch = Batch::new();
            batch.expect::<_, Account>(&ACCOUNTS, (&chosen,), None).put(
                &ACCOUNTS,
                (&chosen,),
                &account,
            );
            if let Some(name) = new.display_name {
                let name = JsonText::of(&name).map_err(|e| Error::Internal(e.to_string()))?;
                let mut profile = Profile::default();
                profile.fields.insert("displayname".to_owned(), name);
                batch.put(&PROFILES, (&chosen,), &profile);
            }
            // Also of one without a name: there is somebody new.
            batch.log(Entry::Profile {
                user_id: user_id.to_string(),
            });
            if let Some(token) = new.registration_token {
                self.pay_with(token, &mut batch)?;
            }
            Ok((batch, ()))
        })
        .await?;
        self.tell_permissions(&user_id).await?;
        metrics::counter!("orvale_users_accounts_created").increment(1);
        tracing::info!(%user_id, admin = new.admin, guest = new.guest, "account created");
        Ok(user_id)
    }

    /// Whether a localpart could be registered by somebody now.
    ///
    /// # Errors
    /// [`Error::UserInUse`], [`Error::InvalidUsername`], [`Error::Exclusive`]: it could not; storage.
    pub fn check_available(&self, localpart: &str) -> Result<()> {
        self.check_new(localpart, None)
    }

    /// As [`Users::check_available`], for an account that an application service makes, if any does.
    ///
    /// # Errors
    /// As [`Users::check_available`].
    pub fn check_new(&self, localpart: &str, appservice: Option<&AppserviceId>) -> Result<()> {
        localpart::check(localpart, self.server_name())?;
        self.inner
            .appservices
            .check_claim(&self.user_id(localpart)?, appservice)?;
        if self.store().contains(&ACCOUNTS, (localpart,))? {
            Err(Error::UserInUse)
        } else {
            Ok(())
        }
    }

    /// Whether people may register, and with what.
    #[must_use]
    pub fn registration_mode(&self) -> RegistrationMode {
        self.inner.config.registration.mode
    }

    /// Whether there is such an account here, deactivated or not.
    ///
    /// # Errors
    /// Storage.
    pub fn exists(&self, user_id: &UserId) -> Result<bool> {
        Ok(self.is_local(user_id) && self.store().contains(&ACCOUNTS, (user_id.localpart(),))?)
    }

    /// The user that an identifier of a login or of user-interactive authentication names. `None` if that is no user of
    /// this server, or somebody's third-party identifier; there may be no such account.
    #[must_use]
    pub fn identified(&self, identifier: &UserIdentifier) -> Option<OwnedUserId> {
        match identifier {
            UserIdentifier::Matrix(matrix) => self.named(&matrix.user),
            _ => None,
        }
    }

    /// The user of this server with this user ID or localpart.
    #[must_use]
    pub fn named(&self, user_id_or_localpart: &str) -> Option<OwnedUserId> {
        // Localparts of old accounts may hold anything, upper case too; new ones are lower case, and people type
        // capitals. So the exact name wins where it exists.
        let parse = |name: &str| UserId::parse_with_server_name(name, self.server_name()).ok();
        let exact = parse(user_id_or_localpart)?;
        let exact_exists = self.exists(&exact).unwrap_or(false);
        let found = if exact_exists {
            exact
        } else {
            parse(&user_id_or_localpart.to_lowercase())?
        };
        self.is_local(&found).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn a_localpart_is_given_once() {
        let users = users();
        let new = || NewAccount {
            localpart: Some("alice"),
            ..NewAccount::default()
        };
        let (a, b, c) = tokio::join!(
            users.create_account(new()),
            users.create_account(new()),
            users.create_account(new()),
        );
        assert_eq!([&a, &b, &c].iter().filter(|r| r.is_ok()).count(), 1);
        assert_eq!(
            [a, b, c]
                .iter()
                .filter(|r| matches!(r, Err(Error::UserInUse)))
                .count(),
            2
        );
        assert!(matches!(
            users.check_available("alice"),
            Err(Error::UserInUse)
        ));
        assert!(users.check_available("bob").is_ok());
    }

    #[tokio::test]
    async fn whoever_chooses_no_name_gets_one() {
        let users = users();
        let user_id = users.create_account(NewAccount::default()).await.unwrap();
        assert!(users.exists(&user_id).unwrap());
    }

    #[tokio::test]
    async fn people_are_found_by_id_and_by_localpart_in_any_case() {
        let users = users();
        let alice = users.account("alice").await;
        for name in ["alice", "Alice", "@alice:example.org", "@ALICE:example.org"] {
            assert_eq!(users.named(name).as_ref(), Some(&alice), "{name}");
        }
        assert_eq!(users.named("@alice:elsewhere.org"), None);
        assert_eq!(users.named("@alice"), None);
    }

    #[tokio::test]
    async fn a_used_up_registration_token_makes_no_account() {
        let users = users();
        users
            .create_registration_token(Some("once"), Some(1), None)
            .await
            .unwrap();
        let new = |localpart| NewAccount {
            localpart: Some(localpart),
            registration_token: Some("once"),
            ..NewAccount::default()
        };
        let (a, b) = tokio::join!(
            users.create_account(new("a")),
            users.create_account(new("b"))
        );
        assert!(a.is_ok() != b.is_ok());
        users.clock().advance(Duration::from_secs(1));
        assert!(matches!(
            users.create_account(new("c")).await,
            Err(Error::LoginRefused(_))
        ));
        assert!(users.check_available("c").is_ok());
    }
}
