//! `GET /_matrix/client/v3/devices`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::device::get_devices::v3::{Request, Response};

use super::shown;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let devices = users.devices(caller.user_id())?;
    Ok(Response::new(devices.into_iter().map(shown).collect()))
}
