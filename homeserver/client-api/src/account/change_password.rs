//! `POST /_matrix/client/v3/account/password`

use axum::extract::State;
use orvale_http::{Attempts, Caller, Ruma};
use orvale_users::{Error as E, LogoutAllBut, Users};
use ruma::api::client::account::change_password::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    attempts: Attempts,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let (user_id, device_id) = (caller.user_id(), caller.device_id());
    if !users.config().passwords.change {
        return Err(E::Forbidden("passwords cannot be changed on this server").into());
    }
    users.check_password(&request.new_password)?;
    let body = (&request.new_password, request.logout_devices);
    let operation = users.operation_of("POST /account/password", user_id, device_id, &body)?;
    let proof = users.authenticate_operation(&operation, request.auth.as_ref());
    attempts.run(user_id.as_str(), proof).await?;
    let kept = if request.logout_devices {
        LogoutAllBut::Device(Some(device_id))
    } else {
        LogoutAllBut::Everyone
    };
    users
        .set_password(user_id, &request.new_password, kept)
        .await?;
    Ok(Response::new())
}
