//! `DELETE /_matrix/client/v3/directory/room/{roomAlias}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::alias::delete_alias::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let is_admin = caller.session().admin;
    rooms
        .remove_alias(caller.user_id(), &request.room_alias, is_admin)
        .await?;
    Ok(Response::new())
}
