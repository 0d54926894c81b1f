//! `PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::{NewState, Rooms};
use ruma::api::client::state::send_state_event::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    // Only application services bring in what happened elsewhere before.
    let timestamp = request
        .timestamp
        .filter(|_| caller.session().appservice.is_some());
    let state = NewState {
        kind: request.event_type,
        state_key: request.state_key,
        content: request.body.into_json(),
        timestamp,
    };
    let event_id = rooms
        .send_state(caller.user_id(), &request.room_id, state)
        .await?;
    Ok(Response::new(event_id))
}
