//! `GET /_matrix/client/v3/profile/{userId}/{keyName}`

use std::collections::BTreeMap;

use axum::extract::State;
use orvale_http::{Json, OptionalCaller, Ruma};
use orvale_users::{Error as E, Users};
use ruma::api::client::profile::get_profile_field::v3::Request;
use serde_json::Value;

use super::{RemoteProfiles, must_exist};
use crate::{Error, remote};

pub(crate) async fn handle(
    State(users): State<Users>,
    State(profiles): State<RemoteProfiles>,
    caller: OptionalCaller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<BTreeMap<String, Value>>, Error> {
    let name = request.field.to_string();
    if !users.is_local(&request.user_id) {
        remote::only_for_users(&caller)?;
        let fields = profiles.get(&request.user_id).await?;
        let value = fields.get(&name).ok_or(E::NotFound("profile field"))?;
        return Ok(Json(BTreeMap::from([(name, value.clone())])));
    }
    must_exist(&users, &request.user_id)?;
    let value = users
        .profile_field(&request.user_id, &name)?
        .ok_or(E::NotFound("profile field"))?;
    let value = value
        .parse()
        .map_err(|e: serde_json::Error| E::Internal(e.to_string()))?;
    Ok(Json(BTreeMap::from([(name, value)])))
}
