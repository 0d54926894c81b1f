//! What the organisation lets an account do: the settings say it, the account's clients read it among their account data.
//!
//! Whoever may everything has no such account data, so that a server that withholds nothing writes nothing.

use orvale_policy::Permission;
use orvale_storage::{record::JsonText, trees::users::ACCOUNTS};
use ruma::UserId;
use serde_json::json;

use crate::{Error, Result, Users};

/// Permissions show as this type of account data: `schemas/events/com.orvale.permissions.schema.json`.
pub const PERMISSIONS_TYPE: &str = "com.orvale.permissions";

impl Users {
    /// Whether a user may do something. Administrators may everything, and so may application services, which have their own rules.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn permits(&self, user_id: &UserId, permission: Permission) -> Result<bool> {
        if self.config().permissions.grant(user_id, permission) {
            return Ok(true);
        }
        let account = self.account(user_id)?;
        Ok(account.is_some_and(|account| account.admin || account.appservice.is_some()))
    }

    /// Writes down what an account may, if that is not what is written already.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub(crate) async fn tell_permissions(&self, user_id: &UserId) -> Result<()> {
        let written = self.account_data(user_id, None, PERMISSIONS_TYPE)?;
        if written.is_none() && !self.config().permissions.withhold_something() {
            return Ok(());
        }
        let mut granted = Vec::new();
        for permission in Permission::ALL {
            if self.permits(user_id, permission)? {
                granted.push(permission.name());
            }
        }
        let is_all = granted.len() == Permission::ALL.len();
        match (written, is_all) {
            (None, true) => Ok(()),
            (Some(_), true) => self.clear_account_data(user_id, PERMISSIONS_TYPE).await,
            (_, false) => {
                let content = JsonText::of(&json!({ "permissions": granted }))
                    .map_err(|error| Error::Internal(error.to_string()))?;
                self.change_account_data(user_id, None, PERMISSIONS_TYPE, |_| Ok(content.clone()))
                    .await
            }
        }
    }

    /// The same for all accounts, as the settings may be others than when the server ran last.
    ///
    /// # Errors
    /// Storage.
    pub async fn tell_all_permissions(&self) -> Result<()> {
        let mut people = Vec::new();
        self.store()
            .for_each(&ACCOUNTS, (), |(localpart,), account| {
                if account.deactivated.is_none() {
                    people.push(localpart);
                }
                Ok::<_, Error>(())
            })?;
        for localpart in people {
            // One of an older server that no user ID can be made of has no client to tell.
            if let Ok(user_id) = self.user_id(&localpart) {
                self.tell_permissions(&user_id).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orvale_policy::{Grant, Permissions};
    use ruma::owned_user_id;

    use super::*;
    use crate::{Config, testing::users_with};

    fn strict() -> Config {
        let permissions = Permissions {
            everybody: vec![Permission::CreateDirect],
            more: vec![Grant {
                users: vec![owned_user_id!("@bob:example.org")],
                permissions: vec![Permission::SendFiles],
            }],
        };
        Config {
            permissions,
            ..Config::default()
        }
    }

    fn told(users: &Users, user_id: &UserId) -> Option<String> {
        let told = users.account_data(user_id, None, PERMISSIONS_TYPE);
        told.unwrap().map(|content| content.0)
    }

    #[tokio::test]
    async fn who_may_not_everything_is_told_what_they_may() {
        let users = users_with(strict());
        let (alice, bob) = (users.account("alice").await, users.account("bob").await);
        let alone = r#"{"permissions":["chat.create_direct"]}"#;
        assert_eq!(told(&users, &alice).as_deref(), Some(alone));
        let more = r#"{"permissions":["chat.create_direct","chat.send_files"]}"#;
        assert_eq!(told(&users, &bob).as_deref(), Some(more));
        assert!(!users.permits(&alice, Permission::SendFiles).unwrap());
        assert!(users.permits(&bob, Permission::SendFiles).unwrap());
        users.set_admin(&alice, true).await.unwrap();
        assert_eq!(told(&users, &alice), None);
        assert!(users.permits(&alice, Permission::CreateChannels).unwrap());
        users.set_admin(&alice, false).await.unwrap();
        assert_eq!(told(&users, &alice).as_deref(), Some(alone));
        let set = users.set_account_data(&alice, None, PERMISSIONS_TYPE, "{}");
        assert!(matches!(set.await, Err(Error::ManagedAccountData(_))));
        let removed = users.remove_account_data(&alice, None, PERMISSIONS_TYPE);
        assert!(matches!(removed.await, Err(Error::ManagedAccountData(_))));
    }

    #[test]
    fn the_example_of_the_schema_has_names_that_there_are() {
        let example = include_str!("../../../schemas/events/com.orvale.permissions.example.json");
        let example: serde_json::Value = serde_json::from_str(example).unwrap();
        for name in example["permissions"].as_array().unwrap() {
            let is_known = Permission::ALL.iter().any(|known| name == known.name());
            assert!(is_known, "{name}");
        }
    }

    #[tokio::test]
    async fn other_settings_are_told_when_the_server_starts() {
        let users = users_with(Config::default());
        let alice = users.account("alice").await;
        assert_eq!(told(&users, &alice), None);
        let restarted = |config| {
            let (store, clock) = (users.store().clone(), users.clock().clone());
            Users::new(store, users.server_name(), config, clock).unwrap()
        };
        let strict = restarted(strict());
        strict.tell_all_permissions().await.unwrap();
        assert!(told(&strict, &alice).is_some());
        let open = restarted(Config::default());
        open.tell_all_permissions().await.unwrap();
        assert_eq!(told(&open, &alice), None);
    }
}
