//! `GET /_matrix/client/v3/profile/{userId}/{keyName}`

use std::collections::BTreeMap;

use axum::extract::State;
use orvale_http::{Json, Ruma};
use orvale_users::{Error as E, Users};
use ruma::api::client::profile::get_profile_field::v3::Request;
use serde_json::Value;

use super::must_exist;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    Ruma(request): Ruma<Request>,
) -> Result<Json<BTreeMap<String, Value>>, Error> {
    must_exist(&users, &request.user_id)?;
    let name = request.field.to_string();
    let value = users
        .profile_field(&request.user_id, &name)?
        .ok_or(E::NotFound("profile field"))?;
    let value = value
        .parse()
        .map_err(|e: serde_json::Error| E::Internal(e.to_string()))?;
    Ok(Json(BTreeMap::from([(name, value)])))
}
