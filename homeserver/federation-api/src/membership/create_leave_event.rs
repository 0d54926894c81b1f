//! `PUT /_matrix/federation/v2/send_leave/{roomId}/{eventId}`, and its version 1.

use axum::extract::State;
use orvale_http::{JsonBytes, Ruma};
use orvale_rooms::{Membership, Rooms};
use ruma::api::federation::membership::create_leave_event::v2::{Request, Response};

use super::first_version;
use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let place = (&*request.room_id, &*request.event_id);
    rooms
        .admit(&origin, place, &request.pdu, Membership::Leave)
        .await?;
    Ok(Response::new())
}

/// `PUT /_matrix/federation/v1/send_leave/{roomId}/{eventId}`: the same in a list, as servers of long ago expect it.
pub(crate) async fn v1(
    rooms: State<Rooms>,
    origin: Origin,
    request: Ruma<Request>,
) -> Result<JsonBytes, Error> {
    first_version(handle(rooms, origin, request).await?)
}
