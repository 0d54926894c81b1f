//! `GET /_matrix/federation/v1/state/{roomId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::federation::event::get_room_state::v1::{Request, Response};

use crate::{Error, Origin, pdu};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let given = rooms.state_for_server(&origin, &request.room_id, &request.event_id)?;
    Ok(Response::new(
        pdu::list(&given.auth_chain)?,
        pdu::list(&given.state)?,
    ))
}
