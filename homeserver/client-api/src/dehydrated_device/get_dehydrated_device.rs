//! `GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device`

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_users::{Error as UsersError, Users};
use ruma::{
    api::client::dehydrated_device::get_dehydrated_device::unstable::{Request, Response},
    serde::Raw,
};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let found = users.dehydrated_device(caller.user_id())?;
    let (device_id, data) = found.ok_or(UsersError::NotFound("dehydrated device"))?;
    let data = Raw::from_json_string(data.0).map_err(|e| MatrixError::unexpected(&e))?;
    Ok(Response::new(device_id, data))
}
