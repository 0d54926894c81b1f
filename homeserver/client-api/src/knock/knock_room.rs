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
    let (id, via) = rooms
        .locate(&request.room_id_or_alias, &request.via)
        .await?;
    let room = rooms
        .knock_anywhere(caller.user_id(), &id, &via, request.reason.as_deref())
        .await?;
    Ok(Response::new(room.id.clone()))
}
