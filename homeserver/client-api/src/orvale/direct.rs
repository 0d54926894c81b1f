//! `POST /_orvale/client/v1/direct/{userId}`

use axum::extract::State;
use orvale_http::{Caller, Json, Path};
use orvale_rooms::Rooms;
use ruma::OwnedUserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;

/// How the room shall be, if it is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Request {
    /// Whether a new room is encrypted from its start. A room that is there stays as it is.
    encrypted: bool,
}

/// The room in which two people write each other.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Response {
    /// Its ID. The caller is joined.
    #[schema(example = "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM")]
    room_id: String,
    /// Whether it was made by this request.
    is_new: bool,
}

/// The room in which the caller and somebody of this server write each other: theirs if they have one, a new one else. However often and by
/// whichever of the two it is asked at once, it is one room. The caller is joined, the other one joined or invited, and `m.direct` of both lists it.
#[utoipa::path(
    post,
    path = "/_orvale/client/v1/direct/{userId}",
    operation_id = "getOrCreateDirectRoom",
    params(("userId" = String, Path, description = "The other one.", example = "@bob:example.org")),
    request_body = Option<Request>,
    responses(
        (status = 200, description = "The room.", body = Response),
        (status = 400, description = "`M_INVALID_PARAM`: that is oneself, or no user ID.", body = super::openapi::StandardError),
        (status = 403, description = "`M_INVITE_BLOCKED`: they take no invites. `M_FORBIDDEN`: they are on another server.", body = super::openapi::StandardError),
        (status = 404, description = "`M_NOT_FOUND`: there is no such user.", body = super::openapi::StandardError)
    ),
    security(("accessToken" = []))
)]
pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Path(other): Path<OwnedUserId>,
    Json(request): Json<Request>,
) -> Result<Json<Response>, Error> {
    caller.must_not_be_guest()?;
    let direct = rooms
        .direct(caller.user_id(), &other, request.encrypted)
        .await?;
    Ok(Json(Response {
        room_id: direct.room.id.to_string(),
        is_new: direct.is_new,
    }))
}
