//! Logging in and out.

pub(crate) mod get_login_token;
pub(crate) mod get_login_types;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod logout_all;
pub(crate) mod refresh_token;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::{header, request::Parts};

#[cfg(test)]
mod tests;

/// The token that a request shows where it may, and need not, be an application service's: not looked up, so that a client
/// that logs in anew may send an old one along.
pub(crate) struct ShownToken(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for ShownToken {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let value = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let (scheme, token) = value
            .and_then(|value| value.split_once(' '))
            .unwrap_or_default();
        Ok(Self(
            scheme
                .eq_ignore_ascii_case("bearer")
                .then(|| token.trim().to_owned()),
        ))
    }
}
