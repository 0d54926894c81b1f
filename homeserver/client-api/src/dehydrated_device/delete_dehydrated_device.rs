//! `DELETE /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::dehydrated_device::delete_dehydrated_device::unstable::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let device_id = users.delete_dehydrated_device(caller.user_id()).await?;
    Ok(Response::new(device_id))
}
