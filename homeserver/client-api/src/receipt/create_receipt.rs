//! `POST /_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}`

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::{
    api::client::receipt::create_receipt::v3::{ReceiptType as Asked, Request, Response},
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
        receipt_type,
        event_id,
        thread,
        ..
    } = request;
    let kind = match receipt_type {
        Asked::Read => ReceiptType::Read,
        Asked::ReadPrivate => ReceiptType::ReadPrivate,
        Asked::FullyRead if thread == ReceiptThread::Unthreaded => {
            rooms
                .set_fully_read(caller.user_id(), &room_id, &event_id)
                .await?;
            return Ok(Response::new());
        }
        Asked::FullyRead => {
            return Err(MatrixError::invalid_param("m.fully_read knows no threads").into());
        }
        _ => return Err(MatrixError::invalid_param("there is no such type of receipt").into()),
    };
    rooms
        .set_receipt(caller.user_id(), &room_id, kind, &event_id, &thread)
        .await?;
    did_something(&users, &caller);
    Ok(Response::new())
}
