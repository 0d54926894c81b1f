//! Accounts, sessions, devices, account data, profiles, push rules, presence, filters, to-device messages.

use axum::Router;

use crate::ApiState;

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
}
