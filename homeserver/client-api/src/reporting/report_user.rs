//! `POST /_matrix/client/v3/users/{userId}/report`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::reporting::report_user::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    rooms
        .report_user(caller.user_id(), &request.user_id, &request.reason)
        .await?;
    Ok(Response::new())
}
