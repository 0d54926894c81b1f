//! `GET /_matrix/federation/v1/backfill/{roomId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::federation::backfill::get_backfill::v1::{Request, Response};

use crate::{Error, Origin, pdu};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let limit = usize::try_from(u64::from(request.limit)).unwrap_or(usize::MAX);
    let events = rooms.backfill_for_server(&origin, &request.room_id, &request.v, limit)?;
    let events = events.into_iter().map(pdu::raw);
    let name = rooms.server_name_owned();
    Ok(Response::new(
        name,
        rooms.now(),
        events.collect::<Result<_, _>>()?,
    ))
}
