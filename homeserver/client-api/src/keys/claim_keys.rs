//! `POST /_matrix/client/v3/keys/claim`

use axum::extract::State;
use orvale_delivery::Delivery;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::keys::claim_keys::v3::{Request, Response};

use super::patience;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    State(delivery): State<Delivery>,
    _: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let mut response = Response::new(users.claim_keys(&request.one_time_keys).await?);
    let (foreign, failures) = delivery
        .claim_foreign_keys(&request.one_time_keys, patience(request.timeout))
        .await?;
    response.one_time_keys.extend(foreign);
    response.failures = failures;
    Ok(response)
}
