//! `GET /_matrix/client/v3/user/{userId}/filter/{filterId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::filter::get_filter::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    let filter = users.filter(&request.user_id, &request.filter_id)?;
    Ok(Response::new((*filter).clone()))
}
