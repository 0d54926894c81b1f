//! Limits between servers.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use orvale_tests::{Network, Settings, Stranger, encode, eventually};
use serde_json::json;

#[tokio::test]
async fn who_is_told_to_wait_waits_that_long() {
    let network = Network::new();
    let settings = Settings::default().and("[delivery.servers]\nretry_milliseconds = 10");
    let (server, stranger) = tokio::join!(network.orvale_with(settings), Stranger::start(&network));
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    let mallory = stranger.user("mallory");
    let _ = stranger.join(&server, &room, &mallory).await;
    let send = "/_matrix/federation/v1/send/";
    let limited =
        json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "slower", "retry_after_ms": 1500 });
    stranger.answer(send, 429, limited);
    let attempts = || {
        let asked = stranger.asked();
        asked
            .iter()
            .filter(|asked| asked.path.starts_with(send))
            .count()
    };
    let _ = alice.send_text(&room, "hello").await;
    let attempted = async |count| {
        let attempted = eventually("an attempt", async || (attempts() >= count).then_some(()));
        attempted.await;
        Instant::now()
    };
    let first = attempted(1).await;
    let second = attempted(2).await;
    assert!(
        second - first >= Duration::from_millis(1200),
        "{:?}",
        second - first
    );
    stranger.answer(send, 200, json!({ "pdus": {} }));
    eventually("the message", async || {
        let told = stranger.told("pdus");
        let is_there = told.iter().any(|pdu| pdu["content"]["body"] == "hello");
        is_there.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_wants_a_moment_before_it_answers_is_asked_again_then() {
    let network = Network::new();
    let (server, stranger) = tokio::join!(network.orvale(), Stranger::start(&network));
    let alice = server.register("alice").await;
    let asked = AtomicUsize::new(0);
    stranger.answer_by("/_matrix/federation/v1/query/profile", move |_| match asked
        .fetch_add(1, Ordering::Relaxed)
    {
        0 => {
            let limited =
                json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "slower", "retry_after_ms": 100 });
            (429, limited)
        }
        _ => (200, json!({ "displayname": "Mallory" })),
    });
    let path = format!("profile/{}", encode(&stranger.user("mallory")));
    let profile = alice.get(&path).await.ok();
    assert_eq!(profile["displayname"], "Mallory");
}
