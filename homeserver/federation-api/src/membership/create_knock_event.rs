//! `PUT /_matrix/federation/v1/send_knock/{roomId}/{eventId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::{Membership, Rooms};
use ruma::api::federation::membership::{
    RawStrippedState,
    create_knock_event::v1::{Request, Response},
};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let place = (&*request.room_id, &*request.event_id);
    let admitted = rooms
        .admit(&origin, place, &request.pdu, Membership::Knock)
        .await?;
    let shown = rooms.shown_from_outside(&admitted.room)?;
    let shown = shown.into_iter().map(RawStrippedState::Pdu).collect();
    Ok(Response::new(shown))
}
