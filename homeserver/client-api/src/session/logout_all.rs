//! `POST /_matrix/client/v3/logout/all`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::session::logout_all::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    users.log_out_all(caller.user_id()).await?;
    Ok(Response::new())
}
