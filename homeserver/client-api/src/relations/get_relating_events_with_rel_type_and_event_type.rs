//! `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::relations::get_relating_events_with_rel_type_and_event_type::v1::Request;

use super::{Asked, answer};
use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let asked = Asked {
        from: request.from,
        to: request.to,
        direction: request.dir,
        limit: request.limit,
        recurse: request.recurse,
    };
    let rel_type = request.rel_type.as_str();
    let kind = request.event_type.to_string();
    answer(
        &rooms,
        &caller,
        (&request.room_id, &request.event_id),
        (Some(rel_type), Some(&kind)),
        asked,
    )
}
