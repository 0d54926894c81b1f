use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use orvale_events::canonical;
use ruma::server_name;
use serde_json::{Value, json};

use super::*;
use crate::{
    Config,
    testing::{NOW, Network},
};

/// A server that tells its keys, and as a notary those of others.
#[derive(Clone)]
struct Teller {
    key: Arc<ServerKey>,
    own: Arc<Mutex<Option<String>>>,
    others: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicUsize>,
    last_query: Arc<Mutex<Value>>,
}

impl Teller {
    fn signed(&self, answer: &Value) -> String {
        let mut object = answer::object(&answer.to_string()).unwrap();
        self.key.sign_json(&mut object).unwrap();
        String::from_utf8(canonical::to_vec(&object)).unwrap()
    }

    fn told(&self, valid_until: u64, old: &Value) -> String {
        self.signed(&json!({
            "server_name": self.key.server_name(),
            "valid_until_ts": valid_until,
            "verify_keys": { self.key.key_id(): { "key": self.key.public_key() } },
            "old_verify_keys": old,
        }))
    }

    fn tell(&self, valid_until: u64) {
        *self.own.lock() = Some(self.told(valid_until, &json!({})));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn wanted(&self, at: u64) -> Wanted {
        Wanted {
            server: self.key.server_name().to_owned(),
            key_id: self.key.key_id().to_owned(),
            at: MilliSecondsSinceUnixEpoch(UInt::new(at).unwrap()),
        }
    }
}

/// A server `localhost:PORT`, silent until it is told what to tell.
async fn teller(network: &Network) -> Teller {
    let later = Arc::new(Mutex::new(None::<Teller>));
    async fn own(State(teller): State<Arc<Mutex<Option<Teller>>>>) -> Result<String, StatusCode> {
        let teller = teller.lock().clone().unwrap();
        teller.asked.fetch_add(1, Ordering::Relaxed);
        let own = teller.own.lock().clone();
        own.ok_or(StatusCode::BAD_GATEWAY)
    }
    async fn query(State(teller): State<Arc<Mutex<Option<Teller>>>>, body: Bytes) -> String {
        let teller = teller.lock().clone().unwrap();
        *teller.last_query.lock() = serde_json::from_slice(&body).unwrap();
        let others = teller.others.lock().join(",");
        format!("{{\"server_keys\":[{others}]}}")
    }
    let router = Router::new()
        .route("/_matrix/key/v2/server", get(own))
        .route("/_matrix/key/v2/query", post(query))
        .with_state(later.clone());
    let port = network.serve(&["localhost"], router).await;
    let name = OwnedServerName::try_from(format!("localhost:{port}")).unwrap();
    let teller = Teller {
        key: Arc::new(ServerKey::generate(name)),
        own: Arc::default(),
        others: Arc::default(),
        asked: Arc::default(),
        last_query: Arc::default(),
    };
    *later.lock() = Some(teller.clone());
    teller
}

fn has(map: &PublicKeyMap, teller: &Teller) -> bool {
    map.get(teller.key.server_name().as_str())
        .is_some_and(|keys| keys.contains_key(teller.key.key_id()))
}

#[tokio::test]
async fn key_is_fetched_once_and_valid_until_its_server_says() {
    let network = Network::new().await;
    let them = teller(&network).await;
    them.tell(NOW + 1000);
    let client = network.client("us.example", network.config(), 9);
    assert!(has(&client.keys(&[them.wanted(NOW)]).await, &them));
    assert!(has(&client.keys(&[them.wanted(NOW + 1000)]).await, &them));
    assert_eq!(them.asked(), 1);
    // One that is wanted for two times must be valid at both.
    let both = [them.wanted(NOW), them.wanted(NOW + 1001)];
    assert!(!has(&client.keys(&both).await, &them));
    assert!(
        client
            .key_of_request(them.key.server_name(), them.key.key_id())
            .await
            .unwrap()
            .is_some()
    );
    network.advance(2000);
    assert!(
        client
            .key_of_request(them.key.server_name(), them.key.key_id())
            .await
            .unwrap()
            .is_none()
    );
    // For old events it holds on.
    assert!(has(&client.keys(&[them.wanted(NOW)]).await, &them));
}

#[tokio::test]
async fn old_key_verifies_events_of_its_time_and_no_requests() {
    let network = Network::new().await;
    let them = teller(&network).await;
    let old = ServerKey::generate(them.key.server_name().to_owned());
    let told = json!({ old.key_id(): { "key": old.public_key(), "expired_ts": NOW - 1000 } });
    *them.own.lock() = Some(them.told(NOW + 1000, &told));
    let client = network.client("us.example", network.config(), 9);
    let wanted = |at| Wanted {
        key_id: old.key_id().to_owned(),
        ..them.wanted(at)
    };
    assert_eq!(client.keys(&[wanted(NOW - 1000)]).await.len(), 1);
    assert_eq!(client.keys(&[wanted(NOW - 999)]).await.len(), 0);
    let of_request = client
        .key_of_request(old.server_name(), old.key_id())
        .await
        .unwrap();
    assert_eq!(of_request, None);
}

#[tokio::test]
async fn server_that_fails_is_left_alone_for_a_while() {
    let network = Network::new().await;
    let them = teller(&network).await;
    let client = network.client("us.example", network.config(), 9);
    for _ in 0..5 {
        assert!(client.keys(&[them.wanted(NOW)]).await.is_empty());
    }
    assert_eq!(them.asked(), 1);
    // A key that it does not have costs it no more either.
    let other = teller(&network).await;
    other.tell(NOW + 1000);
    for n in 0..5 {
        let wanted = Wanted {
            key_id: format!("ed25519:{n}"),
            ..other.wanted(NOW)
        };
        assert!(client.keys(&[wanted]).await.is_empty());
    }
    assert_eq!(other.asked(), 1);
}

#[tokio::test]
async fn many_who_want_a_key_at_once_ask_once() {
    let network = Network::new().await;
    let them = teller(&network).await;
    them.tell(NOW + 1000);
    let client = network.client("us.example", network.config(), 9);
    let wanted = [them.wanted(NOW)];
    let maps = futures_util::future::join_all((0..8).map(|_| client.keys(&wanted))).await;
    assert!(maps.iter().all(|map| has(map, &them)));
    assert_eq!(them.asked(), 1);
}

#[tokio::test]
async fn keys_of_others_are_not_believed() {
    let network = Network::new().await;
    let (them, victim) = (teller(&network).await, teller(&network).await);
    *them.own.lock() = Some(victim.told(NOW + 1000, &json!({})));
    let client = network.client("us.example", network.config(), 9);
    assert!(client.keys(&[them.wanted(NOW)]).await.is_empty());
    assert!(
        client
            .inner
            .keys
            .find(victim.key.server_name(), victim.key.key_id())
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn notary_is_believed_about_servers_that_do_not_answer() {
    let network = Network::new().await;
    let (gone, notary) = (teller(&network).await, teller(&network).await);
    notary.tell(NOW + 1000);
    let by_gone = gone.told(NOW + 500, &json!({}));
    let by_both = notary.signed(&serde_json::from_str(&by_gone).unwrap());
    let config = Config {
        trusted_notaries: vec![notary.key.server_name().to_owned()],
        ..network.config()
    };

    *notary.others.lock() = vec![by_both];
    let client = network.client("us.example", config.clone(), 9);
    assert!(has(&client.keys(&[gone.wanted(NOW)]).await, &gone));
    let query = notary.last_query.lock().clone();
    let criterion = &query["server_keys"][gone.key.server_name().as_str()][gone.key.key_id()];
    assert_eq!(criterion["minimum_valid_until_ts"], NOW);

    // What the notary did not sign might come from anybody, and what the server did not sign from the notary.
    let forged = notary.signed(&json!({
        "server_name": gone.key.server_name(),
        "valid_until_ts": NOW + 500,
        "verify_keys": { gone.key.key_id(): { "key": notary.key.public_key() } },
    }));
    for told in [by_gone, forged] {
        *notary.others.lock() = vec![told];
        let client = network.client("us.example", config.clone(), 9);
        assert!(client.keys(&[gone.wanted(NOW)]).await.is_empty());
    }
}

#[tokio::test]
async fn this_server_is_a_notary_of_what_it_last_heard() {
    let network = Network::new().await;
    let them = teller(&network).await;
    them.tell(NOW + 1000);
    let client = network.client("us.example", network.config(), 9);
    let query = || [(them.key.server_name().to_owned(), Criteria::new())].into();
    let told = client.notarised(query()).await.unwrap();
    assert_eq!(told.len(), 1);
    let own = |id: &str| {
        (id == client.key().key_id()).then(|| BASE64.decode(client.key().public_key()).unwrap())
    };
    assert!(answer::is_signed_by(
        &told[0],
        server_name!("us.example"),
        own
    ));
    assert_eq!(
        answer::read(&told[0], NOW).unwrap().0,
        them.key.server_name()
    );
    // It does not answer any more.
    *them.own.lock() = None;
    network.advance(5000);
    assert_eq!(client.notarised(query()).await.unwrap(), told);
    let own_keys = client.own_keys().unwrap();
    assert_eq!(answer::read(&own_keys, NOW).unwrap().0, "us.example");
}
