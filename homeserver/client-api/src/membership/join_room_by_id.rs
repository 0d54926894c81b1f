//! `POST /_matrix/client/v3/rooms/{roomId}/join`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::membership::join_room_by_id::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let reason = request.reason.as_deref();
    rooms
        .join_anywhere(caller.user_id(), &request.room_id, &[], reason)
        .await?;
    Ok(Response::new(request.room_id))
}
