//! `GET /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription`

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::threads::get_thread_subscription::unstable::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let found =
        rooms.thread_subscription(caller.user_id(), &request.room_id, &request.thread_root)?;
    let automatic = found.ok_or_else(|| MatrixError::not_found("you do not follow this thread"))?;
    Ok(Response::new(automatic))
}
