//! `PUT /_matrix/client/v3/sendToDevice/{eventType}/{txnId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::to_device::send_event_to_device::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let transaction = Some((caller.device_id(), &*request.txn_id));
    let kind = request.event_type.to_string();
    users
        .send_to_device(caller.user_id(), transaction, &kind, &request.messages)
        .await?;
    Ok(Response::new())
}
