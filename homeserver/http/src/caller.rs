//! Who calls.

use std::{net::IpAddr, sync::Arc};

use axum::extract::{FromRef, FromRequestParts};
use http::{header, request::Parts};
use ruma::{OwnedDeviceId, OwnedUserId, UserId};
use serde::Deserialize;

use crate::{Class, Limits, MatrixError};

/// The user behind a request, known by the access token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user_id: OwnedUserId,
    /// The device the token belongs to.
    pub device_id: OwnedDeviceId,
    /// Whether the user administers this server.
    pub is_admin: bool,
}

impl Caller {
    /// Refuses to act for somebody else.
    ///
    /// # Errors
    /// `M_FORBIDDEN` if the user is not the caller.
    pub fn must_be(&self, user_id: &UserId) -> Result<(), MatrixError> {
        if self.user_id == user_id {
            Ok(())
        } else {
            Err(MatrixError::forbidden(format!(
                "You are {} and cannot do this for {user_id}",
                self.user_id
            )))
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
        Self {
            lookup: Arc::new(lookup),
            limits,
            token_in_query,
        }
    }

    fn caller(&self, parts: &Parts) -> Result<Option<Caller>, MatrixError> {
        let Some(token) = self.token(parts)? else {
            return Ok(None);
        };
        let caller = (self.lookup)(&token)?;
        tracing::Span::current().record("user_id", caller.user_id.as_str());
        if let Some(class) = parts.extensions.get::<Class>() {
            self.limits.user(*class, &caller.user_id)?;
        }
        Ok(Some(caller))
    }

    fn token<'a>(
        &self,
        parts: &'a Parts,
    ) -> Result<Option<std::borrow::Cow<'a, str>>, MatrixError> {
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let (scheme, token) = value
                .to_str()
                .ok()
                .and_then(|v| v.split_once(' '))
                .unwrap_or_default();
            if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
                return Err(MatrixError::missing_token());
            }
            return Ok(Some(token.trim().into()));
        }
        if !self.token_in_query {
            return Ok(None);
        }
        #[derive(Deserialize)]
        struct TokenInQuery {
            access_token: Option<String>,
        }
        let query = axum::extract::Query::<TokenInQuery>::try_from_uri(&parts.uri);
        Ok(query
            .ok()
            .and_then(|query| query.0.access_token)
            .map(Into::into))
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        Authenticator::from_ref(state)
            .caller(parts)?
            .ok_or_else(MatrixError::missing_token)
    }
}

impl<S> FromRequestParts<S> for OptionalCaller
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        Authenticator::from_ref(state).caller(parts).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let unknown = Self(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        Ok(parts.extensions.get().copied().unwrap_or(unknown))
    }
}
