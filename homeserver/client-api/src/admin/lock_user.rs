//! `PUT /_matrix/client/v1/admin/lock/{userId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::admin::lock_user::v1::{Request, Response};

use super::check_change;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    check_change(&users, &caller, &request.user_id)?;
    users.set_locked(&request.user_id, request.locked).await?;
    Ok(Response::new(request.locked))
}
