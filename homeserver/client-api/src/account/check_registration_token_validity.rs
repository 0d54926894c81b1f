//! `GET /_matrix/client/v1/register/m.login.registration_token/validity`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_users::{Error as E, Users, config::RegistrationMode};
use ruma::api::client::account::check_registration_token_validity::v1::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    if users.registration_mode() != RegistrationMode::Token {
        return Err(E::Forbidden("this server does not register accounts by token").into());
    }
    Ok(Response::new(
        users.is_valid_registration_token(&request.token)?,
    ))
}
