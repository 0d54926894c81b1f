//! Sync, and what users were notified of.

use axum::Router;
use orvale_http::Endpoints;

use crate::{ApiState, push::get_notifications, sync::sync_events};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .endpoint(sync_events::handle)
        .endpoint(get_notifications::handle)
}
