//! Guessing passwords, slowed down.

use std::net::IpAddr;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use orvale_users::Error;

use crate::{Authenticator, ClientAddress, Limits, MatrixError};

/// Counts attempts to prove who one is that fail, by account and address.
///
/// Handlers that take a password, or any other proof that could be guessed, take this and run the check inside it.
#[derive(Clone)]
pub struct Attempts {
    limits: Limits,
    address: IpAddr,
}

impl Attempts {
    /// Runs a check of a proof for an account, unless too many from this address have failed.
    ///
    /// # Errors
    /// `M_LIMIT_EXCEEDED`, or what the check fails with.
    pub async fn run<T>(
        &self,
        account: &str,
        check: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, MatrixError> {
        let account = account.to_lowercase();
        self.limits.may_log_in(&account, self.address)?;
        check.await.map_err(|error| {
            if error.is_failed_attempt() {
                self.limits.failed_to_log_in(&account, self.address);
            }
            error.into()
        })
    }
}

impl<S> FromRequestParts<S> for Attempts
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let limits = Authenticator::from_ref(state).limits().clone();
        Ok(Self { limits, address })
    }
}
