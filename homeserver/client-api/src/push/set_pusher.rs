//! `POST /_matrix/client/v3/pushers/set`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::{Error as E, Users};
use ruma::api::client::push::set_pusher::v3::{PusherAction, Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let user_id = caller.user_id();
    match request.action {
        PusherAction::Post(new) => {
            users
                .set_pusher(user_id, caller.device_id(), &new.pusher, new.append)
                .await?;
        }
        PusherAction::Delete(ids) => users.remove_pusher(user_id, &ids).await?,
        _ => return Err(E::InvalidParam("a pusher is set or removed".to_owned()).into()),
    }
    Ok(Response::new())
}
