//! `PUT /_matrix/client/v3/room_keys/keys`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::backup::add_backup_keys::v3::{Request, Response};

use super::{count, sessions};
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let rooms = request.rooms.into_iter();
    let keys = rooms
        .map(|(room_id, of_room)| (room_id, sessions(of_room.sessions)))
        .collect();
    let state = users
        .put_backup_keys(caller.user_id(), &request.version, &keys)
        .await?;
    Ok(Response::new(state.etag, count(state.count)))
}
