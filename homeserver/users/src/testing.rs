//! Users on a store in memory, for the tests of this crate.

use std::ops::Deref;

use orvale_storage::Store;
use ruma::{OwnedUserId, UserId, server_name};

use crate::{Clock, Config, NewAccount, NewSession, Users, config};

/// The handle, and short ways to accounts and sessions.
pub(crate) struct TestUsers(Users);

impl Deref for TestUsers {
    type Target = Users;

    fn deref(&self) -> &Users {
        &self.0
    }
}

/// The cheapest hashes there are.
pub(crate) fn hasty_passwords() -> config::Passwords {
    config::Passwords {
        argon2_memory_kib: 8,
        argon2_iterations: 1,
        ..config::Passwords::default()
    }
}

pub(crate) fn users() -> TestUsers {
    users_with(Config::default())
}

pub(crate) fn users_with(config: Config) -> TestUsers {
    let config = Config {
        passwords: hasty_passwords(),
        ..config
    };
    let clock = Clock::held_at(1_700_000_000_000);
    TestUsers(
        Users::new(
            Store::in_memory(),
            server_name!("example.org"),
            config,
            clock,
        )
        .unwrap(),
    )
}

impl TestUsers {
    /// An account whose password is "the password".
    pub(crate) async fn account(&self, localpart: &str) -> OwnedUserId {
        let new = NewAccount {
            localpart: Some(localpart),
            password: Some("the password"),
            ..NewAccount::default()
        };
        self.create_account(new).await.unwrap()
    }

    /// A session with a new device.
    pub(crate) async fn session(&self, user_id: &UserId) -> NewSession {
        self.open_session(user_id, None, None, false).await.unwrap()
    }
}
