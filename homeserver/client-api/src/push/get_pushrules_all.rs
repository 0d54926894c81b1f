//! `GET /_matrix/client/v3/pushrules/`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma};
use orvale_users::Users;
use ruma::api::client::push::get_pushrules_all::v3::Request;

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let content = users.push_rules_content(caller.user_id())?;
    Ok(JsonBytes(content.0.into()))
}
