//! `GET /_matrix/client/v3/profile/{userId}`

use std::collections::BTreeMap;

use axum::extract::State;
use orvale_http::{Json, OptionalCaller, Ruma};
use orvale_users::Users;
use ruma::api::client::profile::get_profile::v3::Request;
use serde_json::Value;

use super::{RemoteProfiles, must_exist};
use crate::{Error, remote};

pub(crate) async fn handle(
    State(users): State<Users>,
    State(profiles): State<RemoteProfiles>,
    caller: OptionalCaller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<BTreeMap<String, Value>>, Error> {
    if !users.is_local(&request.user_id) {
        remote::only_for_users(&caller)?;
        let fields = profiles.get(&request.user_id).await?;
        return Ok(Json((*fields).clone()));
    }
    must_exist(&users, &request.user_id)?;
    let fields = users.profile(&request.user_id)?.into_iter();
    Ok(Json(
        fields
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect(),
    ))
}
