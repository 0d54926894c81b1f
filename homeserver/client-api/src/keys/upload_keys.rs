//! `POST /_matrix/client/v3/keys/upload`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::{KeyUpload, Users};
use ruma::api::client::keys::upload_keys::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let upload = KeyUpload {
        device_keys: request.device_keys,
        one_time_keys: request.one_time_keys,
        fallback_keys: request.fallback_keys,
    };
    let counts = users
        .upload_keys(caller.user_id(), caller.device_id(), &upload)
        .await?;
    Ok(Response::new(counts.one_time.clone()))
}
