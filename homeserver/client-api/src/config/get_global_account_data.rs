//! `GET /_matrix/client/v3/user/{userId}/account_data/{type}`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma};
use orvale_users::{Error as E, Users};
use ruma::api::client::config::get_global_account_data::v3::Request;

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    caller.must_be(&request.user_id)?;
    let content = users.account_data(&request.user_id, None, &request.event_type.to_string())?;
    Ok(JsonBytes(
        content.ok_or(E::NotFound("account data"))?.0.into(),
    ))
}
