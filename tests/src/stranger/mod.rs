//! A homeserver that says whatever a test wants: small, with keys of its own, as a stranger's may be.

mod answers;
mod listen;
mod rooms;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use orvale_events::ServerKey;
use orvale_federation_client::authorization;
use reqwest::Method;
use ruma::{MilliSecondsSinceUnixEpoch, ServerName};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use self::answers::Shared;
pub use self::{
    answers::{Asked, Held},
    rooms::Joined,
};
use crate::{Answer, Network, Server, federation::directory, server::provider};

/// A homeserver made of a key and of answers. What it is not told to answer, and what is not of its rooms, it does not know.
pub struct Stranger {
    /// Its name.
    pub name: String,
    key: Arc<ServerKey>,
    http: reqwest::Client,
    transactions: AtomicU64,
    shared: Arc<Shared>,
    _home: TempDir,
}

/// A server that it talks to.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The server's name.
    pub name: String,
    /// Where other servers find it: `https://…`
    pub base: String,
}

impl From<&Server> for Peer {
    fn from(server: &Server) -> Self {
        let name = server.name().to_owned();
        let base = format!("https://{name}");
        Self { name, base }
    }
}

impl Stranger {
    /// One that listens in a network.
    ///
    /// # Panics
    /// If it cannot; as all that follow.
    pub async fn start(network: &Network) -> Self {
        provider();
        let home = directory("stranger-test-");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let place = network.place(home.path(), port);
        // An address, so that a room's access list can tell it from the others.
        let name = format!("127.0.0.1:{}", place.port);
        let server_name = ServerName::parse(&*name).expect("it is a name");
        let key = Arc::new(ServerKey::generate(server_name));
        let shared = Arc::new(Shared::new(key.clone()));
        listen::serve(listener, &place, shared.clone());
        let authority = std::fs::read(&place.authority).expect("it is there");
        let authority = reqwest::Certificate::from_pem_bundle(&authority).expect("it is PEM");
        let http = reqwest::Client::builder().tls_certs_merge(authority);
        Self {
            name,
            key,
            http: http.build().expect("a client can be made"),
            transactions: AtomicU64::default(),
            shared,
            _home: home,
        }
    }

    /// A user of it.
    #[must_use]
    pub fn user(&self, name: &str) -> String {
        format!("@{name}:{}", self.name)
    }

    /// Asks a server something, with its signature.
    pub async fn ask(
        &self,
        to: impl Into<Peer>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let content = body.map(|body| answers::canonical(&body).into_bytes());
        self.ask_bytes(to, method, path, content).await
    }

    /// As [`Stranger::ask`], with a body that need not be canonical JSON.
    pub async fn ask_bytes(
        &self,
        to: impl Into<Peer>,
        method: Method,
        path: &str,
        content: Option<Vec<u8>>,
    ) -> Answer {
        let to = to.into();
        let name = ServerName::parse(&*to.name).expect("it is a name");
        let signed = authorization(&self.key, &method, path, &name, content.as_deref());
        let url = format!("{}{path}", to.base);
        let mut request = self.http.request(method.clone(), url);
        request = request.header("authorization", signed);
        if let Some(content) = content {
            request = request
                .header("content-type", "application/json")
                .body(content);
        }
        let asked = format!("{method} {path}");
        match request.send().await {
            Ok(response) => Answer::of(asked, response).await,
            Err(error) => panic!("{asked}: no answer: {error:?}"),
        }
    }

    /// Sends a server a transaction.
    pub async fn send(&self, to: impl Into<Peer>, pdus: Vec<Value>, edus: Vec<Value>) -> Answer {
        let n = self.transactions.fetch_add(1, Ordering::Relaxed);
        self.send_as(to, &format!("stranger-{n}"), pdus, edus).await
    }

    /// Sends a server a transaction of some ID.
    pub async fn send_as(
        &self,
        to: impl Into<Peer>,
        transaction: &str,
        pdus: Vec<Value>,
        edus: Vec<Value>,
    ) -> Answer {
        let body = self.pack(&pdus, &edus);
        self.send_packed(to, transaction, body).await
    }

    /// The body of a transaction.
    #[must_use]
    pub fn pack(&self, pdus: &[Value], edus: &[Value]) -> Vec<u8> {
        let now = u64::from(MilliSecondsSinceUnixEpoch::now().get());
        let body =
            json!({ "origin": self.name, "origin_server_ts": now, "pdus": pdus, "edus": edus });
        answers::canonical(&body).into_bytes()
    }

    /// Sends a server a transaction whose body is made already.
    pub async fn send_packed(
        &self,
        to: impl Into<Peer>,
        transaction: &str,
        body: Vec<u8>,
    ) -> Answer {
        let path = format!("{}{transaction}", answers::SEND);
        self.ask_bytes(to, Method::PUT, &path, Some(body)).await
    }
}
