//! `GET /_matrix/federation/v1/event/{eventId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::federation::event::get_event::v1::{Request, Response};

use crate::{Error, Origin, pdu};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let event = rooms.event_for_server(&origin, &request.event_id)?;
    let name = rooms.server_name_owned();
    Ok(Response::new(name, rooms.now(), pdu::one(&event)?))
}
