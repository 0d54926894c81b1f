//! Somebody on a device.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Server, Sync, waiting::PATIENCE};

/// Somebody on a device. Cheap to clone; clones are the same device.
#[derive(Clone)]
pub struct Client {
    server: Server,
    /// The user.
    pub user_id: String,
    /// The device.
    pub device_id: String,
    /// The access token; empty for who has not logged in.
    pub token: String,
    since: Arc<Mutex<Option<String>>>,
    transactions: Arc<AtomicU64>,
}

impl Client {
    /// The client of an answer to logging in or registering.
    #[must_use]
    pub fn from_login(server: &Server, login: &Value) -> Self {
        let text = |key: &str| login[key].as_str().unwrap_or_default().to_owned();
        Self {
            server: server.clone(),
            user_id: text("user_id"),
            device_id: text("device_id"),
            token: text("access_token"),
            since: Arc::default(),
            transactions: Arc::default(),
        }
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// A request that is not sent yet. A path without a slash in front stands below `/_matrix/client/v3/`.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let base = self.server.base();
        let prefix = if path.starts_with('/') {
            ""
        } else {
            "/_matrix/client/v3/"
        };
        let request = self
            .server
            .http()
            .request(method, format!("{base}{prefix}{path}"));
        if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.server
            .send(format!("GET {path}"), self.request(Method::GET, path))
            .await
    }

    /// `POST`
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.server
            .send(
                format!("POST {path} {body}"),
                self.request(Method::POST, path).json(&body),
            )
            .await
    }

    /// `PUT`
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.server
            .send(
                format!("PUT {path} {body}"),
                self.request(Method::PUT, path).json(&body),
            )
            .await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.server
            .send(format!("DELETE {path}"), self.request(Method::DELETE, path))
            .await
    }

    /// Any request, with a body of any kind.
    pub async fn call(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.server
            .send(
                format!("{method} {path}"),
                self.request(method, path).body(body),
            )
            .await
    }

    /// Makes a room; gives its ID.
    ///
    /// # Panics
    /// If it is refused; as all that follow.
    pub async fn create_room(&self, body: Value) -> String {
        let answer = self.post("createRoom", body).await.ok();
        answer["room_id"]
            .as_str()
            .expect("a new room has an ID")
            .to_owned()
    }

    /// Invites somebody.
    pub async fn invite(&self, room: &str, other: &Self) {
        let _ = self
            .post(
                &format!("rooms/{}/invite", encode(room)),
                json!({ "user_id": other.user_id }),
            )
            .await
            .ok();
    }

    /// Joins a room, by its ID or alias.
    pub async fn join(&self, room: &str) {
        let _ = self
            .post(&format!("join/{}", encode(room)), json!({}))
            .await
            .ok();
    }

    /// Leaves a room.
    pub async fn leave(&self, room: &str) {
        let _ = self
            .post(&format!("rooms/{}/leave", encode(room)), json!({}))
            .await
            .ok();
    }

    /// Sends an event of any type; gives its ID.
    pub async fn send(&self, room: &str, kind: &str, content: Value) -> String {
        event_id(&self.try_send(room, kind, content).await.ok())
    }

    /// Sends an event of any type, which may be refused.
    pub async fn try_send(&self, room: &str, kind: &str, content: Value) -> Answer {
        let transaction = self.transactions.fetch_add(1, Ordering::Relaxed);
        let path = format!(
            "rooms/{}/send/{}/test-{transaction}",
            encode(room),
            encode(kind)
        );
        self.put(&path, content).await
    }

    /// Sends a text; gives the event's ID.
    pub async fn send_text(&self, room: &str, text: &str) -> String {
        self.send(
            room,
            "m.room.message",
            json!({ "msgtype": "m.text", "body": text }),
        )
        .await
    }

    /// Sets state; gives the event's ID.
    pub async fn set_state(
        &self,
        room: &str,
        kind: &str,
        state_key: &str,
        content: Value,
    ) -> String {
        let path = format!(
            "rooms/{}/state/{}/{}",
            encode(room),
            encode(kind),
            encode(state_key)
        );
        event_id(&self.put(&path, content).await.ok())
    }

    /// The content of a state event.
    pub async fn state(&self, room: &str, kind: &str, state_key: &str) -> Value {
        self.get(&format!(
            "rooms/{}/state/{}/{}",
            encode(room),
            encode(kind),
            encode(state_key)
        ))
        .await
        .ok()
    }

    /// Redacts an event; gives the redaction's ID.
    pub async fn redact(&self, room: &str, event: &str) -> String {
        let transaction = self.transactions.fetch_add(1, Ordering::Relaxed);
        let path = format!(
            "rooms/{}/redact/{}/test-{transaction}",
            encode(room),
            encode(event)
        );
        event_id(&self.put(&path, json!({})).await.ok())
    }

    /// An event, as this user sees it.
    pub async fn event(&self, room: &str, event: &str) -> Value {
        self.get(&format!("rooms/{}/event/{}", encode(room), encode(event)))
            .await
            .ok()
    }

    /// The newest events of a room, newest first.
    pub async fn messages(&self, room: &str, limit: usize) -> Vec<Value> {
        let path = format!("rooms/{}/messages?dir=b&limit={limit}", encode(room));
        let mut answer = self.get(&path).await.ok();
        match answer["chunk"].take() {
            Value::Array(chunk) => chunk,
            other => panic!("no chunk but {other}"),
        }
    }

    /// Says whether it is typing.
    pub async fn typing(&self, room: &str, typing: bool) {
        let path = format!("rooms/{}/typing/{}", encode(room), encode(&self.user_id));
        let body = if typing {
            json!({ "typing": true, "timeout": 30_000 })
        } else {
            json!({ "typing": false })
        };
        let _ = self.put(&path, body).await.ok();
    }

    /// Says that it has read up to an event.
    pub async fn read(&self, room: &str, event: &str) {
        let path = format!("rooms/{}/receipt/m.read/{}", encode(room), encode(event));
        let _ = self.post(&path, json!({})).await.ok();
    }

    /// What is new since the last sync of this device in this test, without waiting; everything the first time.
    pub async fn sync(&self) -> Sync {
        self.sync_for(Duration::ZERO).await
    }

    /// What is new since the last sync, waiting for it if nothing is.
    pub async fn sync_for(&self, timeout: Duration) -> Sync {
        let since = self.since.lock().expect("no test panics with it").clone();
        let mut path = format!("sync?timeout={}", timeout.as_millis());
        if let Some(since) = since {
            path += &format!("&since={}", encode(&since));
        }
        let sync = Sync(self.get(&path).await.ok());
        *self.since.lock().expect("no test panics with it") = Some(sync.next_batch().to_owned());
        sync
    }

    /// Syncs until an answer has what is waited for, and gives that one.
    ///
    /// # Panics
    /// If none has in a minute.
    #[track_caller]
    pub fn sync_until(&self, wanted: impl Fn(&Sync) -> bool) -> impl Future<Output = Sync> {
        let caller = std::panic::Location::caller();
        async move {
            let start = Instant::now();
            let mut seen = Vec::new();
            while start.elapsed() < PATIENCE {
                let sync = self.sync_for(Duration::from_secs(5)).await;
                if wanted(&sync) {
                    return sync;
                }
                seen.push(sync.0);
            }
            panic!(
                "{} synced in vain at {caller}; it saw {}",
                self.user_id,
                json!(seen)
            );
        }
    }

    /// Uploads a file; gives its `mxc://` address.
    pub async fn upload(
        &self,
        name: &str,
        content_type: &str,
        content: impl Into<reqwest::Body>,
    ) -> String {
        let path = format!("/_matrix/media/v3/upload?filename={}", encode(name));
        let request = self
            .request(Method::POST, &path)
            .header("content-type", content_type)
            .body(content);
        let answer = self.server.send(format!("POST {path}"), request).await.ok();
        answer["content_uri"]
            .as_str()
            .expect("an upload has an address")
            .to_owned()
    }

    /// Downloads a file by its `mxc://` address.
    pub async fn download(&self, uri: &str) -> Answer {
        let place = uri
            .strip_prefix("mxc://")
            .expect("media have mxc addresses");
        self.get(&format!("/_matrix/client/v1/media/download/{place}"))
            .await
    }
}

fn event_id(answer: &Value) -> String {
    answer["event_id"]
        .as_str()
        .expect("what is sent has an ID")
        .to_owned()
}

/// An argument of a path or query, as it stands in a URL.
#[must_use]
pub fn encode(argument: &str) -> String {
    let mut encoded = String::new();
    for byte in argument.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            other => encoded += &format!("%{other:02X}"),
        }
    }
    encoded
}

/// An argument as it was before it was written into a URL.
pub(crate) fn decode(argument: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = argument.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let byte = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok());
        if byte.is_some() {
            rest = &after[2..];
        }
        decoded.push(byte.unwrap_or(first));
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
