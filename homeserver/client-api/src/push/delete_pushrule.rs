//! `DELETE /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::push::delete_pushrule::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    users
        .remove_push_rule(caller.user_id(), &request.kind, &request.rule_id)
        .await?;
    Ok(Response::new())
}
