//! `GET /_matrix/client/v3/voip/turnServer`

use axum::extract::State;
use orvale_calls::Turn;
use orvale_http::{Caller, Json, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::voip::get_turn_server_info::v3::Request;
use serde_json::{Value, json};

use crate::Error;

pub(crate) async fn handle(
    State(turn): State<Turn>,
    State(rooms): State<Rooms>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Json<Value>, Error> {
    caller.must_not_be_guest()?;
    // Without any there is an empty object, which ruma's response cannot be.
    let given = turn.credentials(caller.user_id(), rooms.now());
    Ok(Json(given.map_or(json!({}), |given| {
        json!({
            "username": given.username,
            "password": given.password,
            "uris": given.uris,
            "ttl": given.lifetime.as_secs(),
        })
    })))
}
