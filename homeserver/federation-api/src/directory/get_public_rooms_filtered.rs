//! `POST /_matrix/federation/v1/publicRooms`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::{
    UInt,
    api::federation::directory::get_public_rooms_filtered::v1::{Request, Response},
};

use crate::{Error, Origin, directory::page};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let page = page(
        &rooms,
        &request.filter,
        request.since,
        request.limit,
        &request.room_network,
    )?;
    let mut response = Response::new();
    response.chunk = page.rooms;
    response.next_batch = page.next.map(|token| token.to_string());
    response.prev_batch = page.previous.map(|token| token.to_string());
    response.total_room_count_estimate = UInt::try_from(page.total).ok();
    Ok(response)
}
