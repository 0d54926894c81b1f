//! Accounts made by tools that know the server's registration secret, as Synapse's `/_synapse/admin/v1/register` has it.

use std::{collections::BTreeMap, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use ruma::OwnedUserId;
use sha1::Sha1;

use super::NewAccount;
use crate::{Error, Result, Users, clock::milliseconds, sessions::tokens};

/// How long a nonce is valid.
const NONCE_LIFE: Duration = Duration::from_secs(60);
/// How many nonces are kept; the oldest go first.
const NONCES: usize = 1000;

/// A request to make an account, signed with the registration secret.
#[derive(Debug, Clone)]
pub struct SharedSecretRegistration<'a> {
    /// A nonce that we gave out.
    pub nonce: &'a str,
    /// The localpart.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// Whether it may use the admin APIs.
    pub admin: bool,
    /// A user type, which Orvale has no use for but which is signed too.
    pub user_type: Option<&'a str>,
    /// The display name it starts with.
    pub display_name: Option<&'a str>,
    /// The signature: HMAC-SHA1 in hexadecimal digits.
    pub mac: &'a str,
}

/// The nonces given out, by when they expire.
#[derive(Default)]
pub(crate) struct Nonces(Mutex<BTreeMap<String, u64>>);

impl Nonces {
    fn give(&self, now: u64) -> String {
        let nonce = tokens::random_hex(64);
        let mut given = self.0.lock();
        given.retain(|_, expires_at| now < *expires_at);
        if given.len() >= NONCES
            && let Some(oldest) = given
                .iter()
                .min_by_key(|(_, expires_at)| **expires_at)
                .map(|(nonce, _)| nonce.clone())
        {
            given.remove(&oldest);
        }
        given.insert(nonce.clone(), now + milliseconds(NONCE_LIFE));
        nonce
    }

    /// Whether the nonce was valid; it is no more.
    fn take(&self, nonce: &str, now: u64) -> bool {
        self.0
            .lock()
            .remove(nonce)
            .is_some_and(|expires_at| now < expires_at)
    }
}

impl Users {
    /// A nonce for one registration with the shared secret.
    ///
    /// # Errors
    /// [`Error::RegistrationClosed`] if the server has no such secret.
    pub fn registration_nonce(&self) -> Result<String> {
        self.registration_secret()?;
        Ok(self.inner.nonces.give(self.now()))
    }

    /// Makes an account for a tool that knows the registration secret.
    ///
    /// # Errors
    /// [`Error::RegistrationClosed`] without a secret, [`Error::InvalidParam`] for a nonce that is not ours,
    /// [`Error::Forbidden`] for a wrong signature; as [`Users::create_account`].
    pub async fn register_with_secret(
        &self,
        request: SharedSecretRegistration<'_>,
    ) -> Result<OwnedUserId> {
        let secret = self.registration_secret()?;
        for text in [
            Some(request.username),
            Some(request.password),
            request.user_type,
        ]
        .into_iter()
        .flatten()
        {
            // The signature separates fields by NUL: one inside would let two requests have one signature.
            if text.contains('\0') {
                return Err(Error::InvalidParam(
                    "user name, password and user type hold no NUL".to_owned(),
                ));
            }
        }
        if !self.inner.nonces.take(request.nonce, self.now()) {
            return Err(Error::InvalidParam(
                "this nonce is unknown, used or expired".to_owned(),
            ));
        }
        let signature = hex(request.mac).ok_or(Error::Forbidden("the HMAC is not hexadecimal"))?;
        mac(secret, &request)
            .verify_slice(&signature)
            .map_err(|_| Error::Forbidden("the HMAC is wrong"))?;
        self.create_account(NewAccount {
            localpart: Some(&request.username.to_lowercase()),
            password: Some(request.password),
            admin: request.admin,
            display_name: request.display_name,
            ..NewAccount::default()
        })
        .await
    }

    fn registration_secret(&self) -> Result<&str> {
        self.inner
            .config
            .registration
            .shared_secret
            .as_deref()
            .ok_or(Error::RegistrationClosed)
    }
}

fn mac(secret: &str, request: &SharedSecretRegistration<'_>) -> Hmac<Sha1> {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    let admin = if request.admin { "admin" } else { "notadmin" };
    let mut fields = vec![request.nonce, request.username, request.password, admin];
    fields.extend(request.user_type);
    mac.update(fields.join("\0").as_bytes());
    mac
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, testing::users_with};

    fn config() -> Config {
        let mut config = Config::default();
        config.registration.shared_secret = Some("shared".to_owned());
        config
    }

    fn request<'a>(nonce: &'a str, mac: &'a str) -> SharedSecretRegistration<'a> {
        SharedSecretRegistration {
            nonce,
            username: "pepper_roni",
            password: "pizza pizza",
            admin: true,
            user_type: None,
            display_name: None,
            mac,
        }
    }

    fn signed(nonce: &str) -> String {
        let bytes = mac("shared", &request(nonce, "")).finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_signature_is_that_of_synapse() {
        // printf 'thisisanonce\0pepper_roni\0pizza pizza\0admin' | openssl sha1 -hmac shared
        assert_eq!(
            signed("thisisanonce"),
            "fc1f8c7fd14160bcf7775acf6d0b7e5e8c29e8f3"
        );
    }

    #[tokio::test]
    async fn whoever_knows_the_secret_makes_an_account_with_each_nonce_once() {
        let users = users_with(config());
        let nonce = users.registration_nonce().unwrap();
        let mac = signed(&nonce);
        let user_id = users
            .register_with_secret(request(&nonce, &mac))
            .await
            .unwrap();
        assert!(users.is_admin(&user_id).unwrap());
        let again = users.register_with_secret(request(&nonce, &mac)).await;
        assert!(matches!(again, Err(Error::InvalidParam(_))));
    }

    #[tokio::test]
    async fn a_wrong_signature_an_old_nonce_and_a_server_without_secret_refuse() {
        let users = users_with(config());
        let nonce = users.registration_nonce().unwrap();
        for wrong in ["", "abc", "zz", &"0".repeat(40)] {
            let nonce = users.registration_nonce().unwrap();
            let refused = users.register_with_secret(request(&nonce, wrong)).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{wrong}");
        }
        users.clock().advance(NONCE_LIFE);
        let late = users
            .register_with_secret(request(&nonce, &signed(&nonce)))
            .await;
        assert!(matches!(late, Err(Error::InvalidParam(_))));
        let closed = users_with(Config::default()).registration_nonce();
        assert!(matches!(closed, Err(Error::RegistrationClosed)));
    }
}
