//! `GET /_matrix/client/v3/publicRooms`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::{OptionalCaller, Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::{
    api::{
        client::directory::get_public_rooms::v3::{Request, Response},
        federation::directory::get_public_rooms::v1 as theirs,
    },
    directory::{Filter, RoomNetwork},
};

use crate::{Error, remote};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(client): State<FederationClient>,
    caller: OptionalCaller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        limit,
        since,
        server,
        ..
    } = request;
    if let Some(server) = server.filter(|server| server != rooms.server_name()) {
        remote::only_for_users(&caller)?;
        let mut asked = theirs::Request::new();
        (asked.limit, asked.since) = (limit, since);
        let page = client.send(&server, asked).await?;
        let mut response = Response::new(page.chunk);
        response.next_batch = page.next_batch;
        response.prev_batch = page.prev_batch;
        response.total_room_count_estimate = page.total_room_count_estimate;
        return Ok(response);
    }
    let page = heavy(|| {
        rooms.list_published(
            &Filter::new(),
            &RoomNetwork::Matrix,
            since.as_deref(),
            limit,
        )
    })?;
    let mut response = Response::new(page.chunk);
    response.next_batch = page.next_batch;
    response.prev_batch = page.prev_batch;
    response.total_room_count_estimate = page.total_room_count_estimate;
    Ok(response)
}
