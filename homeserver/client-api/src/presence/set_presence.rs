//! `PUT /_matrix/client/v3/presence/{userId}/status`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::presence::set_presence::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    let presence = users.presence();
    presence
        .set(
            &request.user_id,
            caller.device_id(),
            request.presence,
            request.status_msg,
        )
        .await?;
    Ok(Response::new())
}
