//! `POST /_matrix/client/v3/keys/query`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::keys::get_keys::v3::{Request, Response};

use super::failures;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    _: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let mut response = Response::new();
    for (user_id, device_ids) in &request.device_keys {
        if users.exists(user_id)? {
            response
                .device_keys
                .insert(user_id.clone(), users.query_keys(user_id, device_ids)?);
        }
    }
    response.failures = failures(&users, request.device_keys.keys());
    Ok(response)
}
