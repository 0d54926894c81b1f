//! `PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::api::client::config::set_room_account_data::v3::{Request, Response};

use super::own_room;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_be(&request.user_id)?;
    let room = own_room(&rooms, &request.user_id, &request.room_id)?;
    let (kind, content) = (request.event_type.to_string(), request.data.json().get());
    users
        .set_account_data(&request.user_id, Some(room), &kind, content)
        .await?;
    Ok(Response::new())
}
