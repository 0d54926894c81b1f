//! What handlers may take.

use std::sync::Arc;

use axum::extract::FromRef;
use orvale_calls::Turn;
use orvale_delivery::Delivery;
use orvale_federation_client::FederationClient;
use orvale_http::Authenticator;
use orvale_media::Media;
use orvale_rooms::Rooms;
use orvale_search::Search;
use orvale_users::Users;

use crate::{discovery::Discovery, profile::RemoteProfiles, space::RemoteRooms};

/// The handles of the client-server API, each of which a handler takes by `State<…>`.
#[derive(Clone, FromRef)]
pub struct ApiState {
    /// Who calls.
    pub authenticator: Authenticator,
    /// Accounts.
    pub users: Users,
    /// Rooms.
    pub rooms: Rooms,
    /// News.
    pub delivery: Delivery,
    /// Finding messages and people.
    pub search: Search,
    /// The content repository.
    pub media: Media,
    /// Other servers.
    pub federation: FederationClient,
    /// Profiles of other servers' users.
    pub remote_profiles: RemoteProfiles,
    /// Rooms that are not here.
    pub remote_rooms: RemoteRooms,
    /// TURN servers.
    pub turn: Turn,
    /// What the server says of itself.
    pub discovery: Arc<Discovery>,
}
