//! `GET /_matrix/federation/v1/timestamp_to_event/{roomId}`

use axum::extract::State;
use orvale_http::{Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::api::federation::event::get_event_by_timestamp::v1::{Request, Response};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        room_id, ts, dir, ..
    } = request;
    let event = heavy(|| rooms.find_moment_for_server(&origin, &room_id, ts, dir))?;
    Ok(Response::new(
        event.event_id().to_owned(),
        event.pdu.origin_server_ts,
    ))
}
