//! Messages to devices.

use std::time::Duration;

use orvale_tests::{Client, Server};
use serde_json::{Value, json};

use super::people;

async fn send(from: &Client, to: &Client, txn: &str, n: u64) {
    let body = json!({ "messages": { &to.user_id: { &to.device_id: { "n": n } } } });
    let path = format!("sendToDevice/com.example.test/{txn}");
    let _ = from.put(&path, body).await.ok();
}

/// The numbers of the messages in an answer, and its token.
async fn read(client: &Client, since: &str) -> (Vec<u64>, String) {
    let sync = client.get(&format!("sync?since={since}")).await.ok();
    let events = sync["to_device"]["events"].as_array();
    let numbers = events.into_iter().flatten();
    let numbers = numbers.filter_map(|event| event["content"]["n"].as_u64());
    let next = sync["next_batch"].as_str().unwrap().to_owned();
    (numbers.collect(), next)
}

#[tokio::test(flavor = "multi_thread")]
async fn line_08_messages_wait_until_they_are_acknowledged_and_come_once() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let start = alice.sync().await.next_batch().to_owned();
    send(&bob, &alice, "a", 1).await;
    // Sent again because the answer was lost; and under the name that another device chose.
    send(&bob, &alice, "a", 1).await;
    send(&server.log_in("bob").await, &alice, "a", 2).await;
    let (first, next) = read(&alice, &start).await;
    assert_eq!(first, [1, 2]);
    // That answer did not arrive, so nothing of it may be gone.
    send(&bob, &alice, "b", 3).await;
    assert_eq!(read(&alice, &start).await.0, [1, 2, 3]);
    let (rest, last) = read(&alice, &next).await;
    assert_eq!(rest, [3]);
    assert_eq!(read(&alice, &last).await.0, [0; 0]);
    // Acknowledged is gone, also for who asks with an older token.
    assert_eq!(read(&alice, &start).await.0, [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_08_messages_are_for_one_device_and_not_dropped_under_load() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let other = server.log_in("alice").await;
    let mut since = alice.sync().await.next_batch().to_owned();
    let sending = [&bob, &mallory].map(|from| {
        let (from, alice) = (from.clone(), alice.clone());
        tokio::spawn(async move {
            for n in 0..150 {
                send(&from, &alice, &n.to_string(), n).await;
            }
        })
    });
    let mut seen = Vec::new();
    let start = std::time::Instant::now();
    while seen.len() < 300 {
        let (numbers, next) = read(&alice, &format!("{since}&timeout=5000")).await;
        assert!(start.elapsed().as_secs() < 60, "lost after {}", seen.len());
        seen.extend(numbers);
        since = next;
    }
    for sending in sending {
        sending.await.unwrap();
    }
    seen.sort_unstable();
    let all: Vec<_> = (0..150).flat_map(|n| [n, n]).collect();
    assert_eq!(seen, all);
    let sync = other.sync_for(Duration::ZERO).await;
    assert_eq!(sync.0["to_device"]["events"], Value::Null);
    // To all devices is to each of them, once.
    let body = json!({ "messages": { &alice.user_id: { "*": { "n": 7 } } } });
    let _ = bob
        .put("sendToDevice/com.example.test/all", body)
        .await
        .ok();
    assert_eq!(read(&alice, &since).await.0, [7]);
    assert_eq!(read(&other, sync.next_batch()).await.0, [7]);
}
