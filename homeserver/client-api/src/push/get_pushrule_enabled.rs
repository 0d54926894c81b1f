//! `GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::{Error as E, Users};
use ruma::api::client::push::get_pushrule_enabled::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let rules = users.push_rules(caller.user_id())?;
    let rule = rules
        .get(request.kind, &request.rule_id)
        .ok_or(E::NotFound("push rule"))?;
    Ok(Response::new(rule.enabled()))
}
