//! `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::push::set_pushrule_enabled::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let Request {
        kind,
        rule_id,
        enabled,
        ..
    } = request;
    users
        .set_push_rule_enabled(caller.user_id(), &kind, &rule_id, enabled)
        .await?;
    Ok(Response::new())
}
