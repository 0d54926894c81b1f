//! `GET /_matrix/client/unstable/org.matrix.msc4143/rtc/transports`: where media of group calls goes.

use std::sync::Arc;

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError};
use serde_json::{Value, json};

use crate::Discovery;

pub(crate) async fn handle(
    State(discovery): State<Arc<Discovery>>,
    caller: Caller,
) -> Result<Json<Value>, MatrixError> {
    caller.must_not_be_guest()?;
    Ok(Json(json!({ "rtc_transports": discovery.rtc_transports })))
}
