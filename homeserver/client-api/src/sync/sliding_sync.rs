//! `POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync`
//!
//! Of a shape of its own, because ruma's lacks some of the filters, and the newer form of what state is required.

use axum::extract::State;
use orvale_delivery::{Delivery, SlidingBody, SlidingQuery};
use orvale_http::{Caller, Json, JsonBytes, Query};

use crate::Error;

pub(crate) const PATH: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

pub(crate) async fn handle(
    State(delivery): State<Delivery>,
    caller: Caller,
    Query(query): Query<SlidingQuery>,
    Json(body): Json<SlidingBody>,
) -> Result<JsonBytes, Error> {
    let answer = delivery.sliding_sync(caller.user_id(), caller.device_id(), query, body);
    Ok(JsonBytes(answer.await?))
}
