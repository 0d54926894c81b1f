//! `GET /_matrix/client/v3/pushrules/global/`

use axum::extract::State;
use orvale_http::{Caller, Json, Ruma};
use orvale_users::Users;
use ruma::api::client::push::get_pushrules_global_scope::v3::Request;
use serde_json::Value;

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Json<Value>, Error> {
    Ok(Json(users.push_rules_by_kind(caller.user_id())?))
}
