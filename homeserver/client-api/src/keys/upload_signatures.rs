//! `POST /_matrix/client/v3/keys/signatures/upload`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Ruma};
use orvale_users::{SignedKeys, Users};
use ruma::api::client::keys::upload_signatures::v3::Request;
use serde_json::{Map, Value};

use crate::Error;

// Not ruma's response: its failures can have one errcode alone.
pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Value>, Error> {
    let mut signed = SignedKeys::new();
    for (user_id, keys) in request.signed_keys {
        let keys = keys.iter();
        let keys = keys.map(|(key, json)| (key.to_owned(), json.get().to_owned()));
        signed.insert(user_id, keys.collect());
    }
    let failures = users.upload_signatures(caller.user_id(), &signed).await?;
    let mut body = Map::new();
    for (user_id, keys) in failures {
        let keys = keys.into_iter();
        let keys = keys.map(|(key, error)| (key, Value::Object(MatrixError::from(error).body())));
        body.insert(user_id.into(), Value::Object(keys.collect()));
    }
    Ok(Json(serde_json::json!({ "failures": body })))
}
