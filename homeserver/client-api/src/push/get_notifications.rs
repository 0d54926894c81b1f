//! `GET /_matrix/client/v3/notifications`

use axum::extract::State;
use orvale_delivery::Delivery;
use orvale_http::{Caller, JsonBytes, Ruma};
use ruma::api::client::push::get_notifications::v3::Request;

use crate::Error;

pub(crate) async fn handle(
    State(delivery): State<Delivery>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let limit = request
        .limit
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let only_highlights = request.only.as_deref() == Some("highlight");
    let (user_id, device_id) = (caller.user_id(), caller.device_id());
    let page = delivery.notifications(
        user_id,
        device_id,
        request.from.as_deref(),
        limit,
        only_highlights,
    );
    Ok(JsonBytes(page?))
}
