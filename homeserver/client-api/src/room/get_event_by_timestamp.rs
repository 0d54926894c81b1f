//! `GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event`

use axum::extract::State;
use orvale_http::{Caller, Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::api::client::room::get_event_by_timestamp::v1::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        room_id, ts, dir, ..
    } = request;
    let event = heavy(|| rooms.find_moment(caller.user_id(), &room_id, ts, dir))?;
    Ok(Response::new(
        event.event_id().to_owned(),
        event.pdu.origin_server_ts,
    ))
}
