//! `GET /.well-known/matrix/client`

use std::sync::Arc;

use axum::extract::State;
use orvale_http::{Json, MatrixError, Ruma};
use ruma::api::client::discovery::discover_homeserver::Request;
use serde_json::{Value, json};

use crate::{Error, discovery::Discovery};

pub(crate) async fn handle(
    State(discovery): State<Arc<Discovery>>,
    _: Ruma<Request>,
) -> Result<Json<Value>, Error> {
    let config = &discovery.config;
    let base_url = config
        .base_url
        .as_ref()
        .ok_or_else(|| MatrixError::not_found("This server does not say where clients reach it"))?;
    let mut answer = json!({ "m.homeserver": { "base_url": base_url } });
    if let Some(identity_server) = &config.identity_server {
        answer["m.identity_server"] = json!({ "base_url": identity_server });
    }
    if !discovery.rtc_transports.is_empty() {
        answer["org.matrix.msc4143.rtc_foci"] = json!(discovery.rtc_transports);
    }
    Ok(Json(answer))
}
