//! The admin API over a store in memory, for the tests of its endpoints.

use std::sync::Arc;

use axum::{Router, body::Body};
use http::{Request, header};
use http_body_util::BodyExt;
use orvale_events::ServerKey;
use orvale_http::{Authenticator, Limits, LimitsConfig};
use orvale_rooms::Rooms;
use orvale_storage::Store;
use orvale_users::{Clock, Config, NewAccount, Users};
use ruma::{MilliSecondsSinceUnixEpoch, server_name};
use serde_json::Value;
use tower::ServiceExt;

use crate::AdminState;

/// A server called example.org whose registration secret is "secret".
pub(crate) struct Server {
    pub(crate) users: Users,
    pub(crate) rooms: Rooms,
    router: Router,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut config = Config::default();
        (
            config.passwords.argon2_memory_kib,
            config.passwords.argon2_iterations,
        ) = (8, 1);
        config.registration.shared_secret = Some("secret".to_owned());
        let (store, name) = (Store::in_memory(), server_name!("example.org"));
        let users = Users::new(store.clone(), name, config, Clock::system()).unwrap();
        let key = Arc::new(ServerKey::generate(name.to_owned()));
        let clock = Arc::new(MilliSecondsSinceUnixEpoch::now);
        let rooms = Rooms::new(
            store,
            users.clone(),
            key,
            orvale_rooms::Config::default(),
            clock,
        )
        .unwrap();
        let unlimited = LimitsConfig {
            enabled: false,
            ..LimitsConfig::default()
        };
        let authenticator = Authenticator::new(users.clone(), Limits::new(unlimited), false);
        let state = AdminState {
            authenticator,
            users: users.clone(),
            rooms: rooms.clone(),
        };
        Self {
            users,
            rooms,
            router: crate::routes().with_state(state),
        }
    }

    /// The access token of a new account.
    pub(crate) async fn session(&self, localpart: &str, admin: bool) -> String {
        let new = NewAccount {
            localpart: Some(localpart),
            admin,
            ..NewAccount::default()
        };
        let user_id = self.users.create_account(new).await.unwrap();
        self.users
            .open_session(&user_id, None, None, false)
            .await
            .unwrap()
            .access_token
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("POST", path, token, Some(body)).await
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer {
            status,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }
}

/// What the server answered.
pub(crate) struct Answer {
    status: u16,
    json: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.json);
        self.json
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, errcode: &str) {
        assert_eq!(
            (self.status, self.json["errcode"].as_str()),
            (status, Some(errcode)),
            "{}",
            self.json
        );
    }
}
