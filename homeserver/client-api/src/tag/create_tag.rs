//! `PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use orvale_users::{Error as E, Users};
use ruma::api::client::tag::create_tag::v3::{Request, Response};
use serde_json::Value;

use crate::{Error, config::own_room};

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    let room = own_room(&rooms, &request.user_id, &request.room_id)?;
    let Ok(Value::Object(info)) = serde_json::to_value(&request.tag_info) else {
        return Err(E::BadJson("what is said of a tag is a JSON object".to_owned()).into());
    };
    users
        .set_tag(&request.user_id, room, &request.tag, info)
        .await?;
    Ok(Response::new())
}
