//! `GET /_matrix/federation/v1/event_auth/{roomId}/{eventId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::federation::authorization::get_event_authorization::v1::{Request, Response};

use crate::{Error, Origin, pdu};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let chain = rooms.auth_chain_for_server(&origin, &request.room_id, &request.event_id)?;
    Ok(Response::new(pdu::list(&chain)?))
}
