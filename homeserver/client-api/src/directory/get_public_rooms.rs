//! `GET /_matrix/client/v3/publicRooms`

use axum::extract::State;
use orvale_http::Ruma;
use orvale_rooms::Rooms;
use ruma::{
    UInt,
    api::client::directory::get_public_rooms::v3::{Request, Response},
    directory::Filter,
};

use crate::{Error, directory::page};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        limit,
        since,
        server,
        ..
    } = request;
    let page = page(&rooms, server.as_deref(), &Filter::new(), since, limit)?;
    let mut response = Response::new(page.rooms);
    response.next_batch = page.next.map(|token| token.to_string());
    response.prev_batch = page.previous.map(|token| token.to_string());
    response.total_room_count_estimate = UInt::try_from(page.total).ok();
    Ok(response)
}
