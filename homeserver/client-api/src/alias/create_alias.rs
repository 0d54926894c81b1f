//! `PUT /_matrix/client/v3/directory/room/{roomAlias}`

use axum::extract::State;
use http::StatusCode;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::alias::create_alias::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let room = rooms.get_joined(caller.user_id(), &request.room_id)?;
    match rooms
        .create_alias(caller.user_id(), &request.room_alias, &room)
        .await
    {
        Ok(()) => Ok(Response::new()),
        // Here, and only here, the specification calls it a conflict.
        Err(taken @ orvale_rooms::Error::AliasInUse(_)) => {
            Err(MatrixError::new(StatusCode::CONFLICT, "M_UNKNOWN", taken.to_string()).into())
        }
        Err(error) => Err(error.into()),
    }
}
