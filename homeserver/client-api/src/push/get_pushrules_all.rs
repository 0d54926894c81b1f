//! `GET /_matrix/client/v3/pushrules/`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::push::get_pushrules_all::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    Ok(Response::new(
        (*users.push_rules(caller.user_id())?).clone(),
    ))
}
