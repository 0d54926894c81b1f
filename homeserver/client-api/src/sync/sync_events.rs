//! `GET /_matrix/client/v3/sync`

use axum::extract::State;
use orvale_delivery::Delivery;
use orvale_http::{Caller, JsonBytes, Ruma};
use ruma::api::client::sync::sync_events::v3::Request;

use crate::Error;

pub(crate) async fn handle(
    State(delivery): State<Delivery>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let answer = delivery.sync(caller.user_id(), caller.device_id(), request);
    Ok(JsonBytes(answer.await?))
}
