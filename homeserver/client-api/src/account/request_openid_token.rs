//! `POST /_matrix/client/v3/user/{userId}/openid/request_token`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::{
    api::client::account::request_openid_token::v3::{Request, Response},
    authentication::TokenType,
};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    let token = users.create_openid_token(&request.user_id).await?;
    Ok(Response::new(
        token.token,
        TokenType::Bearer,
        users.server_name().to_owned(),
        token.expires_in,
    ))
}
