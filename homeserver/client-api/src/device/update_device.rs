//! `PUT /_matrix/client/v3/devices/{deviceId}`

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use orvale_http::{Caller, JsonBytes, Ruma, Whole};
use orvale_users::{Error as E, Users};
use ruma::api::client::device::update_device::v3::Request;

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Whole, Error> {
    let (user_id, name) = (caller.user_id(), request.display_name.as_deref());
    let mut status = StatusCode::OK;
    if caller.session().by_appservice {
        if users
            .create_device(user_id, &request.device_id, name)
            .await?
        {
            status = StatusCode::CREATED;
        }
    } else if let Some(name) = name {
        users
            .rename_device(user_id, &request.device_id, name)
            .await?;
    } else if users.device(user_id, &request.device_id)?.is_none() {
        return Err(E::NoSuchDevice.into());
    }
    Ok(Whole((status, JsonBytes("{}".into())).into_response()))
}
