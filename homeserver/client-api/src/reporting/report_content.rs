//! `POST /_matrix/client/v3/rooms/{roomId}/report/{eventId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use ruma::api::client::room::report_content::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let reason = request.reason.as_deref().unwrap_or_default();
    rooms
        .report_event(
            caller.user_id(),
            &request.room_id,
            &request.event_id,
            reason,
        )
        .await?;
    Ok(Response::new())
}
