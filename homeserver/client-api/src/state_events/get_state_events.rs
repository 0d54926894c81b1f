//! `GET /_matrix/client/v3/rooms/{roomId}/state`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::api::client::state::get_state_events::v3::Request;

use crate::{Error, events};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    rooms
        .await_members(caller.user_id(), &request.room_id)
        .await?;
    heavy(|| {
        let state = rooms.list_visible_state(caller.user_id(), &request.room_id)?;
        let mut out = Vec::with_capacity(1024 * state.len());
        events::write_list(&state, &mut out)?;
        Ok(JsonBytes(out.into()))
    })
}
