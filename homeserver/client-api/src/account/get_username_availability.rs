//! `GET /_matrix/client/v3/register/available`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_users::Users;
use ruma::api::client::account::get_username_availability::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    users.check_available(&request.username)?;
    Ok(Response::new(true))
}
