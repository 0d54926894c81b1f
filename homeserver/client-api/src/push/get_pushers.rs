//! `GET /_matrix/client/v3/pushers`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::push::get_pushers::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let pushers = users.pushers(caller.user_id())?;
    Ok(Response::new(
        pushers.iter().map(|stored| stored.pusher.clone()).collect(),
    ))
}
