//! Putting the parts together, from the bottom up. The only place that knows all of them.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result};
use orvale_admin_api::AdminState;
use orvale_calls::Turn;
use orvale_client_api::{ApiState, Discovery, RemoteProfiles, RemoteRooms};
use orvale_delivery::Delivery;
use orvale_federation_api::{FederationState, Transactions};
use orvale_federation_client::FederationClient;
use orvale_http::{Authenticator, Limits};
use orvale_media::{Media, Objects};
use orvale_rooms::Rooms;
use orvale_search::{Place, Search};
use orvale_storage::Store;
use orvale_users::{Clock, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, RoomVersionId,
    api::client::discovery::get_capabilities::v3::RoomVersionStability,
};

use crate::{config::Config, signing_key};

/// A whole server that does not listen yet.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) users: Users,
    pub(crate) limits: Limits,
    pub(crate) client_api: ApiState,
    pub(crate) admin_api: AdminState,
    pub(crate) federation_api: FederationState,
}

/// Where the store is in the data directory.
pub(crate) fn store_config(config: &Config) -> orvale_storage::Config {
    orvale_storage::Config {
        path: config.data_dir.join("store"),
        cache_bytes: config.storage.cache_bytes,
        free_bytes: config.storage.free_bytes,
    }
}

/// Where the search index is in the data directory.
pub(crate) fn search_place(config: &Config) -> Place {
    Place::Directory(config.data_dir.join("search"))
}

/// The store, read back as a crash may have left it.
pub(crate) async fn open_store(config: &Config) -> Result<Store> {
    let place = store_config(config);
    // Takes a moment, and blocks.
    tokio::task::spawn_blocking(move || Store::open(&place))
        .await?
        .context("cannot open the store")
}

pub(crate) async fn build(config: &Config) -> Result<Parts> {
    let server_name = &config.server_name;
    let key = Arc::new(signing_key::load_or_make(&config.data_dir, server_name)?);
    let store = open_store(config).await?;
    let accounts = orvale_users::Config {
        permissions: config.policy.permissions.clone(),
        ..config.users.clone()
    };
    let users = Users::new(store.clone(), server_name, accounts, Clock::system())?;
    users.register_appservices().await?;
    users.tell_all_permissions().await?;
    let clock: orvale_rooms::Clock = Arc::new(MilliSecondsSinceUnixEpoch::now);
    let federation = FederationClient::new(
        store.clone(),
        key.clone(),
        config.federation.client(),
        clock.clone(),
    )?;
    let room_settings = orvale_rooms::Config {
        policy: config.policy.clone(),
        ..config.rooms.clone()
    };
    let rooms = Rooms::new(store.clone(), users.clone(), key, room_settings, clock)?;
    rooms.federate(federation.clone());
    rooms.empty_inboxes()?;
    rooms.resume_partial()?;
    let objects =
        Objects::in_directory(config.data_dir.join("media")).context("cannot open the media")?;
    let media = Media::open(
        store.clone(),
        server_name.clone(),
        objects,
        Some(federation.clone()),
        config.media.clone(),
    )
    .await?;

    let delivery = Delivery::start(
        rooms.clone(),
        users.clone(),
        federation.is_enabled().then(|| federation.clone()),
        config.delivery.clone(),
    )?;
    let search = Search::start(rooms.clone(), search_place(config), config.search.clone())
        .context("cannot open the search index")?;
    let limits = Limits::new(config.rate_limits.clone());
    let authenticator = Authenticator::new(
        users.clone(),
        limits.clone(),
        config.http.access_token_in_query,
    );
    let discovery = Arc::new(discovery(config));
    let admin_api = AdminState {
        authenticator: authenticator.clone(),
        users: users.clone(),
        rooms: rooms.clone(),
    };
    let federation_api = FederationState {
        client: federation.clone(),
        users: users.clone(),
        rooms: rooms.clone(),
        delivery: delivery.clone(),
        media: media.clone(),
        transactions: Transactions::default(),
    };
    let client_api = ApiState {
        authenticator,
        users: users.clone(),
        rooms,
        delivery,
        search,
        media,
        remote_profiles: RemoteProfiles::new(federation.clone()),
        remote_rooms: RemoteRooms::new(federation.clone()),
        federation,
        turn: Turn::new(config.calls.turn.clone()),
        discovery,
    };
    Ok(Parts {
        store,
        users,
        limits,
        client_api,
        admin_api,
        federation_api,
    })
}

fn discovery(config: &Config) -> Discovery {
    Discovery {
        config: config.discovery.clone(),
        default_room_version: config.rooms.default_room_version.clone(),
        room_versions: room_versions(),
        change_password: config.users.passwords.enabled && config.users.passwords.change,
        login_tokens: config.users.tokens.login_tokens,
        rtc_transports: config.calls.rtc_transports.clone(),
    }
}

/// The room versions that rooms here may have.
pub(crate) fn room_versions() -> BTreeMap<RoomVersionId, RoomVersionStability> {
    use RoomVersionId as V;
    let versions = [V::V6, V::V7, V::V8, V::V9, V::V10, V::V11, V::V12];
    versions
        .map(|version| (version, RoomVersionStability::Stable))
        .into()
}
