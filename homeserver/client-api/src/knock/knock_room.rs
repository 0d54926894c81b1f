//! `POST /_matrix/client/v3/knock/{roomIdOrAlias}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::knock::knock_room::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let room = rooms.resolve(&request.room_id_or_alias)?;
    rooms
        .knock(caller.user_id(), &room, request.reason.as_deref())
        .await?;
    Ok(Response::new(room.id.clone()))
}
