//! `POST /_matrix/client/v3/logout`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::session::logout::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    users.log_out(caller.user_id(), caller.device_id()).await?;
    Ok(Response::new())
}
