//! All endpoints, in the specification's order.

use axum::{
    Router, middleware,
    routing::{get, put},
};
use orvale_federation_client::FederationClient;
use orvale_http::{Endpoints, Limits};

use crate::{
    FederationState, authenticated_media, authentication::authenticate, authorization, backfill,
    device, directory, discovery, event, keys, membership, openid, query, space, thirdparty,
    transactions,
};

/// The router of the server-server API, in which no server does more than the limits allow.
pub fn routes(client: &FederationClient, limits: &Limits) -> Router<FederationState> {
    let known = (client.clone(), limits.clone());
    Router::new()
        .merge(open())
        .merge(signed().route_layer(middleware::from_fn_with_state(known, authenticate)))
}

/// What anybody may ask.
fn open() -> Router<FederationState> {
    Router::new()
        .endpoint(discovery::get_server_version::handle)
        .endpoint(discovery::get_server_keys::handle)
        // Servers of long ago name the key they want.
        .route(
            "/_matrix/key/v2/server/{key_id}",
            get(discovery::get_server_keys::any),
        )
        .endpoint(discovery::get_remote_server_keys::handle)
        .endpoint(discovery::get_remote_server_keys_batch::handle)
        .endpoint(openid::get_openid_userinfo::handle)
        .endpoint(thirdparty::bind_callback::handle)
}

/// What servers ask, with their signature.
fn signed() -> Router<FederationState> {
    Router::new()
        .endpoint(transactions::send_transaction_message::handle)
        .endpoint(authorization::get_event_authorization::handle)
        .endpoint(backfill::get_backfill::handle)
        .endpoint(event::get_missing_events::handle)
        .endpoint(event::get_event::handle)
        .endpoint(event::get_room_state::handle)
        .endpoint(event::get_room_state_ids::handle)
        .endpoint(membership::prepare_join_event::handle)
        .endpoint(membership::create_join_event::handle)
        // The first versions have left the specification, but not all servers.
        .route(
            "/_matrix/federation/v1/send_join/{room_id}/{event_id}",
            put(membership::create_join_event::v1),
        )
        .endpoint(membership::prepare_knock_event::handle)
        .endpoint(membership::create_knock_event::handle)
        .endpoint(membership::create_invite::handle)
        .endpoint(membership::create_invite::v1)
        .endpoint(thirdparty::exchange_invite::handle)
        .endpoint(membership::prepare_leave_event::handle)
        .endpoint(membership::create_leave_event::handle)
        .route(
            "/_matrix/federation/v1/send_leave/{room_id}/{event_id}",
            put(membership::create_leave_event::v1),
        )
        .endpoint(event::get_event_by_timestamp::handle)
        .endpoint(directory::get_public_rooms::handle)
        .endpoint(directory::get_public_rooms_filtered::handle)
        .endpoint(space::get_hierarchy::handle)
        .endpoint(query::get_room_information::handle)
        .endpoint(query::get_profile_information::handle)
        .endpoint(device::get_devices::handle)
        .endpoint(keys::claim_keys::handle)
        .endpoint(keys::get_keys::handle)
        .endpoint(authenticated_media::get_content::handle)
        .endpoint(authenticated_media::get_content_thumbnail::handle)
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_endpoints_claim_one_path_and_method() {
        let _ = super::open().merge(super::signed());
    }
}
