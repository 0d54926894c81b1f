//! The endpoints that ask for a validation message to an e-mail address or phone number, all refused: this server sends
//! none, and says so by the capability `m.3pid_changes`.
//!
//! - `POST /_matrix/client/v3/register/{email,msisdn}/requestToken`
//! - `POST /_matrix/client/v3/account/3pid/{email,msisdn}/requestToken`
//! - `POST /_matrix/client/v3/account/password/{email,msisdn}/requestToken`

use orvale_http::{MatrixError, Ruma};
use ruma::api::client::account::{
    request_3pid_management_token_via_email as email,
    request_3pid_management_token_via_msisdn as msisdn,
    request_password_change_token_via_email as password_email,
    request_password_change_token_via_msisdn as password_msisdn,
    request_registration_token_via_email as registration_email,
    request_registration_token_via_msisdn as registration_msisdn,
};

use crate::Error;

/// The answer to whoever wants to add an address.
pub(crate) fn denied() -> Error {
    let message = "This server takes no e-mail addresses and phone numbers";
    MatrixError::new(http::StatusCode::FORBIDDEN, "M_THREEPID_DENIED", message).into()
}

fn not_found() -> Error {
    let message = "This server resets no passwords by e-mail or phone: ask its administrators";
    MatrixError::new(
        http::StatusCode::BAD_REQUEST,
        "M_THREEPID_NOT_FOUND",
        message,
    )
    .into()
}

pub(crate) async fn by_email(_: Ruma<email::v3::Request>) -> Result<email::v3::Response, Error> {
    Err(denied())
}

pub(crate) async fn by_msisdn(_: Ruma<msisdn::v3::Request>) -> Result<msisdn::v3::Response, Error> {
    Err(denied())
}

pub(crate) async fn registration_by_email(
    _: Ruma<registration_email::v3::Request>,
) -> Result<registration_email::v3::Response, Error> {
    Err(denied())
}

pub(crate) async fn registration_by_msisdn(
    _: Ruma<registration_msisdn::v3::Request>,
) -> Result<registration_msisdn::v3::Response, Error> {
    Err(denied())
}

pub(crate) async fn password_by_email(
    _: Ruma<password_email::v3::Request>,
) -> Result<password_email::v3::Response, Error> {
    Err(not_found())
}

pub(crate) async fn password_by_msisdn(
    _: Ruma<password_msisdn::v3::Request>,
) -> Result<password_msisdn::v3::Response, Error> {
    Err(not_found())
}
