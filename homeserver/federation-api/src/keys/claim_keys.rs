//! `POST /_matrix/federation/v1/user/keys/claim`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_users::Users;
use ruma::api::federation::keys::claim_keys::v1::{Request, Response};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(users): State<Users>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    Ok(Response::new(
        users.claim_keys(&request.one_time_keys).await?,
    ))
}
