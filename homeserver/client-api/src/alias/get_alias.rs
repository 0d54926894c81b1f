//! `GET /_matrix/client/v3/directory/room/{roomAlias}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::client::alias::get_alias::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let room = rooms.get_alias(&request.room_alias)?;
    Ok(Response::new(
        room.id.clone(),
        vec![rooms.server_name_owned()],
    ))
}
