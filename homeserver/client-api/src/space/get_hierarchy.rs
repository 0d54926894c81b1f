//! `GET /_matrix/client/v1/rooms/{roomId}/hierarchy`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Ruma, heavy};
use orvale_rooms::{Others, RoomSummary, Rooms, Walk};
use ruma::{UInt, api::client::space::get_hierarchy::v1::Request};
use serde::Serialize;
use serde_json::value::RawValue;

use super::RemoteRooms;
use crate::Error;

/// How often other servers are asked about rooms that are not here, each time about those in the rooms before.
const ROUNDS: usize = 4;
/// How many rooms each time.
const MOST_ASKED: usize = 50;

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
    State(remote): State<RemoteRooms>,
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
    let mut others = Others::new();
    let list = |others: &Others| {
        heavy(|| rooms.list_hierarchy(caller.user_id(), &request.room_id, &walk, others))
    };
    let mut page = list(&others)?;
    for _ in 0..ROUNDS {
        page.missing.truncate(MOST_ASKED);
        if page.missing.is_empty() {
            break;
        }
        remote.learn(page.missing, &mut others).await;
        page = list(&others)?;
    }
    let rooms = page.rooms.into_iter().map(|room| Chunk {
        summary: room.summary,
        children_state: room.children,
    });
    Ok(Json(Response {
        rooms: rooms.collect(),
        next_batch: page.next.map(|token| token.to_string()),
    }))
}
