//! `GET /_matrix/client/v3/publicRooms`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::{OptionalCaller, Ruma};
use orvale_rooms::Rooms;
use ruma::{
    UInt,
    api::{
        client::directory::get_public_rooms::v3::{Request, Response},
        federation::directory::get_public_rooms::v1 as theirs,
    },
    directory::Filter,
};

use crate::{Error, directory::page, remote};

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
    let page = page(&rooms, &Filter::new(), since, limit)?;
    let mut response = Response::new(page.rooms);
    response.next_batch = page.next.map(|token| token.to_string());
    response.prev_batch = page.previous.map(|token| token.to_string());
    response.total_room_count_estimate = UInt::try_from(page.total).ok();
    Ok(response)
}
