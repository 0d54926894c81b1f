//! `POST /_matrix/federation/v1/get_missing_events/{roomId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::federation::event::get_missing_events::v1::{Request, Response};

use crate::{Error, Origin, pdu};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let between = (&request.earliest_events[..], &request.latest_events[..]);
    let limit = usize::try_from(u64::from(request.limit)).unwrap_or(usize::MAX);
    let depth = request.min_depth.into();
    let events = rooms.missing_for_server(&origin, &request.room_id, between, depth, limit)?;
    let events = events.into_iter().map(pdu::raw);
    Ok(Response::new(events.collect::<Result<_, _>>()?))
}
