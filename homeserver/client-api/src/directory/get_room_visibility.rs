//! `GET /_matrix/client/v3/directory/list/room/{roomId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::client::{
    directory::get_room_visibility::v3::{Request, Response},
    room::Visibility,
};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let room = rooms.get(&request.room_id)?;
    let is_published = rooms.is_published(&room)?;
    Ok(Response::new(if is_published {
        Visibility::Public
    } else {
        Visibility::Private
    }))
}
