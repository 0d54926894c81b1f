//! What handlers may take.

use axum::extract::FromRef;
use orvale_delivery::Delivery;
use orvale_federation_client::FederationClient;
use orvale_media::Media;
use orvale_rooms::Rooms;
use orvale_users::Users;

use crate::Transactions;

/// The handles of the server-server API, each of which a handler takes by `State<…>`.
#[derive(Clone, FromRef)]
pub struct FederationState {
    /// Other servers, and their keys.
    pub client: FederationClient,
    /// Accounts.
    pub users: Users,
    /// Rooms.
    pub rooms: Rooms,
    /// News.
    pub delivery: Delivery,
    /// The content repository.
    pub media: Media,
    /// Transactions of other servers that were answered.
    pub transactions: Transactions,
}
