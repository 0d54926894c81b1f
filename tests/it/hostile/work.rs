//! What hostile clients can make the server do: never more than they pay for.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use orvale_tests::{Server, Settings, encode};
use reqwest::Method;
use serde_json::json;

use super::{of, people, public_room};

/// What a request may take at the most, on a busy machine without optimisation.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn line_15_no_limit_is_too_large_to_be_cut() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let sent = alice.send_text(&room, "x").await;
    let most = i64::MAX >> 10;
    let filter = encode(
        &json!({ "room": { "timeline": { "limit": most }, "state": { "limit": most } } })
            .to_string(),
    );
    for path in [
        of(&room, &format!("messages?dir=b&limit={most}")),
        of(&room, &format!("messages?dir=f&limit={most}")),
        of(&room, &format!("context/{}?limit={most}", encode(&sent))),
        format!("sync?timeout=0&filter={filter}"),
        format!("publicRooms?limit={most}"),
    ] {
        let start = Instant::now();
        let _ = alice.get(&path).await.ok();
        assert!(
            start.elapsed() < PATIENCE,
            "{path} took {:?}",
            start.elapsed()
        );
    }
    let nothing = alice.get(&of(&room, "messages?dir=b&limit=0")).await;
    assert!(nothing.status.is_success() || nothing.status == 400);
    let typing = json!({ "typing": true, "timeout": most });
    let _ = alice
        .put(
            &of(&room, &format!("typing/{}", encode(&alice.user_id))),
            typing,
        )
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_patterns_of_push_rules_cannot_hold_up_the_server() {
    let server = Server::start().await;
    let [alice, _, mallory] = people(&server).await;
    let room = public_room(&mallory).await;
    alice.join(&room).await;
    let bomb = "?".repeat(40);
    stream::iter(0..300)
        .for_each_concurrent(20, |n| {
            let rule = json!({ "pattern": format!("{bomb}{n}"), "actions": ["notify"] });
            let mallory = &mallory;
            async move {
                drop(
                    mallory
                        .put(&format!("pushrules/global/content/bomb{n}"), rule)
                        .await
                        .ok(),
                );
            }
        })
        .await;
    let word = json!({ "actions": ["notify"], "conditions": [{ "kind": "event_match", "key": "content.body", "pattern": bomb }] });
    let _ = mallory
        .put("pushrules/global/override/bomb", word)
        .await
        .ok();
    let _ = mallory.sync().await;
    let body = "a".repeat(60_000);
    for _ in 0..20 {
        let _ = alice.send_text(&room, &body).await;
    }
    let filter = encode(&json!({ "room": { "timeline": { "limit": 1 } } }).to_string());
    let start = Instant::now();
    let _ = mallory
        .get(&format!("sync?timeout=0&filter={filter}"))
        .await
        .ok();
    assert!(
        start.elapsed() < PATIENCE,
        "one sync took {:?}",
        start.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_what_a_user_keeps_has_an_end() {
    let bounds = "[users.limits]\nfilters = 50\npush_rules = 40\naccount_data_types = 30\naccount_data_bytes = 20000\npushers = 10\n";
    let server = Server::with(Settings::default().and(bounds)).await;
    let [alice, ..] = people(&server).await;
    let who = encode(&alice.user_id);
    let mut first = None;
    let mut refused = 0;
    for n in 1..=60 {
        let answer = alice
            .post(
                &format!("user/{who}/filter"),
                json!({ "room": { "timeline": { "limit": n } } }),
            )
            .await;
        assert!(answer.status.as_u16() < 500, "{}", answer.json);
        if answer.status.is_success() {
            first.get_or_insert(answer.json["filter_id"].as_str().unwrap().to_owned());
        } else {
            refused += 1;
        }
    }
    assert!(
        refused <= 10,
        "{refused} of 60 filters were refused, with room for 50"
    );
    let kept = alice
        .get(&format!("user/{who}/filter/{}", first.unwrap()))
        .await;
    assert!(kept.status.is_success() || kept.status == 404);
    let mut refused = 0;
    for n in 0..60 {
        let rule = json!({ "pattern": "x", "actions": [] });
        refused += usize::from(
            alice
                .put(&format!("pushrules/global/content/{n}"), rule)
                .await
                .status
                .is_client_error(),
        );
    }
    assert_eq!(refused, 20);
    let mut refused = 0;
    for n in 0..60 {
        let data = json!({ "n": n });
        refused += usize::from(
            alice
                .put(&format!("user/{who}/account_data/org.example.{n}"), data)
                .await
                .status
                .is_client_error(),
        );
    }
    assert!(refused >= 25, "{refused}");
    let big = json!({ "big": "x".repeat(30_000) });
    let answer = alice
        .put(&format!("user/{who}/account_data/org.example.0"), big)
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.json);
    // What is there can still be changed.
    let _ = alice
        .put(&format!("user/{who}/account_data/org.example.0"), json!({}))
        .await
        .ok();
    let _ = alice
        .put(
            "pushrules/global/content/0",
            json!({ "pattern": "y", "actions": [] }),
        )
        .await
        .ok();
    let field = json!({ "org.example.field": "x".repeat(70_000) });
    let answer = alice
        .put(&format!("profile/{who}/org.example.field"), field)
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_filters_in_any_number_are_told_apart() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let path = format!("user/{}/filter", encode(&alice.user_id));
    let start = Instant::now();
    let made: usize = stream::iter(0..1200)
        .map(|n| {
            let (alice, path) = (&alice, &path);
            async move {
                usize::from(
                    alice
                        .post(path, json!({ "room": { "timeline": { "limit": n } } }))
                        .await
                        .status
                        .is_success(),
                )
            }
        })
        .buffer_unordered(20)
        .fold(0, async |sum, one| sum + one)
        .await;
    assert!((1000..=1200).contains(&made), "{made}");
    assert!(start.elapsed() < 10 * PATIENCE);
    let heavy = json!({ "room": { "rooms": vec!["!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; 50_000] } });
    let answer = alice.post(&path, heavy).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_requests_for_very_many_things_are_cut_or_refused() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    let start = Instant::now();
    let users: Vec<String> = (0..30_000)
        .map(|n| format!("@user{n}:test.example"))
        .collect();
    let all: serde_json::Map<String, serde_json::Value> =
        users.iter().map(|user| (user.clone(), json!([]))).collect();
    let answer = alice
        .post("keys/query", json!({ "device_keys": all }))
        .await;
    assert!(answer.status.as_u16() < 500, "{}", answer.status);
    let all: serde_json::Map<String, serde_json::Value> = users
        .iter()
        .map(|user| (user.clone(), json!({ "D": "signed_curve25519" })))
        .collect();
    let answer = alice
        .post("keys/claim", json!({ "one_time_keys": all }))
        .await;
    assert!(answer.status.as_u16() < 500, "{}", answer.status);
    let all: serde_json::Map<String, serde_json::Value> = users
        .iter()
        .map(|user| (user.clone(), json!({ "*": {} })))
        .collect();
    let answer = alice
        .put("sendToDevice/m.test/t", json!({ "messages": all }))
        .await;
    assert!(answer.status.as_u16() < 500, "{}", answer.status);
    let answer = alice.post("createRoom", json!({ "invite": users })).await;
    assert!(
        answer.status.is_client_error(),
        "{}: thirty thousand invitations",
        answer.status
    );
    let initial: Vec<_> = (0..30_000)
        .map(|n| json!({ "type": "org.example.a", "state_key": n.to_string(), "content": {} }))
        .collect();
    let answer = alice
        .post("createRoom", json!({ "initial_state": initial }))
        .await;
    assert!(
        answer.status.is_client_error(),
        "{}: thirty thousand state events",
        answer.status
    );
    let answer = alice
        .post("delete_devices", json!({ "devices": users }))
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    assert!(start.elapsed() < 4 * PATIENCE, "{:?}", start.elapsed());
    // Nobody else had to wait.
    bob.join(&room).await;
    let _ = bob.send_text(&room, "x").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_one_who_asks_for_everything_at_once_does_not_stop_others() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let room = public_room(&alice).await;
    let loud = public_room(&mallory).await;
    bob.join(&room).await;
    for n in 0..300 {
        let _ = mallory
            .set_state(
                &loud,
                "org.example.state",
                &n.to_string(),
                json!({ "x": "x".repeat(1000) }),
            )
            .await;
    }
    let flood = stream::iter(0..60).for_each_concurrent(60, |n| {
        let (mallory, loud) = (&mallory, &loud);
        async move {
            let path = if n % 2 == 0 {
                "sync?full_state=true&timeout=0".to_owned()
            } else {
                of(loud, "state")
            };
            drop(mallory.get(&path).await.ok());
        }
    });
    let talk = async {
        let mut slowest = Duration::ZERO;
        for n in 0..20 {
            let start = Instant::now();
            let _ = alice.send_text(&room, &n.to_string()).await;
            slowest = slowest.max(start.elapsed());
        }
        slowest
    };
    let ((), slowest) = tokio::join!(flood, talk);
    assert!(slowest < PATIENCE, "a message took {slowest:?}");
}

#[tokio::test]
async fn answer_to_a_body_that_is_not_wanted_reaches_who_still_writes_it() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let body = vec![b' '; 3_000_000];
    for _ in 0..5 {
        stranger
            .call(Method::POST, "createRoom", body.clone())
            .await
            .refused(401, "M_MISSING_TOKEN");
        stranger
            .call(Method::POST, "/_matrix/client/v3/nonsense", body.clone())
            .await
            .refused(404, "M_UNRECOGNIZED");
        stranger
            .call(Method::PUT, "createRoom", body.clone())
            .await
            .refused(405, "M_UNRECOGNIZED");
    }
    let alice = server.register("alice").await;
    for _ in 0..3 {
        alice
            .call(Method::POST, "createRoom", vec![b' '; 12_000_000])
            .await
            .refused(413, "M_TOO_LARGE");
    }
}
