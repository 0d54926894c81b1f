//! Sync, and what users were notified of.

use axum::{Router, routing::post};
use orvale_http::Endpoints;

use crate::{
    ApiState,
    push::get_notifications,
    sync::{sliding_sync, sync_events},
};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .endpoint(sync_events::handle)
        .route(sliding_sync::PATH, post(sliding_sync::handle))
        .endpoint(get_notifications::handle)
}
