//! `POST /_matrix/client/v3/refresh`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_users::Users;
use ruma::api::client::session::refresh_token::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let session = users.refresh(&request.refresh_token).await?;
    let mut response = Response::new(session.access_token);
    response.refresh_token = session.refresh_token;
    response.expires_in_ms = session.expires_in;
    Ok(response)
}
