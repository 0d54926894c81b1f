//! `DELETE /_matrix/client/unstable/org.matrix.msc3391/user/{userId}/account_data/{type}`, and of one room
//! `…/user/{userId}/rooms/{roomId}/account_data/{type}`

use axum::extract::State;
use orvale_http::{Caller, Json, Path};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::{OwnedRoomId, OwnedUserId};
use serde_json::{Value, json};

use super::own_room;
use crate::Error;

pub(crate) async fn global(
    State(users): State<Users>,
    caller: Caller,
    Path((user_id, kind)): Path<(OwnedUserId, String)>,
) -> Result<Json<Value>, Error> {
    caller.must_be(&user_id)?;
    users.remove_account_data(&user_id, None, &kind).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn of_room(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Path((user_id, room_id, kind)): Path<(OwnedUserId, OwnedRoomId, String)>,
) -> Result<Json<Value>, Error> {
    caller.must_be(&user_id)?;
    let room = own_room(&rooms, &user_id, &room_id)?;
    users
        .remove_account_data(&user_id, Some(room), &kind)
        .await?;
    Ok(Json(json!({})))
}
