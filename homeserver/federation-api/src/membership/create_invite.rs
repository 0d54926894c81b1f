//! `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}`, and its version 1.

use axum::extract::State;
use http::StatusCode;
use orvale_http::{MatrixError, Ruma};
use orvale_rooms::Rooms;
use ruma::{
    RoomVersionId,
    api::federation::membership::create_invite::{
        v1,
        v2::{Request, Response},
    },
};

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let place = (&*request.room_id, &*request.event_id);
    let shown = request
        .invite_room_state
        .iter()
        .map(serde_json::value::to_raw_value)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| MatrixError::unexpected(&error))?;
    let signed = rooms
        .take_invite(
            &origin,
            place,
            &request.room_version,
            &request.event,
            &shown,
        )
        .await;
    match signed {
        Ok(signed) => Ok(Response::new(signed)),
        Err(orvale_rooms::Error::UnsupportedRoomVersion(_)) => {
            Err(incompatible(&request.room_version))
        }
        Err(error) => Err(error.into()),
    }
}

/// `PUT /_matrix/federation/v1/invite/{roomId}/{eventId}`: it is for rooms of the versions 1 and 2 alone, and there are none here.
pub(crate) async fn v1(_: Origin, Ruma(_): Ruma<v1::Request>) -> Result<v1::Response, Error> {
    Err(incompatible(&RoomVersionId::V1))
}

fn incompatible(version: &RoomVersionId) -> Error {
    let message = format!("This server has no rooms of version {version}");
    let error = MatrixError::new(
        StatusCode::BAD_REQUEST,
        "M_INCOMPATIBLE_ROOM_VERSION",
        message,
    );
    error.with("room_version", version.as_str()).into()
}
