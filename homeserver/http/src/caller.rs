//! Who calls.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use axum::extract::{FromRef, FromRequestParts};
use http::{StatusCode, header, request::Parts};
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};
use serde::Deserialize;

use crate::{Limits, MatrixError, rules::Rules};

/// The user behind a request, known by the access token.
#[derive(Debug, Clone)]
pub struct Caller {
    session: Arc<Session>,
}

/// Who is behind an access token.
#[derive(Debug)]
pub struct Session {
    /// The user.
    pub user_id: OwnedUserId,
    /// The device.
    pub device_id: OwnedDeviceId,
    /// Whether the user administers this server.
    pub admin: bool,
    /// Whether the user is a guest.
    pub guest: bool,
}

impl From<Session> for Caller {
    fn from(session: Session) -> Self {
        Self { session: Arc::new(session) }
    }
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

    /// Refuses to act for somebody else.
    ///
    /// # Errors
    /// `M_FORBIDDEN` if the user is not the caller.
    pub fn must_be(&self, user_id: &UserId) -> Result<(), MatrixError> {
        if self.user_id() == user_id {
            Ok(())
        } else {
            let message = format!("You are {} and cannot do this for {user_id}", self.user_id());
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
            Err(MatrixError::new(StatusCode::FORBIDDEN, "M_GUEST_ACCESS_FORBIDDEN", message))
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
            Err(MatrixError::forbidden("Only administrators of this server may do this"))
        }
    }
}

/// The caller, if the request has an access token. A token that is not valid is refused all the same.
#[derive(Debug, Clone)]
pub struct OptionalCaller(pub Option<Caller>);

/// Where a request comes from: the address of the connection, or what a trusted proxy says.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

type Lookup = dyn Fn(&str) -> Result<Caller, MatrixError> + Send + Sync;

/// Finds out who calls and whether they call too often. Part of every API's state.
#[derive(Clone)]
pub struct Authenticator {
    lookup: Arc<Lookup>,
    limits: Limits,
    token_in_query: bool,
}

impl Authenticator {
    /// An authenticator that knows tokens by `lookup`.
    #[must_use]
    pub fn new(
        lookup: impl Fn(&str) -> Result<Caller, MatrixError> + Send + Sync + 'static,
        limits: Limits,
        token_in_query: bool,
    ) -> Self {
        Self { lookup: Arc::new(lookup), limits, token_in_query }
    }

    async fn caller(&self, parts: &Parts) -> Result<Option<Caller>, MatrixError> {
        let Some(token) = self.token(parts)? else { return Ok(None) };
        let caller = (self.lookup)(&token)?;
        tracing::Span::current().record("user_id", caller.user_id().as_str());
        let rules = parts.extensions.get::<Rules>().copied().unwrap_or_default();
        if let Some(class) = rules.by_user {
            self.limits.user(class, caller.user_id())?;
        }
        Ok(Some(caller))
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
        Ok(query::<TokenInQuery>(parts).and_then(|query| query.access_token).map(Into::into))
    }
}

#[derive(Deserialize)]
struct TokenInQuery {
    access_token: Option<String>,
}

fn query<T: serde::de::DeserializeOwned>(parts: &Parts) -> Option<T> {
    axum::extract::Query::try_from_uri(&parts.uri).ok().map(|query| query.0)
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
