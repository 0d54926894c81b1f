//! `GET /_matrix/client/v3/rooms/{roomId}/event/{eventId}`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::room::get_room_event::v3::Request;

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let device = caller.device_id().as_str();
    let shown = rooms.get_event(
        caller.user_id(),
        device,
        &request.room_id,
        &request.event_id,
    )?;
    let mut out = Vec::with_capacity(1024);
    shown.write(&mut out)?;
    Ok(JsonBytes(out.into()))
}
