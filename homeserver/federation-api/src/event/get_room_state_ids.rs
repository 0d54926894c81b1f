//! `GET /_matrix/federation/v1/state_ids/{roomId}`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::api::federation::event::get_room_state_ids::v1::{Request, Response};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let given = rooms.state_for_server(&origin, &request.room_id, &request.event_id)?;
    let ids = |events: &[std::sync::Arc<orvale_rooms::StoredEvent>]| {
        let ids = events.iter().map(|event| event.event_id().to_owned());
        ids.collect()
    };
    Ok(Response::new(ids(&given.auth_chain), ids(&given.state)))
}
