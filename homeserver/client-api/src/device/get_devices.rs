//! `GET /_matrix/client/v3/devices`

use axum::extract::State;
use orvale_http::{Caller, Json, Ruma};
use orvale_users::Users;
use ruma::api::client::device::get_devices::v3::Request;
use serde_json::{Value, json};

use super::shown;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Json<Value>, Error> {
    let devices = users.devices(caller.user_id())?;
    let devices: Vec<_> = devices.into_iter().map(shown).collect();
    Ok(Json(json!({ "devices": devices })))
}
