//! `GET /_matrix/client/v1/room_summary/{roomIdOrAlias}`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::{Json, MatrixError, OptionalCaller, Ruma, heavy};
use orvale_rooms::{Error as E, Membership, RoomSummary, Rooms};
use ruma::{
    OwnedRoomId, OwnedRoomOrAliasId, OwnedServerName, RoomAliasId, UserId,
    api::{client::room::get_summary::v1::Request, federation::query::get_room_information},
};
use serde::Serialize;

use crate::{Error, RemoteRooms, remote::only_for_users};

/// Ours, for ruma's cannot be written where a join rule is none of the specification's.
#[derive(Serialize)]
pub(crate) struct Response {
    #[serde(flatten)]
    summary: RoomSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<&'static str>,
}

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(client): State<FederationClient>,
    State(remote): State<RemoteRooms>,
    caller: OptionalCaller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Response>, Error> {
    let user = caller.0.as_ref().map(orvale_http::Caller::user_id);
    let found = heavy(|| {
        let room = rooms.resolve(&request.room_id_or_alias)?;
        rooms.room_summary(user, &room.id)
    });
    let (summary, membership) = match found {
        Ok(found) => found,
        Err(E::Unreachable) => {
            only_for_users(&caller)?;
            let user = user.ok_or_else(MatrixError::missing_token)?;
            elsewhere(&rooms, &client, &remote, user, request).await?
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Json(Response {
        summary,
        // A stranger has left, as it were; nobody at all has not.
        membership: user.map(|_| membership.map_or("leave", |membership| membership.as_str())),
    }))
}

/// The summary of a room that is not here, or is known here by another server's alias.
async fn elsewhere(
    rooms: &Rooms,
    client: &FederationClient,
    remote: &RemoteRooms,
    user: &UserId,
    request: Request,
) -> Result<(RoomSummary, Option<Membership>), Error> {
    let (room_id, servers) = place(client, request.room_id_or_alias, request.via).await?;
    if rooms.find(&room_id)?.is_some() {
        return Ok(heavy(|| rooms.room_summary(Some(user), &room_id))?);
    }
    match remote.get(&room_id, &servers).await {
        Some(room) if rooms.may_know_elsewhere(user, &room.summary)? => {
            Ok((room.summary.clone(), None))
        }
        _ => Err(E::UnknownRoom(room_id).into()),
    }
}

/// The ID of a room, and servers that may know it.
async fn place(
    client: &FederationClient,
    room: OwnedRoomOrAliasId,
    via: Vec<OwnedServerName>,
) -> Result<(OwnedRoomId, Vec<OwnedServerName>), Error> {
    let (room_id, servers) = match <&RoomAliasId>::try_from(&*room) {
        Ok(alias) => {
            let asked = get_room_information::v1::Request::new(alias.to_owned());
            let found = client.send(alias.server_name(), asked).await?;
            (found.room_id, [via, found.servers].concat())
        }
        Err(id) => {
            let of_id = id.server_name().map(ToOwned::to_owned);
            (id.to_owned(), via.into_iter().chain(of_id).collect())
        }
    };
    Ok((room_id, servers))
}
