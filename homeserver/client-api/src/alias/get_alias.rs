//! `GET /_matrix/client/v3/directory/room/{roomAlias}`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::{OptionalCaller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::{
    client::alias::get_alias::v3::{Request, Response},
    federation::query::get_room_information::v1 as theirs,
};

use crate::{Error, remote};

/// The most servers by which a room is said to be reachable.
const MOST_SERVERS: usize = 50;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(client): State<FederationClient>,
    caller: OptionalCaller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let alias = request.room_alias;
    if alias.server_name() == rooms.server_name() {
        let room = rooms.get_alias(&alias)?;
        let servers = rooms.list_servers(&room, MOST_SERVERS)?;
        return Ok(Response::new(room.id.clone(), servers));
    }
    remote::only_for_users(&caller)?;
    let server = alias.server_name().to_owned();
    let found = client.send(&server, theirs::Request::new(alias)).await?;
    let mut servers = found.servers;
    servers.truncate(MOST_SERVERS);
    Ok(Response::new(found.room_id, servers))
}
