//! What end-to-end encryption asks of a server: no key twice, no message lost, whatever happens to it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use futures_util::future::join_all;
use orvale_tests::{Client, Server, eventually};
use reqwest::Method;
use serde_json::{Map, Value, json};
use sha2::Digest as _;

/// A one-time key as the server sees it: 32 bytes of anything.
fn one_time_key(name: &str) -> Value {
    json!({ "key": STANDARD_NO_PAD.encode(sha2::Sha256::digest(name)), "signatures": {} })
}

fn keys(names: impl IntoIterator<Item = String>) -> Value {
    let keys = names
        .into_iter()
        .map(|name| (format!("signed_curve25519:{name}"), one_time_key(&name)));
    json!({ "one_time_keys": keys.collect::<Map<_, _>>() })
}

fn wanted(from: &Client) -> Value {
    json!({ "one_time_keys": { &from.user_id: { &from.device_id: "signed_curve25519" } } })
}

fn names(claimed: &Value, from: &Client) -> Vec<String> {
    let keys = claimed["one_time_keys"][&from.user_id][&from.device_id].as_object();
    keys.map(|keys| keys.keys().cloned().collect())
        .unwrap_or_default()
}

/// Claims keys until the server is gone; those whose claim was answered.
async fn claim_until_gone(client: Client, from: Client, over: Arc<AtomicBool>) -> Vec<String> {
    let mut given = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let request = client.request(Method::POST, "keys/claim");
        let Ok(answer) = request.body(wanted(&from).to_string()).send().await else {
            break;
        };
        let Ok(body) = answer.json::<Value>().await else {
            break;
        };
        let keys = names(&body, &from);
        if keys.is_empty() {
            break;
        }
        given.extend(keys);
    }
    given
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_given_out_twice_though_the_server_is_killed_meanwhile() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let mut given = Vec::new();
    for round in 0..3 {
        let upload = keys((0..150).map(|n| format!("{round}x{n}")));
        let _ = alice.post("keys/upload", upload.clone()).await.ok();
        let over = Arc::new(AtomicBool::new(false));
        let claims: Vec<_> = (0..8)
            .map(|_| tokio::spawn(claim_until_gone(bob.clone(), alice.clone(), over.clone())))
            .collect();
        eventually("some keys are given out", async || {
            let counts = alice.post("keys/upload", json!({})).await.ok();
            let left = counts["one_time_key_counts"]["signed_curve25519"].as_u64();
            left.filter(|left| *left < 130)
        })
        .await;
        // No further claims begin; those under way meet their end.
        over.store(true, Ordering::SeqCst);
        server.kill();
        for claim in claims {
            given.extend(claim.await.unwrap());
        }
        server.start_again().await;
        // The client does not know either whether its upload arrived, and repeats it.
        let _ = alice.post("keys/upload", upload).await.ok();
        loop {
            let claimed = bob.post("keys/claim", wanted(&alice)).await.ok();
            let keys = names(&claimed, &alice);
            if keys.is_empty() {
                break;
            }
            given.extend(keys);
        }
    }
    let different: BTreeSet<_> = given.iter().collect();
    assert_eq!(different.len(), given.len(), "a key was given out twice");
    assert!(given.len() > 200, "{}", given.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_to_a_device_come_in_order_until_they_are_acknowledged_though_the_server_is_killed()
 {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let start = alice.sync().await.next_batch().to_owned();
    for n in 0..120 {
        let body = json!({ "messages": { &alice.user_id: { &alice.device_id: { "n": n } } } });
        let path = format!("sendToDevice/m.test/{n}");
        let _ = bob.put(&path, body.clone()).await.ok();
        if n % 40 == 20 {
            server.kill();
            server.start_again().await;
            // Sent again, as one does who got no answer.
            let _ = bob.put(&path, body).await.ok();
        }
    }
    let read = async |since: &str| {
        let sync = alice.get(&format!("sync?since={since}")).await.ok();
        let events = sync["to_device"]["events"].as_array().cloned();
        let numbers = events.unwrap_or_default().into_iter();
        let numbers: Vec<_> = numbers
            .map(|event| event["content"]["n"].as_u64().unwrap())
            .collect();
        (numbers, sync["next_batch"].as_str().unwrap().to_owned())
    };
    let (first, next) = read(&start).await;
    // The answer got lost on the way, and the server with it.
    server.kill();
    server.start_again().await;
    let (again, _) = read(&start).await;
    assert_eq!(first, again);
    let (rest, last) = read(&next).await;
    let all: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(all, (0..120).collect::<Vec<_>>());
    assert!(read(&last).await.0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backup_counts_right_whoever_writes_and_whenever_the_server_dies() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let version = json!({ "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2", "auth_data": { "public_key": "x" } });
    let _ = alice.post("room_keys/version", version).await.ok();
    let session = json!({
        "first_message_index": 0, "forwarded_count": 0, "is_verified": true,
        "session_data": { "ciphertext": "x" },
    });
    let put = |n: usize| {
        let (alice, session) = (alice.clone(), session.clone());
        async move {
            let path = format!("room_keys/keys/!r{}:x/s{n}?version=1", n % 3);
            alice.put(&path, session).await.ok()
        }
    };
    join_all((0..30).map(put)).await;
    server.kill();
    server.start_again().await;
    let last = put(29).await;
    assert_eq!((&last["count"], &last["etag"]), (&json!(30), &json!("30")));
    let info = alice.get("room_keys/version").await.ok();
    assert_eq!((&info["count"], &info["etag"]), (&json!(30), &json!("30")));
    let all = alice.get("room_keys/keys?version=1").await.ok();
    let count = |room: &str| all["rooms"][room]["sessions"].as_object().unwrap().len();
    assert_eq!(count("!r0:x") + count("!r1:x") + count("!r2:x"), 30);
}
