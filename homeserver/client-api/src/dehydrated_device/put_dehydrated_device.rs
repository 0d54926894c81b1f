//! `PUT /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::{KeyUpload, NewDehydratedDevice, Users};
use ruma::api::client::dehydrated_device::put_dehydrated_device::unstable::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let new = NewDehydratedDevice {
        device_id: request.device_id,
        display_name: request.initial_device_display_name,
        device_data: request.device_data.json().get().to_owned(),
        keys: KeyUpload {
            device_keys: Some(request.device_keys),
            one_time_keys: request.one_time_keys,
            fallback_keys: request.fallback_keys,
        },
    };
    users.dehydrate_device(caller.user_id(), &new).await?;
    Ok(Response::new(new.device_id))
}
