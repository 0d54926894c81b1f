//! `GET /.well-known/matrix/client`

use std::sync::Arc;

use axum::extract::State;
use orvale_http::{MatrixError, Ruma};
use ruma::api::client::discovery::discover_homeserver::{
    HomeserverInfo, IdentityServerInfo, Request, Response,
};

use crate::{Error, discovery::Discovery};

pub(crate) async fn handle(
    State(discovery): State<Arc<Discovery>>,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let config = &discovery.config;
    let base_url = config.base_url.clone();
    let base_url = base_url
        .ok_or_else(|| MatrixError::not_found("This server does not say where clients reach it"))?;
    let mut response = Response::new(HomeserverInfo::new(base_url));
    response.identity_server = config.identity_server.clone().map(IdentityServerInfo::new);
    Ok(response)
}
