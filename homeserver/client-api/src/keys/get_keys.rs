//! `POST /_matrix/client/v3/keys/query`

use std::collections::BTreeMap;

use axum::extract::State;
use orvale_delivery::Delivery;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::keys::get_keys::v3::{Request, Response};

use super::patience;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    State(delivery): State<Delivery>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let reader = caller.user_id();
    let mut response = Response::new();
    for (user_id, device_ids) in &request.device_keys {
        if users.exists(user_id)? {
            response.device_keys.insert(
                user_id.clone(),
                users.query_keys(user_id, device_ids, reader)?,
            );
            let keys = users.cross_signing_keys(user_id, reader)?;
            let add = |to: &mut BTreeMap<_, _>, key: Option<_>| {
                to.extend(key.map(|key| (user_id.clone(), key)));
            };
            add(&mut response.master_keys, keys.master);
            add(&mut response.self_signing_keys, keys.self_signing);
            add(&mut response.user_signing_keys, keys.user_signing);
        }
    }
    let foreign = delivery
        .foreign_keys(reader, &request.device_keys, patience(request.timeout))
        .await?;
    response.device_keys.extend(foreign.device_keys);
    response.master_keys.extend(foreign.master_keys);
    response.self_signing_keys.extend(foreign.self_signing_keys);
    response.failures = foreign.failures;
    Ok(response)
}
