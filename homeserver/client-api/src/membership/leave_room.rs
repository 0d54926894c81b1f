//! `POST /_matrix/client/v3/rooms/{roomId}/leave`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::membership::leave_room::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let room = rooms
        .find(&request.room_id)?
        .ok_or(orvale_rooms::Error::NotJoined)?;
    rooms
        .leave(caller.user_id(), &room, request.reason.as_deref())
        .await?;
    Ok(Response::new())
}
