//! `GET /_matrix/client/v3/rooms/{roomId}/aliases`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::room::aliases::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let room = rooms
        .find(&request.room_id)?
        .ok_or(orvale_rooms::Error::NotJoined)?;
    Ok(Response::new(rooms.list_aliases(caller.user_id(), &room)?))
}
