//! `PUT /_matrix/client/v3/directory/list/room/{roomId}`

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::{
    directory::set_room_visibility::v3::{Request, Response},
    room::Visibility,
};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let is_published = match request.visibility {
        Visibility::Public => true,
        Visibility::Private => false,
        _ => return Err(MatrixError::invalid_param("visibility is public or private").into()),
    };
    let room = rooms.get(&request.room_id)?;
    rooms
        .set_published(
            caller.user_id(),
            &room,
            is_published,
            caller.session().admin,
        )
        .await?;
    Ok(Response::new())
}
