//! `GET /.well-known/matrix/server`: where other servers reach this one.

use std::sync::Arc;

use axum::extract::State;
use orvale_http::{Json, MatrixError};
use serde_json::{Value, json};

use crate::discovery::Discovery;

pub(crate) async fn handle(
    State(discovery): State<Arc<Discovery>>,
) -> Result<Json<Value>, MatrixError> {
    let server = discovery.config.server.as_ref();
    let server = server
        .ok_or_else(|| MatrixError::not_found("Other servers reach this one under its own name"))?;
    Ok(Json(json!({ "m.server": server })))
}
