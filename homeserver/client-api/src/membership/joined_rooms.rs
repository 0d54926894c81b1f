//! `GET /_matrix/client/v3/joined_rooms`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::membership::joined_rooms::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    Ok(Response::new(rooms.list_joined_rooms(caller.user_id())?))
}
