//! `POST /_matrix/client/v3/keys/claim`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::keys::claim_keys::v3::{Request, Response};

use super::failures;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    _: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let mut response = Response::new(users.claim_keys(&request.one_time_keys).await?);
    response.failures = failures(&users, request.one_time_keys.keys());
    Ok(response)
}
