//! `GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags`

use axum::extract::State;
use orvale_http::{Caller, Json, Ruma};
use orvale_rooms::Rooms;
use orvale_users::{Tags, Users};
use ruma::api::client::tag::get_tags::v3::Request;
use serde::Serialize;

use crate::{Error, config::own_room};

/// Tags with all that clients say of them, not just what the specification knows.
#[derive(Serialize)]
pub(crate) struct Response {
    tags: Tags,
}

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Response>, Error> {
    caller.must_be(&request.user_id)?;
    let room = own_room(&rooms, &request.user_id, &request.room_id)?;
    Ok(Json(Response {
        tags: users.tags(&request.user_id, room)?,
    }))
}
