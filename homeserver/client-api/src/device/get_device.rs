//! `GET /_matrix/client/v3/devices/{deviceId}`

use axum::extract::State;
use orvale_http::{Caller, Json, Ruma};
use orvale_users::{Error as E, Users};
use ruma::api::client::device::get_device::v3::Request;

use super::{Shown, shown};
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Shown>, Error> {
    let device = users.device(caller.user_id(), &request.device_id)?;
    Ok(Json(shown(device.ok_or(E::NoSuchDevice)?)))
}
