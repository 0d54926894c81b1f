//! Sync.

use axum::Router;
use orvale_http::Endpoints;

use crate::{ApiState, sync::sync_events};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new().endpoint(sync_events::handle)
}
