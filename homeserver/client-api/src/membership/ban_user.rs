//! `POST /_matrix/client/v3/rooms/{roomId}/ban`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::membership::ban_user::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let room = rooms.get_joined(caller.user_id(), &request.room_id)?;
    rooms
        .ban(
            caller.user_id(),
            &request.user_id,
            &room,
            request.reason.as_deref(),
        )
        .await?;
    Ok(Response::new())
}
