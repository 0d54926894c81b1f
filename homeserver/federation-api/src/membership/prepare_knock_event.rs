//! `GET /_matrix/federation/v1/make_knock/{roomId}/{userId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::{Membership, Rooms};
use ruma::api::federation::membership::prepare_knock_event::v1::{Request, Response};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let (room, user) = (&request.room_id, &request.user_id);
    let (version, event) =
        rooms.propose(&origin, room, user, Membership::Knock, Some(&request.ver))?;
    Ok(Response::new(version, event))
}
