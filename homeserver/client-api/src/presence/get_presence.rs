//! `GET /_matrix/client/v3/presence/{userId}/status`

use std::time::Duration;

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::{
    api::client::presence::get_presence::v3::{Request, Response},
    presence::PresenceState,
};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let user_id = &request.user_id;
    // Presence is for those who share a room; so it does not tell strangers who exists.
    if caller.user_id() != user_id && !rooms.share_a_room(caller.user_id(), user_id)? {
        return Err(MatrixError::forbidden("You share no room with this user").into());
    }
    let presence = users.presence().get(user_id)?;
    let mut response = Response::new(presence.presence.clone());
    response.status_msg = presence.status_msg;
    response.last_active_ago = presence.last_active_ago.map(Duration::from_millis);
    response.currently_active =
        (presence.presence == PresenceState::Online).then_some(presence.currently_active);
    Ok(response)
}
