//! `PUT /_matrix/federation/v2/send_join/{roomId}/{eventId}`, and its version 1.

use axum::extract::State;
use orvale_http::{JsonBytes, Ruma};
use orvale_rooms::{Membership, Rooms};
use ruma::api::federation::membership::create_join_event::v2::{Request, Response, RoomState};

use super::first_version;
use crate::{Error, Origin, pdu};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let place = (&*request.room_id, &*request.event_id);
    let admitted = rooms
        .admit(&origin, place, &request.pdu, Membership::Join)
        .await?;
    let joined = rooms.state_for_admitted(&admitted, request.omit_members)?;
    let mut state = RoomState::new();
    state.auth_chain = pdu::list(&joined.given.auth_chain)?;
    state.state = pdu::list(&joined.given.state)?;
    state.event = Some(pdu::one(&admitted.event)?);
    state.members_omitted = joined.members_omitted;
    if request.omit_members {
        let servers = joined.servers_in_room.iter();
        state.servers_in_room = Some(servers.map(ToString::to_string).collect());
    }
    Ok(Response::new(state))
}

/// `PUT /_matrix/federation/v1/send_join/{roomId}/{eventId}`: the same in a list, as servers of long ago expect it.
pub(crate) async fn v1(
    rooms: State<Rooms>,
    origin: Origin,
    request: Ruma<Request>,
) -> Result<JsonBytes, Error> {
    first_version(handle(rooms, origin, request).await?)
}
