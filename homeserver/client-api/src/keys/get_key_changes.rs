//! `GET /_matrix/client/v3/keys/changes`

use axum::extract::State;
use orvale_delivery::Delivery;
use orvale_http::{Caller, Ruma};
use ruma::api::client::keys::get_key_changes::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(delivery): State<Delivery>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let lists = delivery.key_changes(caller.user_id(), &request.from, &request.to);
    let lists = lists.await?;
    Ok(Response::new(
        lists.changed.into_iter().collect(),
        lists.left.into_iter().collect(),
    ))
}
