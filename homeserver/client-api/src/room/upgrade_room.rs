//! `POST /_matrix/client/v3/rooms/{roomId}/upgrade`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::room::upgrade_room::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let room = rooms.get_joined(caller.user_id(), &request.room_id)?;
    let creators = &request.additional_creators;
    let new = rooms
        .upgrade(caller.user_id(), &room, request.new_version, creators)
        .await?;
    Ok(Response::new(new.id.clone()))
}
