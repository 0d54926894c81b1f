//! What the server is and can do.

use axum::{Router, routing::get};
use orvale_http::Endpoints;

use crate::{
    ApiState,
    discovery::{
        discover_homeserver, discover_server, discover_support, get_capabilities,
        get_supported_versions,
    },
};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .endpoint(discover_homeserver::handle)
        .route("/.well-known/matrix/server", get(discover_server::handle))
        .endpoint(discover_support::handle)
        .endpoint(get_supported_versions::handle)
        .endpoint(get_capabilities::handle)
}
