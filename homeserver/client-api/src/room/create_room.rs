//! `POST /_matrix/client/v3/createRoom`

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_rooms::{NewRoom, Preset, Rooms};
use ruma::{
    api::client::room::{
        Visibility,
        create_room::v3::{Request, Response, RoomPreset},
    },
    serde::Raw,
};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    if !request.invite_3pid.is_empty() {
        return Err(orvale_rooms::Error::ThirdPartyInvite.into());
    }
    let is_published = match request.visibility {
        Visibility::Public => true,
        Visibility::Private => false,
        _ => return Err(MatrixError::invalid_param("visibility is public or private").into()),
    };
    let preset = match request.preset {
        Some(RoomPreset::PublicChat) => Preset::Public,
        Some(RoomPreset::PrivateChat) => Preset::Private,
        Some(RoomPreset::TrustedPrivateChat) => Preset::TrustedPrivate,
        Some(_) => return Err(MatrixError::invalid_param("this server has no such preset").into()),
        None if is_published => Preset::Public,
        None => Preset::Private,
    };
    let new = NewRoom {
        version: request.room_version,
        preset,
        is_published,
        alias: request.room_alias_name,
        name: request.name,
        topic: request.topic,
        creation_content: request.creation_content.map(Raw::into_json),
        initial_state: request
            .initial_state
            .into_iter()
            .map(Raw::into_json)
            .collect(),
        power_levels: request.power_level_content_override.map(Raw::into_json),
        invite: request.invite,
        is_direct: request.is_direct,
        created: None,
    };
    let room = rooms.create(caller.user_id(), new).await?;
    Ok(Response::new(room.id.clone()))
}
