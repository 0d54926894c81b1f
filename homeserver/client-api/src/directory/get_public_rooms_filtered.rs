//! `POST /_matrix/client/v3/publicRooms`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::{Caller, Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::api::{
    client::directory::get_public_rooms_filtered::v3::{Request, Response},
    federation::directory::get_public_rooms_filtered::v1 as theirs,
};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(client): State<FederationClient>,
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
    if let Some(server) = server.filter(|server| server != rooms.server_name()) {
        let mut asked = theirs::Request::new();
        asked.limit = limit;
        asked.since = since;
        asked.filter = filter;
        asked.room_network = room_network;
        let page = client.send(&server, asked).await?;
        response.chunk = page.chunk;
        response.next_batch = page.next_batch;
        response.prev_batch = page.prev_batch;
        response.total_room_count_estimate = page.total_room_count_estimate;
        return Ok(response);
    }
    let page = heavy(|| rooms.list_published(&filter, &room_network, since.as_deref(), limit))?;
    response.chunk = page.chunk;
    response.next_batch = page.next_batch;
    response.prev_batch = page.prev_batch;
    response.total_room_count_estimate = page.total_room_count_estimate;
    Ok(response)
}
