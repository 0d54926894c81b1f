//! `GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma};
use orvale_rooms::Rooms;
use orvale_users::{Error as E, Users};
use ruma::api::client::config::get_room_account_data::v3::Request;

use super::own_room;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    caller.must_be(&request.user_id)?;
    let room = own_room(&rooms, &request.user_id, &request.room_id)?;
    let content = users.account_data(
        &request.user_id,
        Some(room),
        &request.event_type.to_string(),
    )?;
    Ok(JsonBytes(
        content.ok_or(E::NotFound("account data"))?.0.into(),
    ))
}
