//! `PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::{Rooms, Txn};
use orvale_users::{Standing, Users};
use ruma::api::client::redact::redact_event::v3::{Request, Response};

use crate::{Error, presence::did_something};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let Request {
        room_id,
        event_id,
        txn_id,
        reason,
        ..
    } = request;
    let device = caller.device_id().as_str();
    if caller.session().standing == Standing::Suspended {
        let shown = rooms.get_event(caller.user_id(), device, &room_id, &event_id)?;
        if shown.event.pdu.sender != caller.user_id() {
            return Err(orvale_users::Error::Suspended.into());
        }
    }
    let txn = Txn {
        device,
        id: txn_id.as_str(),
    };
    let redaction = rooms
        .redact(
            caller.user_id(),
            &room_id,
            &event_id,
            reason.as_deref(),
            txn,
        )
        .await?;
    did_something(&users, &caller);
    Ok(Response::new(redaction))
}
