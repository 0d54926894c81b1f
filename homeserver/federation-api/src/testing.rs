//! The whole API over a store in memory, and other servers that sign their requests to it.
//!
//! ```ignore
//! let server = Server::start().await;
//! let them = server.knows("them.example").await;
//! server.ask(&them, Method::GET, "/_matrix/federation/v1/version", None).await.ok();
//! ```

use std::sync::Arc;

use axum::{Router, body::Body, http::Method};
use base64::Engine;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use orvale_delivery::Delivery;
use orvale_events::ServerKey;
use orvale_federation_client::{Config, FederationClient, authorization, canonical};
use orvale_http::{Limits, LimitsConfig, MatrixError};
use orvale_media::{Media, Objects};
use orvale_rooms::Rooms;
use orvale_storage::{
    Batch, Store,
    record::JsonText,
    trees::federation::{KeyRecord, SERVER_KEYS},
};
use orvale_users::{Clock, NewAccount, Users};
use ruma::{MilliSecondsSinceUnixEpoch, OwnedServerName, OwnedUserId, owned_server_name};
use serde_json::Value;
use tower::ServiceExt;

use crate::FederationState;

/// A server called example.org.
pub(crate) struct Server {
    pub(crate) state: FederationState,
    store: Store,
    router: Router,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let unlimited = LimitsConfig {
            enabled: false,
            ..LimitsConfig::default()
        };
        Self::with(unlimited, crate::routes).await
    }

    /// With these limits, or other endpoints than those there are.
    pub(crate) async fn with(
        limits: LimitsConfig,
        routes: impl FnOnce(&FederationClient, &Limits) -> Router<FederationState>,
    ) -> Self {
        let name = owned_server_name!("example.org");
        let store = Store::in_memory();
        let mut config = orvale_users::Config::default();
        config.registration.mode = orvale_users::config::RegistrationMode::Open;
        (
            config.passwords.argon2_memory_kib,
            config.passwords.argon2_iterations,
        ) = (8, 1);
        let users = Users::new(store.clone(), &name, config, Clock::system()).unwrap();
        let key = Arc::new(ServerKey::generate(name.clone()));
        let clock: orvale_rooms::Clock = Arc::new(MilliSecondsSinceUnixEpoch::now);
        // It knows the keys it needs, and asks nobody.
        let offline = Config {
            enabled: false,
            ..Config::default()
        };
        let client = FederationClient::new(store.clone(), key.clone(), offline, clock.clone());
        let rooms = Rooms::new(
            store.clone(),
            users.clone(),
            key,
            orvale_rooms::Config::default(),
            clock,
        )
        .unwrap();
        let delivery = Delivery::start(
            rooms.clone(),
            users.clone(),
            None,
            orvale_delivery::Config::default(),
        );
        let client = client.unwrap();
        rooms.federate(client.clone());
        let media = Media::open(
            store.clone(),
            name,
            Objects::in_memory(),
            None,
            orvale_media::Config::default(),
        );
        let state = FederationState {
            client,
            users,
            rooms,
            delivery: delivery.unwrap(),
            media: media.await.unwrap(),
            transactions: crate::Transactions::default(),
        };
        let router = routes(&state.client, &Limits::new(limits))
            .fallback(async || MatrixError::no_such_endpoint())
            .method_not_allowed_fallback(async || MatrixError::no_such_method())
            .with_state(state.clone());
        Self {
            state,
            store,
            router,
        }
    }

    /// An account.
    pub(crate) async fn account(&self, localpart: &str) -> OwnedUserId {
        let new = NewAccount {
            localpart: Some(localpart),
            ..NewAccount::default()
        };
        self.state.users.create_account(new).await.unwrap()
    }

    /// Another server, whose key this one has.
    pub(crate) async fn knows(&self, name: &str) -> ServerKey {
        let key = ServerKey::generate(OwnedServerName::try_from(name).unwrap());
        let now = u64::from(MilliSecondsSinceUnixEpoch::now().get());
        let record = KeyRecord {
            key: base64::engine::general_purpose::STANDARD_NO_PAD
                .decode(key.public_key())
                .unwrap(),
            valid_until: now + 3_600_000,
            fetched_at: now,
            answer: JsonText("{}".to_owned()),
        };
        let mut batch = Batch::new();
        batch.put(&SERVER_KEYS, (name, key.key_id()), &record);
        self.store.commit(batch).await.unwrap();
        key
    }

    /// A request that another server signed.
    pub(crate) async fn ask(
        &self,
        from: &ServerKey,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let body = body.map(|body| canonical(body.to_string().as_bytes()).unwrap());
        let us = self.state.client.server_name();
        let header = authorization(from, &method, path, us, body.as_deref());
        self.ask_with(&header, method, path, body.unwrap_or_default())
            .await
    }

    /// A request with just this header.
    pub(crate) async fn ask_with(
        &self,
        header: &str,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, header)
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        Answer::of(response).await
    }
}

/// What the API answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let status = response.status();
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.map_or("", |value| value.to_str().unwrap());
        let content_type = content_type.to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Self {
            status,
            content_type,
            body: body.to_vec(),
        }
    }

    /// The JSON of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, StatusCode::OK, "{text}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts a refusal.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, errcode: &str) {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(
            (self.status.as_u16(), body["errcode"].as_str()),
            (status, Some(errcode)),
            "{body}"
        );
    }
}
