//! `GET /_matrix/federation/v1/publicRooms`

use axum::extract::State;
use orvale_http::{Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::{
    api::federation::directory::get_public_rooms::v1::{Request, Response},
    directory::Filter,
};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let page = heavy(|| {
        rooms.list_published(
            &Filter::default(),
            &request.room_network,
            request.since.as_deref(),
            request.limit,
        )
    })?;
    let mut response = Response::new();
    response.chunk = page.chunk;
    response.next_batch = page.next_batch;
    response.prev_batch = page.prev_batch;
    response.total_room_count_estimate = page.total_room_count_estimate;
    Ok(response)
}
