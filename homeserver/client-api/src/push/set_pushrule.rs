//! `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::push::set_pushrule::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let (after, before) = (request.after.as_deref(), request.before.as_deref());
    users
        .set_push_rule(caller.user_id(), request.rule, after, before)
        .await?;
    Ok(Response::new())
}
