//! `GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}`

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_rooms::Rooms;
use ruma::{
    api::client::state::get_state_event_for_key::v3::{Request, Response, StateEventFormat},
    events::StateEventType,
};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        room_id,
        event_type,
        state_key,
        format,
        ..
    } = request;
    let user = caller.user_id();
    let shown = match rooms.get_state(user, &room_id, &event_type, &state_key) {
        Err(orvale_rooms::Error::NoSuchState) if event_type == StateEventType::RoomMember => {
            // It may be one of those that are not known yet.
            rooms.await_members(user, &room_id).await?;
            rooms.get_state(user, &room_id, &event_type, &state_key)?
        }
        found => found?,
    };
    match format {
        StateEventFormat::Content => Ok(Response::new(shown.event.pdu.content.clone())),
        StateEventFormat::Event => Ok(Response::new(shown.event.client_format(&shown.reader)?)),
        _ => Err(MatrixError::invalid_param("format is content or event").into()),
    }
}
