//! `PUT /_matrix/client/v3/profile/{userId}/{keyName}`

use axum::extract::State;
use orvale_http::{Caller, Json, Path};
use orvale_rooms::Rooms;
use orvale_users::{Error as E, Users};
use ruma::OwnedUserId;
use serde_json::{Map, Value};

use super::{changed, may_change};
use crate::Error;

/// Not ruma's request, which refuses the null by which older clients remove a display name.
pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Path((user_id, field)): Path<(OwnedUserId, String)>,
    Json(mut body): Json<Map<String, Value>>,
) -> Result<Json<Map<String, Value>>, Error> {
    may_change(&caller, &user_id, &field)?;
    let value = body
        .remove(&field)
        .ok_or(E::MissingParam("the value of the profile field"))?;
    let change = users.set_profile_field(&user_id, &field, value).await?;
    changed(rooms, user_id, change);
    Ok(Json(Map::new()))
}
