//! `POST /_matrix/client/v3/rooms/{roomId}/read_markers`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::{
    api::client::read_marker::set_read_marker::v3::{Request, Response},
    events::receipt::{ReceiptThread, ReceiptType},
};

use crate::{Error, presence::did_something};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        room_id,
        fully_read,
        read_receipt,
        private_read_receipt,
        ..
    } = request;
    let user = caller.user_id();
    rooms.get_joined(user, &room_id)?;
    if let Some(event_id) = fully_read {
        rooms.set_fully_read(user, &room_id, &event_id).await?;
    }
    let receipts = [
        (ReceiptType::Read, read_receipt),
        (ReceiptType::ReadPrivate, private_read_receipt),
    ];
    for (kind, event_id) in receipts {
        if let Some(event_id) = event_id {
            rooms
                .set_receipt(user, &room_id, kind, &event_id, &ReceiptThread::Unthreaded)
                .await?;
        }
    }
    did_something(&users, &caller);
    Ok(Response::new())
}
