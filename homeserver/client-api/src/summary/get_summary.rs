//! `GET /_matrix/client/v1/room_summary/{roomIdOrAlias}`

use axum::extract::State;
use orvale_http::{Json, OptionalCaller, Ruma};
use orvale_rooms::{RoomSummary, Rooms};
use ruma::api::client::room::get_summary::v1::Request;
use serde::Serialize;

use crate::{Error, heavy::heavy};

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
    OptionalCaller(caller): OptionalCaller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Response>, Error> {
    let user = caller.as_ref().map(orvale_http::Caller::user_id);
    let (summary, membership) = heavy(|| {
        let room = rooms.resolve(&request.room_id_or_alias)?;
        rooms.room_summary(user, &room.id)
    })?;
    Ok(Json(Response {
        summary,
        // A stranger has left, as it were; nobody at all has not.
        membership: user.map(|_| membership.map_or("leave", |membership| membership.as_str())),
    }))
}
