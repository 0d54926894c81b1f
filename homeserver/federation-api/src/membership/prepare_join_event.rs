//! `GET /_matrix/federation/v1/make_join/{roomId}/{userId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::{Membership, Rooms};
use ruma::api::federation::membership::prepare_join_event::v1::{Request, Response};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let (room, user) = (&request.room_id, &request.user_id);
    let (version, event) =
        rooms.propose(&origin, room, user, Membership::Join, Some(&request.ver))?;
    let mut response = Response::new(event);
    response.room_version = Some(version);
    Ok(response)
}
