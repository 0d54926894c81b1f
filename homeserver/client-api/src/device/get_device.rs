//! `GET /_matrix/client/v3/devices/{deviceId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::{Error as E, Users};
use ruma::api::client::device::get_device::v3::{Request, Response};

use super::shown;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let device = users.device(caller.user_id(), &request.device_id)?;
    Ok(Response::new(shown(device.ok_or(E::NoSuchDevice)?)))
}
