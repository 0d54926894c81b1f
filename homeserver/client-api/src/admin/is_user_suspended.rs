//! `GET /_matrix/client/v1/admin/suspend/{userId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::admin::is_user_suspended::v1::{Request, Response};

use super::check;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    check(&users, &caller, &request.user_id)?;
    Ok(Response::new(users.is_suspended(&request.user_id)?))
}
