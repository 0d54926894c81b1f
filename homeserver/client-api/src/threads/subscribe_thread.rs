//! `PUT /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::threads::subscribe_thread::unstable::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let (room, root, cause) = (request.room_id, request.thread_root, request.automatic);
    rooms
        .subscribe_to_thread(caller.user_id(), &room, &root, cause.as_deref())
        .await?;
    Ok(Response::new())
}
