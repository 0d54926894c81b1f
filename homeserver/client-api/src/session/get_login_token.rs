//! `POST /_matrix/client/v1/login/get_token`

use axum::extract::State;
use orvale_http::{Attempts, Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::session::get_login_token::v1::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    attempts: Attempts,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let user_id = caller.user_id();
    let operation =
        users.operation_of("POST /login/get_token", user_id, caller.device_id(), &())?;
    let proof = users.authenticate_operation(&operation, request.auth.as_ref());
    attempts.run(user_id.as_str(), proof).await?;
    let token = users.create_login_token(user_id).await?;
    Ok(Response::new(token.expires_in, token.token))
}
