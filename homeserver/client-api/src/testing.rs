//! The whole API over a store in memory, for the tests of its endpoints.
//!
//! ```ignore
//! let server = Server::start().await;
//! let alice = server.register("alice").await;
//! let room = alice.post("/_matrix/client/v3/createRoom", json!({})).await.ok()["room_id"].clone();
//! alice.get("/_matrix/client/v3/nonsense").await.refused(404, "M_UNRECOGNIZED");
//! ```

use std::sync::Arc;

use axum::{Router, body::Body, http::Method};
use http::{Request, header};
use http_body_util::BodyExt;
use orvale_delivery::Delivery;
use orvale_federation_client::FederationClient;
use orvale_http::{Authenticator, Limits, LimitsConfig, MatrixError};
use orvale_media::{Media, Objects};
use orvale_rooms::Rooms;
use orvale_search::Search;
use orvale_storage::Store;
use orvale_users::{Clock, NewAccount, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedDeviceId, OwnedUserId, RoomVersionId,
    api::client::discovery::get_capabilities::v3::RoomVersionStability, owned_server_name,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{ApiState, Config, Discovery, RemoteProfiles, RemoteRooms};

/// A server called example.org.
pub(crate) struct Server {
    pub(crate) state: ApiState,
    router: Router,
}

/// Accounts on a store that everybody may register, with the cheapest password hashes there are.
pub(crate) fn users(store: &Store) -> Users {
    users_with(store, open_registration())
}

/// Settings with which everybody may register.
pub(crate) fn open_registration() -> orvale_users::Config {
    let mut config = orvale_users::Config::default();
    config.registration.mode = orvale_users::config::RegistrationMode::Open;
    config
}

fn users_with(store: &Store, mut config: orvale_users::Config) -> Users {
    (
        config.passwords.argon2_memory_kib,
        config.passwords.argon2_iterations,
    ) = (8, 1);
    let name = owned_server_name!("example.org");
    Users::new(store.clone(), &name, config, Clock::system()).unwrap()
}

impl Server {
    /// An empty server that everybody may register on, without limits.
    pub(crate) async fn start() -> Self {
        Self::start_with(open_registration()).await
    }

    /// An empty server with these settings for accounts, without limits.
    pub(crate) async fn start_with(accounts: orvale_users::Config) -> Self {
        let name = owned_server_name!("example.org");
        let store = Store::in_memory();
        let users = users_with(&store, accounts);
        let key = Arc::new(orvale_events::ServerKey::generate(name.clone()));
        let clock: orvale_rooms::Clock = Arc::new(MilliSecondsSinceUnixEpoch::now);
        let rooms = Rooms::new(
            store.clone(),
            users.clone(),
            key.clone(),
            orvale_rooms::Config::default(),
            clock.clone(),
        )
        .unwrap();
        let federation = FederationClient::new(
            store.clone(),
            key,
            orvale_federation_client::Config {
                enabled: false,
                ..orvale_federation_client::Config::default()
            },
            clock,
        )
        .unwrap();
        let media = Media::open(
            store,
            name,
            Objects::in_memory(),
            None,
            orvale_media::Config::default(),
        );
        let unlimited = LimitsConfig {
            enabled: false,
            ..LimitsConfig::default()
        };
        let delivery = Delivery::start(
            rooms.clone(),
            users.clone(),
            None,
            orvale_delivery::Config::default(),
        )
        .unwrap();
        let quick = orvale_search::Config {
            commit_interval_ms: 1,
            writer_memory_bytes: orvale_search::LEAST_WRITER_MEMORY,
            ..orvale_search::Config::default()
        };
        let search = Search::start(rooms.clone(), orvale_search::Place::Memory, quick).unwrap();
        let state = ApiState {
            search,
            authenticator: Authenticator::new(users.clone(), Limits::new(unlimited), false),
            users,
            rooms,
            delivery,
            media: media.await.unwrap(),
            remote_profiles: RemoteProfiles::new(federation.clone()),
            remote_rooms: RemoteRooms::new(federation.clone()),
            federation,
            discovery: Arc::new(Discovery {
                config: Config::default(),
                default_room_version: RoomVersionId::V12,
                room_versions: [(RoomVersionId::V12, RoomVersionStability::Stable)].into(),
                change_password: true,
                login_tokens: true,
                rtc_transports: Vec::new(),
            }),
            turn: orvale_calls::Turn::new(orvale_calls::TurnConfig::default()),
        };
        Self::of(state)
    }

    fn of(state: ApiState) -> Self {
        let router = crate::routes()
            .fallback(async || MatrixError::no_such_endpoint())
            .method_not_allowed_fallback(async || MatrixError::no_such_method())
            .with_state(state.clone());
        Self { state, router }
    }

    /// Changes what the server says of itself.
    pub(crate) fn change_discovery(&mut self, change: impl FnOnce(&mut Discovery)) {
        let mut state = self.state.clone();
        change(Arc::make_mut(&mut state.discovery));
        *self = Self::of(state);
    }

    /// Gives people no time to edit and delete what they wrote.
    pub(crate) fn never_change_messages(&mut self) {
        let mut state = self.state.clone();
        let mut config = state.rooms.config().clone();
        (config.policy.edit_seconds, config.policy.delete_seconds) = (0, 0);
        let (store, users) = (state.rooms.store().clone(), state.users.clone());
        let key = orvale_events::ServerKey::generate(owned_server_name!("example.org"));
        let clock = Arc::new(MilliSecondsSinceUnixEpoch::now);
        state.rooms = Rooms::new(store, users, Arc::new(key), config, clock).unwrap();
        *self = Self::of(state);
    }

    /// A client with a new account of this name, whose password is "the password".
    pub(crate) async fn register(&self, name: &str) -> Client {
        let new = NewAccount {
            localpart: Some(name),
            password: Some("the password"),
            ..NewAccount::default()
        };
        let user_id = self.state.users.create_account(new).await.unwrap();
        self.log_in(&user_id).await
    }

    /// A client on a new device of an account.
    pub(crate) async fn log_in(&self, user_id: &ruma::UserId) -> Client {
        let session = self
            .state
            .users
            .open_session(user_id, None, None, false)
            .await
            .unwrap();
        Client {
            router: self.router.clone(),
            user_id: session.user_id,
            device_id: session.device_id,
            token: session.access_token,
        }
    }

    /// A client that has not logged in.
    pub(crate) fn stranger(&self) -> Client {
        Client {
            router: self.router.clone(),
            user_id: ruma::user_id!("@nobody:example.org").to_owned(),
            device_id: "".into(),
            token: String::new(),
        }
    }
}

/// A client of the server.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    pub(crate) user_id: OwnedUserId,
    pub(crate) device_id: OwnedDeviceId,
    pub(crate) token: String,
}

impl Client {
    /// The same client with another access token.
    pub(crate) fn with_token(self, token: &Value) -> Self {
        let token = token.as_str().unwrap().to_owned();
        Self { token, ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method.clone()).uri(path);
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let plain = path.split('?').next().unwrap_or(path);
        orvale_tests::record("client-api", method.as_str(), plain, status);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer {
            status,
            json,
            asked: format!("{method} {path}"),
        }
    }
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
    asked: String,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.asked, self.json);
        self.json
    }

    /// Checks a refusal, and gives its body.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, errcode: &str) -> Value {
        let found = (self.status, &self.json["errcode"]);
        assert_eq!(
            found,
            (status, &json!(errcode)),
            "{}: {}",
            self.asked,
            self.json
        );
        self.json
    }
}

/// Keys for tests, made from seeds.
pub(crate) mod keys {
    use ruma::{
        CanonicalJsonObject,
        serde::{Base64, base64::Standard},
        signatures::{Ed25519KeyPair, KeyPair, to_canonical_json_string_for_signing},
    };
    use serde_json::{Value, json};

    use super::Client;

    /// A key pair.
    pub(crate) fn pair() -> Ed25519KeyPair {
        let der = Ed25519KeyPair::generate();
        Ed25519KeyPair::from_der(&der, "unused".to_owned()).unwrap()
    }

    /// Its public key.
    pub(crate) fn public(pair: &Ed25519KeyPair) -> String {
        Base64::<Standard, _>::new(pair.public_key()).encode()
    }

    /// The object with one more signature.
    pub(crate) fn signed(mut object: Value, by: &str, name: &str, pair: &Ed25519KeyPair) -> Value {
        let canonical: CanonicalJsonObject = serde_json::from_value(object.clone()).unwrap();
        let text = to_canonical_json_string_for_signing(&canonical).unwrap();
        let signature = pair.sign(text.as_bytes()).base64();
        object["signatures"][by][format!("ed25519:{name}")] = json!(signature);
        object
    }

    /// The keys of a client's device, signed by it.
    pub(crate) fn device(client: &Client, device_id: &str, pair: &Ed25519KeyPair) -> Value {
        let object = json!({
            "user_id": client.user_id,
            "device_id": device_id,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
            "keys": {
                format!("curve25519:{device_id}"): "3C5BFWi2Y8MaVvjM8M22DBmh24PmgR0nPvJOIArzgyI",
                format!("ed25519:{device_id}"): public(pair),
            },
        });
        signed(object, client.user_id.as_str(), device_id, pair)
    }

    /// A cross-signing key, signed by a master key unless it is one.
    pub(crate) fn cross_signing(
        client: &Client,
        usage: &str,
        pair: &Ed25519KeyPair,
        master: Option<&Ed25519KeyPair>,
    ) -> Value {
        let public_key = public(pair);
        let object = json!({
            "user_id": client.user_id,
            "usage": [usage],
            "keys": { format!("ed25519:{public_key}"): public_key },
        });
        match master {
            Some(master) => signed(object, client.user_id.as_str(), &public(master), master),
            None => object,
        }
    }
}
