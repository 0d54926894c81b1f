//! Logging in: from what a client shows to a session.

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{ACCOUNTS, PROFILES},
};
use ruma::{DeviceId, OwnedUserId, UserId, api::client::uiaa::UserIdentifier};

use crate::{AppserviceId, Error, NewAccount, Result, Standing, Users, accounts::localpart};

/// A user who logged in by a signed token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtLogin {
    /// The user.
    pub user_id: OwnedUserId,
    /// Whether the token brought another display name, which the user's rooms are to be told of.
    pub renamed: bool,
}

const REFUSED: Error = Error::LoginRefused("user name or password is wrong");

impl Users {
    /// The user with this name and password. Takes as long whether or not there is such a user.
    ///
    /// # Errors
    /// [`Error::LoginRefused`]; [`Error::Deactivated`] to who knows no password any more; storage.
    pub async fn log_in_by_password(
        &self,
        identifier: &UserIdentifier,
        password: &str,
    ) -> Result<OwnedUserId> {
        if !self.inner.config.passwords.enabled {
            return Err(Error::Forbidden(
                "this server does not let people log in by password",
            ));
        }
        let user_id = self.identified(identifier);
        let matches = match &user_id {
            Some(user_id) => self.password_matches(user_id, password).await?,
            None => self.inner.hasher.matches(password, None).await?,
        };
        match user_id {
            Some(user_id) if matches => Ok(user_id),
            // Deactivated accounts have no password left to check. That an account is deactivated is no secret: its
            // rooms saw it leave.
            Some(user_id) if self.is_deactivated(&user_id)? => Err(Error::Deactivated),
            _ => {
                metrics::counter!("orvale_users_logins_refused").increment(1);
                Err(REFUSED)
            }
        }
    }

    /// The user that a signed token of another system is about. An unknown one gets an account, if so configured.
    ///
    /// # Errors
    /// [`Error::LoginRefused`], [`Error::Forbidden`]; as [`Users::create_account`].
    pub async fn log_in_by_jwt(&self, token: &str) -> Result<JwtLogin> {
        let verifier = self.inner.jwt.as_ref();
        let verifier = verifier.ok_or(Error::Forbidden(
            "this server takes no signed tokens of other systems",
        ))?;
        let claims = verifier.verify(token)?;
        let user_id = self.user_id(&claims.localpart)?;
        match self.standing(&user_id)? {
            None if verifier.creates_accounts() => {
                localpart::check(&claims.localpart, self.server_name())?;
                let new = NewAccount {
                    localpart: Some(&claims.localpart),
                    display_name: claims.display_name.as_deref(),
                    email: claims.email.as_deref(),
                    ..NewAccount::default()
                };
                match self.create_account(new).await {
                    // Two logins at once are both welcome.
                    Ok(_) | Err(Error::UserInUse) => Ok(JwtLogin {
                        user_id,
                        renamed: false,
                    }),
                    Err(error) => Err(error),
                }
            }
            None => Err(Error::LoginRefused(
                "there is no account for you on this server",
            )),
            Some(Standing::Deactivated) => Err(Error::Deactivated),
            Some(_) => {
                let renamed = self
                    .take_over_claims(&user_id, claims.display_name, claims.email)
                    .await?;
                Ok(JwtLogin { user_id, renamed })
            }
        }
    }

    /// Whether a signed token is one of this user's, to confirm an operation with.
    pub(crate) fn jwt_is_of(&self, token: &str, user_id: &UserId) -> bool {
        let claims = self
            .inner
            .jwt
            .as_ref()
            .map(|verifier| verifier.verify(token));
        claims.is_some_and(|claims| {
            claims.is_ok_and(|claims| claims.localpart == user_id.localpart())
        })
    }

    /// Whether people can log in by signed tokens of another system.
    #[must_use]
    pub fn takes_jwt(&self) -> bool {
        self.inner.jwt.is_some()
    }

    /// The user that an application service logs in as.
    ///
    /// # Errors
    /// [`Error::Exclusive`] for a user that is not its own, [`Error::LoginRefused`] for one that is not registered; storage.
    pub fn log_in_by_appservice(
        &self,
        appservice: &AppserviceId,
        identifier: &UserIdentifier,
    ) -> Result<OwnedUserId> {
        let user_id = self.identified(identifier).ok_or(Error::Exclusive)?;
        let user_id = self.acts_as(appservice, Some(&user_id))?;
        match self.standing(&user_id)? {
            Some(Standing::Deactivated) => Err(Error::Deactivated),
            Some(_) => Ok(user_id),
            None => Err(Error::LoginRefused("this user is not registered")),
        }
    }

    /// Ends the session of a device, and the device with it.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn log_out(&self, user_id: &UserId, device_id: &DeviceId) -> Result<()> {
        self.delete_devices(user_id, &[device_id]).await
    }

    /// Ends all of a user's sessions and devices.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn log_out_all(&self, user_id: &UserId) -> Result<()> {
        let devices = self.devices(user_id)?;
        self.delete_devices(
            user_id,
            &devices
                .iter()
                .map(|device| &*device.device_id)
                .collect::<Vec<_>>(),
        )
        .await
    }

    /// Takes display name and e-mail address over from an issuer where they are others than it claimed before: a name that
    /// the user chose since then stays. Returns whether the display name changed.
    async fn take_over_claims(
        &self,
        user_id: &UserId,
        display_name: Option<String>,
        email: Option<String>,
    ) -> Result<bool> {
        let localpart = self.localpart(user_id)?;
        let now = self.now();
        self.write_at(1, |places| {
            let before = self
                .store()
                .get(&ACCOUNTS, (localpart,))?
                .ok_or(Error::NoSuchUser)?;
            let mut after = before.clone();
            if let Some(address) = email.as_deref().map(str::to_lowercase)
                && before.email.as_ref().map(|(known, _)| known) != Some(&address)
            {
                after.email = Some((address, now));
            }
            let renamed = display_name.is_some() && display_name != before.claimed_name;
            if renamed {
                after.claimed_name.clone_from(&display_name);
            }
            let mut batch = Batch::new();
            if after == before {
                return Ok((batch, false));
            }
            batch.expect(&ACCOUNTS, (localpart,), Some(&before)).put(
                &ACCOUNTS,
                (localpart,),
                &after,
            );
            if renamed {
                batch.log(Entry::Profile {
                    user_id: user_id.to_string(),
                });
                let known = self.store().get(&PROFILES, (localpart,))?;
                let mut profile = known.clone().unwrap_or_default();
                let name =
                    JsonText::of(&display_name).map_err(|e| Error::Internal(e.to_string()))?;
                profile.fields.insert("displayname".to_owned(), name);
                profile.at = places.at(0);
                batch.expect(&PROFILES, (localpart,), known.as_ref()).put(
                    &PROFILES,
                    (localpart,),
                    &profile,
                );
            }
            Ok((batch, renamed))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use ruma::{api::client::uiaa::MatrixUserIdentifier, user_id};
    use serde_json::json;

    use super::*;
    use crate::{
        Config, config,
        testing::{users, users_with},
    };

    fn named(name: &str) -> UserIdentifier {
        UserIdentifier::Matrix(MatrixUserIdentifier::new(name.to_owned()))
    }

    #[tokio::test]
    async fn name_and_password_have_to_fit() {
        let users = users();
        let alice = users.account("alice").await;
        for name in ["alice", "Alice", "@alice:example.org"] {
            assert_eq!(
                users
                    .log_in_by_password(&named(name), "the password")
                    .await
                    .unwrap(),
                alice
            );
        }
        for (name, password) in [
            ("alice", "wrong"),
            ("bob", "the password"),
            ("@alice:elsewhere.org", "the password"),
        ] {
            let refused = users.log_in_by_password(&named(name), password).await;
            assert!(
                refused.err().unwrap().is_failed_attempt(),
                "{name} {password}"
            );
        }
        let email = UserIdentifier::third_party_id("email".into(), "alice@example.org".to_owned());
        assert!(matches!(
            users.log_in_by_password(&email, "the password").await,
            Err(Error::LoginRefused(_))
        ));
        users.deactivate(&alice, false).await.unwrap();
        let gone = users
            .log_in_by_password(&named("alice"), "the password")
            .await;
        assert!(matches!(gone, Err(Error::Deactivated)));
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn with_jwt(create_accounts: bool) -> Config {
        let key = config::JwtKey {
            algorithm: "HS256".to_owned(),
            id: None,
            secret: Some(SECRET.to_owned()),
            public_key: None,
            public_key_file: None,
        };
        let jwt = config::Jwt {
            keys: vec![key],
            issuers: Vec::new(),
            audiences: Vec::new(),
            localpart_claim: "sub".to_owned(),
            display_name_claim: Some("name".to_owned()),
            email_claim: Some("email".to_owned()),
            create_accounts,
            leeway_seconds: 0,
        };
        Config {
            jwt: Some(jwt),
            ..Config::default()
        }
    }

    fn token(sub: &str, name: &str) -> String {
        let claims = json!({ "sub": sub, "name": name, "email": "Jane@Example.org", "exp": 9_000_000_000_u64 });
        encode(
            &Header::default(),
            &claims,
            &EncodingKey::from_secret(SECRET.as_bytes()),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn a_signed_token_makes_an_account_once_and_carries_the_name() {
        let users = users_with(with_jwt(true));
        let (first, again) = (token("Jane", "Jane Doe"), token("Jane", "Jane Doe"));
        let (a, b) = tokio::join!(users.log_in_by_jwt(&first), users.log_in_by_jwt(&again));
        let jane = a.unwrap().user_id;
        assert_eq!(jane, b.unwrap().user_id);
        assert_eq!(jane, user_id!("@jane:example.org"));
        assert_eq!(
            users.display_name(&jane).unwrap().as_deref(),
            Some("Jane Doe")
        );
        assert_eq!(users.email(&jane).unwrap().unwrap().0, "jane@example.org");
    }

    #[tokio::test]
    async fn a_name_changes_with_the_claim_and_not_with_every_login() {
        let users = users_with(with_jwt(true));
        let jane = users
            .log_in_by_jwt(&token("jane", "Jane Doe"))
            .await
            .unwrap()
            .user_id;
        users
            .set_profile_field(&jane, "displayname", json!("Janey"))
            .await
            .unwrap();
        assert!(
            !users
                .log_in_by_jwt(&token("jane", "Jane Doe"))
                .await
                .unwrap()
                .renamed
        );
        assert_eq!(users.display_name(&jane).unwrap().as_deref(), Some("Janey"));
        assert!(
            users
                .log_in_by_jwt(&token("jane", "Jane Roe"))
                .await
                .unwrap()
                .renamed
        );
        assert_eq!(
            users.display_name(&jane).unwrap().as_deref(),
            Some("Jane Roe")
        );
    }

    #[tokio::test]
    async fn accounts_are_made_only_if_configured() {
        let users = users_with(with_jwt(false));
        let refused = users.log_in_by_jwt(&token("jane", "Jane")).await;
        assert!(matches!(refused, Err(Error::LoginRefused(_))));
        let jane = users.account("jane").await;
        assert_eq!(
            users
                .log_in_by_jwt(&token("jane", "Jane"))
                .await
                .unwrap()
                .user_id,
            jane
        );
        users.deactivate(&jane, false).await.unwrap();
        assert!(matches!(
            users.log_in_by_jwt(&token("jane", "Jane")).await,
            Err(Error::Deactivated)
        ));
    }
}
