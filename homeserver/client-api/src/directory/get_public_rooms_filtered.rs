//! `POST /_matrix/client/v3/publicRooms`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::{
    UInt,
    api::client::directory::get_public_rooms_filtered::v3::{Request, Response},
    directory::RoomNetwork,
};

use crate::{Error, directory::page};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    _: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        server,
        limit,
        since,
        filter,
        room_network,
        ..
    } = request;
    let mut response = Response::new();
    // The rooms of bridges are listed by the bridges' own servers, if at all.
    if matches!(room_network, RoomNetwork::ThirdParty(_)) {
        return Ok(response);
    }
    let page = page(&rooms, server.as_deref(), &filter, since, limit)?;
    response.chunk = page.rooms;
    response.next_batch = page.next.map(|token| token.to_string());
    response.prev_batch = page.previous.map(|token| token.to_string());
    response.total_room_count_estimate = UInt::try_from(page.total).ok();
    Ok(response)
}
