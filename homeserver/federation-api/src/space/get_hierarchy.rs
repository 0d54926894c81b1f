//! `GET /_matrix/federation/v1/hierarchy/{roomId}`

use axum::extract::State;
use orvale_http::{Json, Ruma, heavy};
use orvale_rooms::{RoomSummary, Rooms};
use ruma::{OwnedRoomId, api::federation::space::get_hierarchy::v1::Request};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Error, Origin};

/// Ours, for ruma's cannot be written where a join rule is none of the specification's.
#[derive(Serialize)]
pub(crate) struct Response {
    room: Space,
    children: Vec<RoomSummary>,
    inaccessible_children: Vec<OwnedRoomId>,
}

#[derive(Serialize)]
struct Space {
    #[serde(flatten)]
    summary: RoomSummary,
    children_state: Vec<std::sync::Arc<RawValue>>,
}

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Response>, Error> {
    let found =
        heavy(|| rooms.space_for_server(&origin, &request.room_id, request.suggested_only))?;
    Ok(Json(Response {
        room: Space {
            summary: found.room.summary,
            children_state: found.room.children,
        },
        children: found.children,
        inaccessible_children: found.inaccessible,
    }))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use orvale_rooms::{NewRoom, Preset};

    use crate::testing::Server;

    #[tokio::test]
    async fn a_space_is_told_to_servers_that_may_know_of_it() {
        let server = Server::start().await;
        let them = server.knows("them.example").await;
        let alice = server.account("alice").await;
        for (preset, may_know) in [(Preset::Public, true), (Preset::Private, false)] {
            let new = NewRoom {
                preset,
                ..NewRoom::default()
            };
            let room = server.state.rooms.create(&alice, new).await.unwrap();
            let path = format!("/_matrix/federation/v1/hierarchy/{}", room.id);
            let answer = server.ask(&them, Method::GET, &path, None).await;
            if may_know {
                let told = answer.ok();
                assert_eq!(told["room"]["room_id"], room.id.as_str());
                assert_eq!(told["room"]["children_state"], serde_json::json!([]));
            } else {
                answer.refused(404, "M_NOT_FOUND");
            }
        }
    }
}
