//! `GET /_matrix/federation/v1/query/directory`

use axum::extract::State;
use orvale_http::{MatrixError, Ruma};
use orvale_rooms::Rooms;
use ruma::api::federation::query::get_room_information::v1::{Request, Response};

use crate::{Error, Origin};

/// The most servers by which a room is said to be reachable.
const MOST_SERVERS: usize = 50;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let alias = &request.room_alias;
    if alias.server_name() != rooms.server_name() {
        return Err(MatrixError::not_found("This alias is another server's").into());
    }
    let room = rooms.get_alias(alias)?;
    let servers = rooms.list_servers(&room, MOST_SERVERS)?;
    Ok(Response::new(room.id.clone(), servers))
}
