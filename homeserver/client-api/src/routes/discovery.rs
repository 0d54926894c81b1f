//! What the server is and can do.

use axum::Router;
use orvale_http::Endpoints;

use crate::{
    ApiState,
    discovery::{discover_homeserver, get_capabilities, get_supported_versions},
};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .endpoint(discover_homeserver::handle)
        .endpoint(get_supported_versions::handle)
        .endpoint(get_capabilities::handle)
}
