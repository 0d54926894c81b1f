//! `POST /_matrix/client/v3/user/{userId}/filter`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::filter::create_filter::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    Ok(Response::new(
        users
            .create_filter(&request.user_id, &request.filter)
            .await?,
    ))
}
