//! `PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::{Message, Rooms, Txn};
use orvale_users::Users;
use ruma::api::client::message::send_message_event::v3::{Request, Response};

use crate::{Error, presence::did_something};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    // Only application services bring in what happened elsewhere before.
    let timestamp = request
        .timestamp
        .filter(|_| caller.session().appservice.is_some());
    let message = Message {
        kind: request.event_type,
        content: request.body.into_json(),
        timestamp,
    };
    let txn = Txn {
        device: caller.device_id().as_str(),
        id: request.txn_id.as_str(),
    };
    let event_id = rooms
        .send(caller.user_id(), &request.room_id, message, txn)
        .await?;
    did_something(&users, &caller);
    Ok(Response::new(event_id))
}
