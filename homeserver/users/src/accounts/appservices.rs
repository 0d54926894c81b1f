//! Application services, as far as accounts go: who they are, and which users are theirs.

use std::fmt;

use regex::Regex;
use ruma::{OwnedUserId, ServerName, UserId};

use crate::{Error, NewAccount, Result, Users, config, sessions::tokens::Hash};

/// The ID of an application service that has shown its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppserviceId(String);

impl fmt::Display for AppserviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub(crate) struct Appservices(Vec<Known>);

struct Known {
    id: String,
    token: Hash,
    sender: OwnedUserId,
    users: Vec<(Regex, bool)>,
}

impl Appservices {
    pub(crate) fn new(configured: &[config::Appservice], server_name: &ServerName) -> Result<Self> {
        configured
            .iter()
            .map(|appservice| Known::new(appservice, server_name))
            .collect::<Result<_>>()
            .map(Self)
    }

    fn by_token(&self, token: &Hash) -> Option<&Known> {
        self.0.iter().find(|known| known.token == *token)
    }

    fn get(&self, id: &AppserviceId) -> Option<&Known> {
        self.0.iter().find(|known| known.id == id.0)
    }

    /// Whether this application service (none: a person) may make this user.
    pub(super) fn check_claim(
        &self,
        user_id: &UserId,
        appservice: Option<&AppserviceId>,
    ) -> Result<()> {
        let theirs = self
            .0
            .iter()
            .any(|known| known.has(user_id, true) && appservice.is_none_or(|id| known.id != id.0));
        let ours =
            appservice.is_none_or(|id| self.get(id).is_some_and(|known| known.has(user_id, false)));
        if theirs || !ours {
            Err(Error::Exclusive)
        } else {
            Ok(())
        }
    }
}

impl Known {
    fn new(appservice: &config::Appservice, server_name: &ServerName) -> Result<Self> {
        let refused = |reason: String| Error::Config {
            key: "appservices",
            reason: format!("{}: {reason}", appservice.id),
        };
        let sender =
            UserId::parse_with_server_name(appservice.sender_localpart.as_str(), server_name);
        let users = appservice.users.iter().map(|namespace| {
            // Namespaces match from the start of the ID, as in other servers; whether to its end is the expression's say.
            let regex = Regex::new(&format!("^(?:{})", namespace.regex))
                .map_err(|e| refused(e.to_string()))?;
            Ok((regex, namespace.exclusive))
        });
        Ok(Self {
            id: appservice.id.clone(),
            token: Hash::of(&appservice.as_token),
            sender: sender.map_err(|e| refused(e.to_string()))?,
            users: users.collect::<Result<_>>()?,
        })
    }

    fn has(&self, user_id: &UserId, exclusively: bool) -> bool {
        *user_id == self.sender
            || self.users.iter().any(|(regex, exclusive)| {
                (*exclusive || !exclusively) && regex.is_match(user_id.as_str())
            })
    }
}

impl Users {
    /// Makes the accounts of the application services' own users, where they are not there yet. Called when the server starts.
    ///
    /// # Errors
    /// As [`Users::create_account`].
    pub async fn register_appservices(&self) -> Result<()> {
        for known in &self.inner.appservices.0 {
            let new = NewAccount {
                localpart: Some(known.sender.localpart()),
                appservice: Some(AppserviceId(known.id.clone())),
                ..NewAccount::default()
            };
            match self.create_account(new).await {
                Ok(_) | Err(Error::UserInUse) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The application service that shows this token.
    #[must_use]
    pub fn appservice(&self, as_token: &str) -> Option<AppserviceId> {
        self.inner
            .appservices
            .by_token(&Hash::of(as_token))
            .map(|known| AppserviceId(known.id.clone()))
    }

    /// The user that an application service acts as: the one it names, or its own.
    ///
    /// # Errors
    /// [`Error::Exclusive`] if the user is not in its namespaces.
    pub fn acts_as(
        &self,
        appservice: &AppserviceId,
        user_id: Option<&UserId>,
    ) -> Result<OwnedUserId> {
        let known = self
            .inner
            .appservices
            .get(appservice)
            .ok_or(Error::UnknownToken)?;
        match user_id {
            None => Ok(known.sender.clone()),
            Some(user_id) if self.is_local(user_id) && known.has(user_id, false) => {
                Ok(user_id.to_owned())
            }
            Some(_) => Err(Error::Exclusive),
        }
    }
}

#[cfg(test)]
mod tests {
    use ruma::user_id;

    use super::*;
    use crate::{Config, testing::users_with};

    fn bridge() -> Config {
        let namespace = config::Namespace {
            exclusive: true,
            regex: "@irc_.*".to_owned(),
        };
        let shared = config::Namespace {
            exclusive: false,
            regex: "@bot_.*".to_owned(),
        };
        Config {
            appservices: vec![config::Appservice {
                id: "irc".to_owned(),
                as_token: "as token".to_owned(),
                sender_localpart: "ircbot".to_owned(),
                users: vec![namespace, shared],
            }],
            ..Config::default()
        }
    }

    #[tokio::test]
    async fn exclusive_users_are_the_application_services_alone() {
        let users = users_with(bridge());
        assert!(matches!(
            users.check_available("irc_bob"),
            Err(Error::Exclusive)
        ));
        assert!(matches!(
            users.check_available("ircbot"),
            Err(Error::Exclusive)
        ));
        assert!(users.check_available("bot_bob").is_ok());
        let irc = users.appservice("as token").unwrap();
        assert!(users.check_new("irc_bob", Some(&irc)).is_ok());
        assert!(matches!(
            users.check_new("bob", Some(&irc)),
            Err(Error::Exclusive)
        ));
        let new = NewAccount {
            localpart: Some("irc_bob"),
            appservice: Some(irc.clone()),
            ..NewAccount::default()
        };
        let bob = users.create_account(new).await.unwrap();
        assert_eq!(users.acts_as(&irc, Some(&bob)).unwrap(), bob);
        assert_eq!(users.acts_as(&irc, None).unwrap(), "@ircbot:example.org");
        assert!(matches!(
            users.acts_as(&irc, Some(user_id!("@bob:example.org"))),
            Err(Error::Exclusive)
        ));
        assert!(matches!(
            users.acts_as(&irc, Some(user_id!("@irc_bob:elsewhere.org"))),
            Err(Error::Exclusive)
        ));
    }

    #[tokio::test]
    async fn the_service_acts_as_its_own_user_from_the_start() {
        let users = users_with(bridge());
        let irc = users.appservice("as token").unwrap();
        assert!(matches!(
            users.appservice_session(&irc, None, None),
            Err(Error::NoSuchUser)
        ));
        users.register_appservices().await.unwrap();
        users.register_appservices().await.unwrap();
        let session = users.appservice_session(&irc, None, None).unwrap();
        assert!(session.by_appservice && session.user_id == "@ircbot:example.org");
    }

    #[test]
    fn an_unknown_token_is_no_application_service() {
        assert_eq!(users_with(bridge()).appservice("another token"), None);
    }
}
