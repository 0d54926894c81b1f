//! `GET /_matrix/client/v1/rooms/{roomId}/hierarchy`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Ruma};
use orvale_rooms::{RoomSummary, Rooms, Walk};
use ruma::{UInt, api::client::space::get_hierarchy::v1::Request};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Error, heavy::heavy};

/// Ours, for ruma's cannot be written where a join rule is none of the specification's.
#[derive(Serialize)]
pub(crate) struct Response {
    rooms: Vec<Chunk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_batch: Option<String>,
}

#[derive(Serialize)]
struct Chunk {
    #[serde(flatten)]
    summary: RoomSummary,
    children_state: Vec<std::sync::Arc<RawValue>>,
}

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Response>, Error> {
    if request.limit == Some(UInt::MIN) {
        return Err(MatrixError::invalid_param("limit is greater than zero").into());
    }
    let number = |value: UInt| usize::try_from(u64::from(value)).unwrap_or(usize::MAX);
    let walk = Walk {
        from: request.from.map(|token| token.parse()).transpose()?,
        limit: request.limit.map(number),
        max_depth: request.max_depth.map(number),
        suggested_only: request.suggested_only,
    };
    let page = heavy(|| rooms.list_hierarchy(caller.user_id(), &request.room_id, &walk))?;
    let rooms = page.rooms.into_iter().map(|room| Chunk {
        summary: room.summary,
        children_state: room.children,
    });
    Ok(Json(Response {
        rooms: rooms.collect(),
        next_batch: page.next.map(|token| token.to_string()),
    }))
}
