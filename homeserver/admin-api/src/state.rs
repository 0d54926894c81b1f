//! What handlers may take.

use axum::extract::FromRef;
use orvale_http::Authenticator;
use orvale_rooms::Rooms;
use orvale_users::Users;

/// The handles of the admin API, each of which a handler takes by `State<…>`.
#[derive(Clone, FromRef)]
pub struct AdminState {
    /// Who calls.
    pub authenticator: Authenticator,
    /// Accounts.
    pub users: Users,
    /// Rooms.
    pub rooms: Rooms,
}
