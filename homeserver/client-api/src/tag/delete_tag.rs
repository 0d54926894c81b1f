//! `DELETE /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::api::client::tag::delete_tag::v3::{Request, Response};

use crate::{Error, config::own_room};

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    let room = own_room(&rooms, &request.user_id, &request.room_id)?;
    users
        .remove_tag(&request.user_id, room, &request.tag)
        .await?;
    Ok(Response::new())
}
