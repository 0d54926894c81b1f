//! `PUT /_matrix/client/v3/rooms/{roomId}/typing/{userId}`
//!
//! Of a shape of its own, because the specification lets a client leave the timeout out, and ruma does not.

use std::time::Duration;

use axum::extract::State;
use orvale_http::{Caller, Json, Path};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::{OwnedRoomId, OwnedUserId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Error, presence::did_something};

/// How long somebody types who does not say how long.
const DEFAULT_TIMEOUT: u64 = 30_000;

#[derive(Deserialize)]
pub(crate) struct Typing {
    typing: bool,
    #[serde(default)]
    timeout: Option<u64>,
}

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(users): State<Users>,
    caller: Caller,
    Path((room_id, user_id)): Path<(OwnedRoomId, OwnedUserId)>,
    Json(Typing { typing, timeout }): Json<Typing>,
) -> Result<Json<Value>, Error> {
    caller.must_be(&user_id)?;
    let timeout = Duration::from_millis(timeout.unwrap_or(DEFAULT_TIMEOUT));
    rooms.set_typing(&user_id, &room_id, typing.then_some(timeout))?;
    if typing {
        did_something(&users, &caller);
    }
    Ok(Json(json!({})))
}
