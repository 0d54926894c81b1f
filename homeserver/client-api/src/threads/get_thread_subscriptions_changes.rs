//! `GET /_matrix/client/unstable/io.element.msc4308/thread_subscriptions`

use axum::extract::State;
use orvale_delivery::Delivery;
use orvale_http::{Caller, JsonBytes, Ruma};
use ruma::api::client::threads::get_thread_subscriptions_changes::unstable::Request;

use crate::Error;

pub(crate) async fn handle(
    State(delivery): State<Delivery>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let (from, to) = (request.from.as_deref(), request.to.as_deref());
    let limit = request.limit.map(u64::from);
    let page = delivery.thread_subscriptions(caller.user_id(), from, to, limit)?;
    Ok(JsonBytes(page))
}
