//! `GET /_matrix/client/v3/rooms/{roomId}/joined_members`

use axum::extract::State;
use orvale_http::{Caller, Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::api::client::membership::joined_members::v3::{Request, Response, RoomMember};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    rooms
        .await_members(caller.user_id(), &request.room_id)
        .await?;
    let members = heavy(|| rooms.list_joined_members(caller.user_id(), &request.room_id))?;
    let shown = members.into_iter().map(|(user_id, event)| {
        let mut member = RoomMember::new();
        member.display_name = event.pdu.content_field("displayname");
        member.avatar_url = event.pdu.content_field("avatar_url");
        (user_id, member)
    });
    Ok(Response::new(shown.collect()))
}
