//! `GET /_matrix/client/v3/login`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_users::{JWT_STAGE, Users};
use ruma::api::client::session::get_login_types::v3::{
    ApplicationServiceLoginType, LoginType, PasswordLoginType, Request, Response, TokenLoginType,
};
use serde_json::Map;

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let config = users.config();
    let mut flows = Vec::new();
    if config.passwords.enabled {
        flows.push(LoginType::Password(PasswordLoginType::new()));
    }
    if config.tokens.login_tokens {
        let mut token = TokenLoginType::new();
        token.get_login_token = true;
        flows.push(LoginType::Token(token));
    }
    if users.takes_jwt() {
        flows.push(
            LoginType::new(JWT_STAGE, Map::new()).expect("a type without data is well formed"),
        );
    }
    flows.push(LoginType::ApplicationService(
        ApplicationServiceLoginType::new(),
    ));
    Ok(Response::new(flows))
}
