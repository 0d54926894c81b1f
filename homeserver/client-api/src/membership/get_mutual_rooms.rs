//! `GET /_matrix/client/v1/mutual_rooms`, and the same under the name it had before.

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Query};
use orvale_rooms::Rooms;
use orvale_storage::Position;
use ruma::{OwnedRoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::Error;

/// How many rooms are told at once.
const PAGE: usize = 200;

#[derive(Deserialize)]
pub(crate) struct Asked {
    user_id: String,
    from: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Response {
    joined: Vec<OwnedRoomId>,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_batch: Option<String>,
}

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Response>, Error> {
    caller.must_not_be_guest()?;
    let invalid = |message: &'static str| Error::from(MatrixError::invalid_param(message));
    let other = UserId::parse(asked.user_id).map_err(|_| invalid("user_id is no user ID"))?;
    if other == caller.user_id() {
        return Err(invalid("With yourself you share all your rooms"));
    }
    let from = asked.from.map(|from| from.parse::<u64>());
    let from = from
        .transpose()
        .map_err(|_| invalid("from is none that was given out"))?;
    let from = Position(from.unwrap_or_default());
    let mut shared = rooms.list_shared_rooms(caller.user_id(), &other)?;
    let count = shared.len();
    shared.retain(|room| *room >= from);
    let next_batch = shared.get(PAGE).map(|room| room.0.to_string());
    shared.truncate(PAGE);
    let ids = shared
        .into_iter()
        .map(|room| Ok(rooms.get_number(room)?.id.clone()));
    let joined = ids.collect::<Result<_, orvale_rooms::Error>>()?;
    Ok(Json(Response {
        joined,
        count,
        next_batch,
    }))
}
