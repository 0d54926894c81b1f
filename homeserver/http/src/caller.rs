//! Who calls.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use axum::extract::{FromRef, FromRequestParts};
use http::{StatusCode, header, request::Parts};
use orvale_users::{Error, Session, Standing, Users};
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};
use serde::Deserialize;

use crate::{Limits, MatrixError, rules::Rules};

/// The user behind a request, known by the access token.
#[derive(Debug, Clone)]
pub struct Caller {
    session: Arc<Session>,
}

impl Caller {
    /// The user.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.session.user_id
    }

    /// The device. Empty for an application service that names none.
    #[must_use]
    pub fn device_id(&self) -> &DeviceId {
        &self.session.device_id
    }

    /// The user's session, as the users know it.
    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Refuses to act for somebody else.
    ///
    /// # Errors
    /// `M_FORBIDDEN` if the user is not the caller.
    pub fn must_be(&self, user_id: &UserId) -> Result<(), MatrixError> {
        if self.user_id() == user_id {
            Ok(())
        } else {
            let message = format!(
                "You are {} and cannot do this for {user_id}",
                self.user_id()
            );
            Err(MatrixError::forbidden(message))
        }
    }

    /// Refuses guests.
    ///
    /// # Errors
    /// `M_GUEST_ACCESS_FORBIDDEN` if the caller is one.
    pub fn must_not_be_guest(&self) -> Result<(), MatrixError> {
        if self.session.guest {
            let message = "Guests may not do this: register an account first";
            Err(MatrixError::new(
                StatusCode::FORBIDDEN,
                "M_GUEST_ACCESS_FORBIDDEN",
                message,
            ))
        } else {
            Ok(())
        }
    }

    /// Refuses everybody but this server's administrators.
    ///
    /// # Errors
    /// `M_FORBIDDEN` if the caller is none.
    pub fn must_be_admin(&self) -> Result<(), MatrixError> {
        if self.session.admin {
            Ok(())
        } else {
            Err(MatrixError::forbidden(
                "Only administrators of this server may do this",
            ))
        }
    }
}

/// The caller, if the request has an access token. A token that is not valid is refused all the same.
#[derive(Debug, Clone)]
pub struct OptionalCaller(pub Option<Caller>);

/// Where a request comes from: the address of the connection, or what a trusted proxy says.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// Finds out who calls and whether they call too often. Part of every API's state.
#[derive(Clone)]
pub struct Authenticator {
    users: Users,
    limits: Limits,
    token_in_query: bool,
}

impl Authenticator {
    /// An authenticator of these users. Access tokens in the query of a URL end up in the logs of proxies, hence the setting.
    #[must_use]
    pub fn new(users: Users, limits: Limits, token_in_query: bool) -> Self {
        Self {
            users,
            limits,
            token_in_query,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    async fn caller(&self, parts: &Parts) -> Result<Option<Caller>, MatrixError> {
        let Some(token) = self.token(parts)? else {
            return Ok(None);
        };
        let (session, limited) = match self.users.appservice(&token) {
            Some(appservice) => {
                let act_as = query::<ActAs>(parts).unwrap_or_default();
                let session = self.users.appservice_session(
                    &appservice,
                    act_as.user_id.as_deref(),
                    act_as.device_id,
                );
                (Arc::new(session.map_err(cannot_act)?), false)
            }
            None => {
                let session = self.users.authenticate(&token).await?;
                (
                    session.ok_or_else(|| MatrixError::unknown_token(false))?,
                    true,
                )
            }
        };
        tracing::Span::current().record("user_id", session.user_id.as_str());
        let rules = parts.extensions.get::<Rules>().copied().unwrap_or_default();
        match session.standing {
            Standing::Locked if !rules.for_locked => return Err(Error::Locked.into()),
            Standing::Suspended if !rules.for_suspended => return Err(Error::Suspended.into()),
            _ => {}
        }
        if let Some(class) = rules.by_user.filter(|_| limited) {
            self.limits.user(class, &session.user_id)?;
        }
        if let Some(ClientAddress(address)) = parts.extensions.get() {
            self.users.seen(&session, *address);
        }
        Ok(Some(Caller { session }))
    }

    fn token<'a>(&self, parts: &'a Parts) -> Result<Option<Cow<'a, str>>, MatrixError> {
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let value = value.to_str().ok().and_then(|value| value.split_once(' '));
            let (scheme, token) = value.unwrap_or_default();
            if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
                return Err(MatrixError::missing_token());
            }
            return Ok(Some(token.trim().into()));
        }
        if !self.token_in_query {
            return Ok(None);
        }
        Ok(query::<TokenInQuery>(parts)
            .and_then(|query| query.access_token)
            .map(Into::into))
    }
}

#[derive(Deserialize)]
struct TokenInQuery {
    access_token: Option<String>,
}

/// Whom an application service acts as.
#[derive(Default, Deserialize)]
struct ActAs {
    user_id: Option<OwnedUserId>,
    #[serde(alias = "org.matrix.msc3202.device_id")]
    device_id: Option<OwnedDeviceId>,
}

fn query<T: serde::de::DeserializeOwned>(parts: &Parts) -> Option<T> {
    axum::extract::Query::try_from_uri(&parts.uri)
        .ok()
        .map(|query| query.0)
}

/// Why an application service cannot act as somebody.
fn cannot_act(error: Error) -> MatrixError {
    match error {
        Error::Exclusive => {
            MatrixError::forbidden("This application service does not manage this user")
        }
        Error::NoSuchUser => {
            MatrixError::forbidden("This application service has not registered this user")
        }
        Error::NoSuchDevice => MatrixError::new(
            StatusCode::BAD_REQUEST,
            "M_UNKNOWN_DEVICE",
            "The user has no such device",
        ),
        other => other.into(),
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        let caller = Authenticator::from_ref(state).caller(parts).await?;
        caller.ok_or_else(MatrixError::missing_token)
    }
}

impl<S> FromRequestParts<S> for OptionalCaller
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        Authenticator::from_ref(state).caller(parts).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let unknown = Self(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        Ok(parts.extensions.get().copied().unwrap_or(unknown))
    }
}
