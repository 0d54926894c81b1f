//! `POST /_matrix/federation/v1/user/keys/query`

use std::collections::BTreeMap;

use axum::extract::State;
use orvale_http::Ruma;
use orvale_users::Users;
use ruma::api::federation::keys::get_keys::v1::{Request, Response};

use super::without_name;
use crate::{Error, Origin};

pub(crate) async fn handle(
    State(users): State<Users>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let mut response = Response::default();
    for (user, devices) in request.device_keys {
        if !users.is_local(&user) || !users.exists(&user)? {
            continue;
        }
        let mut shown = BTreeMap::new();
        for (device_id, keys) in users.query_keys(&user, &devices, &user)? {
            shown.insert(device_id, without_name(&keys)?);
        }
        let keys = users.cross_signing_keys(&user, &user)?;
        response.device_keys.insert(user.clone(), shown);
        let of_user = |key| (user.clone(), key);
        response.master_keys.extend(keys.master.map(of_user));
        response
            .self_signing_keys
            .extend(keys.self_signing.map(of_user));
    }
    Ok(response)
}
