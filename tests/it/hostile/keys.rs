//! One-time keys and device keys.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use futures_util::future::join_all;
use orvale_tests::{Client, Server};
use serde_json::{Value, json};
use sha2::Digest as _;

use super::people;

async fn claim(client: &Client, from: &Client) -> Vec<String> {
    let wanted =
        json!({ "one_time_keys": { &from.user_id: { &from.device_id: "signed_curve25519" } } });
    let claimed = client.post("keys/claim", wanted).await.ok();
    let keys = claimed["one_time_keys"][&from.user_id][&from.device_id].as_object();
    keys.map(|keys| keys.keys().cloned().collect())
        .unwrap_or_default()
}

/// A key as the server sees it: 32 bytes of anything.
fn key(name: &str) -> Value {
    json!({ "key": STANDARD_NO_PAD.encode(sha2::Sha256::digest(name)), "signatures": {} })
}

#[tokio::test(flavor = "multi_thread")]
async fn line_07_one_time_keys_come_in_the_order_of_upload_and_are_never_replaced() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let names = ["z", "a", "m"];
    for name in names {
        let keys = json!({ "one_time_keys": { format!("signed_curve25519:{name}"): key(name) } });
        let _ = alice.post("keys/upload", keys).await.ok();
    }
    // The same again is no news, another key under its name is refused and nothing of that upload is kept.
    let same = json!({ "one_time_keys": { "signed_curve25519:a": key("a") } });
    assert_eq!(
        alice.post("keys/upload", same).await.ok()["one_time_key_counts"]["signed_curve25519"],
        3
    );
    let other = json!({ "one_time_keys": { "signed_curve25519:a": key("other"), "signed_curve25519:b": key("b") } });
    let answer = alice.post("keys/upload", other).await;
    assert_eq!(answer.status, 400, "{}", answer.json);
    for name in names {
        assert_eq!(
            claim(&bob, &alice).await,
            [format!("signed_curve25519:{name}")]
        );
    }
    assert!(claim(&bob, &alice).await.is_empty());
    let sync = alice.sync().await;
    assert_eq!(
        sync.0["device_one_time_keys_count"]["signed_curve25519"],
        json!(0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_07_fewer_keys_than_claims_go_to_as_many_and_the_fallback_to_the_rest() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let mut keys = serde_json::Map::new();
    for n in 0..10 {
        keys.insert(format!("signed_curve25519:{n}"), key(&n.to_string()));
    }
    let mut last = key("last");
    last["fallback"] = json!(true);
    let fallback = json!({ "signed_curve25519:last": last });
    let _ = alice
        .post(
            "keys/upload",
            json!({ "one_time_keys": keys, "fallback_keys": fallback }),
        )
        .await
        .ok();
    let claims = (0..30).map(|n| claim(if n % 2 == 0 { &bob } else { &mallory }, &alice));
    let mut given: Vec<String> = join_all(claims).await.into_iter().flatten().collect();
    assert_eq!(given.len(), 30);
    given.retain(|name| name != "signed_curve25519:last");
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 10);
    let sync = alice.sync().await;
    assert_eq!(
        sync.0["device_unused_fallback_key_types"],
        json!([]),
        "{}",
        sync.0
    );
}

#[tokio::test]
async fn line_07_device_keys_that_would_break_others_are_refused() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let good = json!({
        "user_id": alice.user_id, "device_id": alice.device_id, "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
        "keys": { format!("ed25519:{}", alice.device_id): key("device")["key"] }, "signatures": { &alice.user_id: {} },
    });
    let broken = [
        ("user_id", json!(bob.user_id)),
        ("user_id", json!("nonsense")),
        ("device_id", json!("OTHER")),
        ("device_id", json!(5)),
        ("keys", json!([])),
        ("algorithms", json!("all")),
        ("signatures", json!(null)),
    ];
    for (field, value) in broken {
        let mut keys = good.clone();
        keys[field] = value;
        let answer = alice
            .post("keys/upload", json!({ "device_keys": keys }))
            .await;
        assert_eq!(answer.status, 400, "{field}: {}", answer.json);
    }
    for keys in [
        json!({ "one_time_keys": { "no_colon": key("a") } }),
        json!({ "one_time_keys": { "signed_curve25519:a": 5 } }),
        json!({ "one_time_keys": [] }),
        json!({ "fallback_keys": { ":": key("a") } }),
    ] {
        let answer = alice.post("keys/upload", keys.clone()).await;
        assert_eq!(answer.status, 400, "{keys}: {}", answer.json);
    }
    let query = json!({ "device_keys": { &alice.user_id: [] } });
    let found = bob.post("keys/query", query).await.ok();
    assert_eq!(found["device_keys"][&alice.user_id], json!({}), "{found}");
}
