//! What handlers may take.

use std::sync::Arc;

use axum::extract::FromRef;
use orvale_http::Authenticator;
use orvale_rooms::Rooms;

use crate::discovery::Discovery;

/// The handles of the client-server API, each of which a handler takes by `State<…>`.
#[derive(Clone, FromRef)]
pub struct ApiState {
    /// Who calls.
    pub authenticator: Authenticator,
    /// Rooms.
    pub rooms: Rooms,
    /// What the server says of itself.
    pub discovery: Arc<Discovery>,
}
