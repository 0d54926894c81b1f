//! `POST /_matrix/client/v3/join/{roomIdOrAlias}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::membership::join_room_by_id_or_alias::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let (id, via) = rooms
        .locate(&request.room_id_or_alias, &request.via)
        .await?;
    let room = rooms
        .join_anywhere(caller.user_id(), &id, &via, request.reason.as_deref())
        .await?;
    Ok(Response::new(room.id.clone()))
}
