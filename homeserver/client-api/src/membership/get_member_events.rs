//! `GET /_matrix/client/v3/rooms/{roomId}/members`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma, heavy};
use orvale_rooms::{Members, Rooms};
use ruma::api::client::membership::get_member_events::v3::Request;

use crate::{Error, events};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let Request {
        room_id,
        at,
        membership,
        not_membership,
        ..
    } = request;
    let at = at.map(|token| token.parse()).transpose()?;
    let wanted = Members {
        at,
        membership,
        not_membership,
    };
    rooms.await_members(caller.user_id(), &room_id).await?;
    heavy(|| {
        let members = rooms.list_members(caller.user_id(), &room_id, &wanted)?;
        let mut out = b"{\"chunk\":".to_vec();
        events::write_list(&members, &mut out)?;
        out.push(b'}');
        Ok(JsonBytes(out.into()))
    })
}
