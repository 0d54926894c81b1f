//! `POST /_matrix/client/v3/rooms/{roomId}/invite`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::membership::invite_user::v3::{InvitationRecipient, Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let room = rooms.get_joined(caller.user_id(), &request.room_id)?;
    let InvitationRecipient::UserId(invited) = request.recipient else {
        return Err(orvale_rooms::Error::ThirdPartyInvite.into());
    };
    rooms
        .invite(
            caller.user_id(),
            &invited.user_id,
            &room,
            invited.reason.as_deref(),
        )
        .await?;
    Ok(Response::new())
}
