//! `GET /.well-known/matrix/support`

use std::sync::Arc;

use axum::extract::State;
use orvale_http::{Json, MatrixError, Ruma};
use ruma::api::client::discovery::discover_support::Request;

use crate::{
    Error,
    discovery::{Discovery, Support},
};

pub(crate) async fn handle(
    State(discovery): State<Arc<Discovery>>,
    _: Ruma<Request>,
) -> Result<Json<Support>, Error> {
    let support = &discovery.config.support;
    if support.contacts.is_empty() && support.support_page.is_none() {
        let message = "This server does not say whom to ask for help";
        return Err(MatrixError::not_found(message).into());
    }
    Ok(Json(support.clone()))
}
