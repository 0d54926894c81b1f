//! Credentials of TURN servers.
//!
//! With a shared secret the user name says until when it is good and for whom, and the password is its HMAC, so that the TURN server can check both
//! without asking anybody: the "REST API" that coturn and others speak (draft-uberti-behave-turn-rest).

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ruma::{MilliSecondsSinceUnixEpoch, UserId};
use sha1::Sha1;

use crate::TurnConfig;

/// The TURN servers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Turn {
    config: Arc<TurnConfig>,
}

/// With what a client may use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// The servers.
    pub uris: Vec<String>,
    /// For how long this is good.
    pub lifetime: Duration,
}

impl Turn {
    /// These TURN servers.
    #[must_use]
    pub fn new(config: TurnConfig) -> Self {
        Self {
            config: Arc::new(config),
        }
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_available(&self) -> bool {
        !self.config.uris.is_empty()
    }

    /// What a user may use them with from now on; `None` where there are none.
    #[must_use]
    pub fn credentials(
        &self,
        user: &UserId,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Option<Credentials> {
        let TurnConfig {
            uris,
            shared_secret,
            lifetime_seconds,
            username,
            password,
        } = &*self.config;
        if uris.is_empty() {
            return None;
        }
        let (username, password) = match (shared_secret, username, password) {
            (Some(secret), ..) => {
                let until = u64::from(now.as_secs()).saturating_add(*lifetime_seconds);
                let username = format!("{until}:{user}");
                let password = sign(secret, &username);
                (username, password)
            }
            (None, Some(username), Some(password)) => (username.clone(), password.clone()),
            _ => return None,
        };
        Some(Credentials {
            username,
            password,
            uris: uris.clone(),
            lifetime: Duration::from_secs(*lifetime_seconds),
        })
    }
}

fn sign(secret: &str, username: &str) -> String {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use ruma::{UInt, user_id};

    use super::*;

    fn config() -> TurnConfig {
        TurnConfig {
            uris: vec!["turn:turn.example.org?transport=udp".to_owned()],
            ..TurnConfig::default()
        }
    }

    fn now() -> MilliSecondsSinceUnixEpoch {
        MilliSecondsSinceUnixEpoch(UInt::try_from(1_433_895_918_506_u64).unwrap())
    }

    #[test]
    fn credentials_say_until_when_and_are_signed() {
        let secret = Some("D0hV3vbJhi5QqB4u".to_owned());
        let turn = Turn::new(TurnConfig {
            shared_secret: secret.clone(),
            lifetime_seconds: 600,
            ..config()
        });
        let given = turn.credentials(user_id!("@alice:example.org"), now());
        let given = given.unwrap();
        assert_eq!(given.username, "1433896518:@alice:example.org");
        // As `openssl dgst -sha1 -hmac` says.
        assert_eq!(given.password, "zF78Eg9QQS0zAYt21AiEPwfVf8k=");
        assert_eq!(given.lifetime, Duration::from_secs(600));
    }

    #[test]
    fn a_fixed_name_and_password_are_given_as_they_are() {
        let turn = Turn::new(TurnConfig {
            username: Some("all".to_owned()),
            password: Some("of us".to_owned()),
            ..config()
        });
        let given = turn
            .credentials(user_id!("@alice:example.org"), now())
            .unwrap();
        assert_eq!((&*given.username, &*given.password), ("all", "of us"));
    }

    #[test]
    fn without_servers_there_is_nothing_to_give() {
        let turn = Turn::new(TurnConfig::default());
        assert!(!turn.is_available());
        assert_eq!(
            turn.credentials(user_id!("@alice:example.org"), now()),
            None
        );
    }

    #[test]
    fn impossible_settings_are_named() {
        let broken = |change: fn(&mut TurnConfig)| {
            let mut broken = TurnConfig {
                shared_secret: Some("s".to_owned()),
                ..config()
            };
            change(&mut broken);
            broken.check().unwrap_err().0
        };
        assert_eq!(broken(|c| c.uris[0] = "https://x".to_owned()), "uris");
        assert_eq!(broken(|c| c.lifetime_seconds = 0), "lifetime_seconds");
        assert_eq!(
            broken(|c| c.shared_secret = Some(String::new())),
            "shared_secret"
        );
        assert_eq!(broken(|c| c.shared_secret = None), "shared_secret");
        assert_eq!(broken(|c| c.password = Some("p".to_owned())), "username");
        assert_eq!(TurnConfig::default().check(), Ok(()));
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!(
            "{:?}",
            TurnConfig {
                shared_secret: Some("hush".to_owned()),
                ..config()
            }
        );
        assert!(!shown.contains("hush"));
    }
}
