//! `PUT /_matrix/client/v3/user/{userId}/account_data/{type}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::config::set_global_account_data::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    let (kind, content) = (request.event_type.to_string(), request.data.json().get());
    users
        .set_account_data(&request.user_id, None, &kind, content)
        .await?;
    Ok(Response::new())
}
