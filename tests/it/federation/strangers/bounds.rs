//! 15: unbounded work on hostile or big input.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Meeting, edu, has_event};

/// Unbounded work.
#[tokio::test]
async fn transactions_have_bounds() {
    let meeting = Meeting::new().await;
    let pdus = vec![json!({}); 51];
    let answer = meeting
        .stranger
        .send(&meeting.server, pdus, Vec::new())
        .await;
    assert_eq!(answer.status, 400, "{}", answer.json);
    let edus = vec![edu("m.test", json!({})); 101];
    let answer = meeting
        .stranger
        .send(&meeting.server, Vec::new(), edus)
        .await;
    assert_eq!(answer.status, 400, "{}", answer.json);
}

/// `depth` at the limit of integers.
#[tokio::test]
async fn an_impossible_depth_does_not_stop_a_room() {
    let mut meeting = Meeting::new().await;
    let before = meeting.joined.clone();
    let (_, mut event) = meeting.text("deep");
    meeting.joined = before;
    for depth in [
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!(-1),
        json!(1.5),
    ] {
        let mut event = event.clone();
        event["depth"] = depth;
        // With the signature that it had: most of these are no canonical JSON, and cannot be signed.
        let _ = meeting.send(vec![event]).await;
    }
    event["depth"] = 9_007_199_254_740_991_u64.into();
    let deep = meeting.stranger.sign(&meeting.joined, event);
    let taken = meeting.send(vec![deep]).await;
    assert_eq!(taken.as_object().unwrap().len(), 1, "{taken}");
    // Events after it, ours and theirs.
    let sent = meeting.alice.send_text(&meeting.room, "still here").await;
    let _ = has_event(&meeting.alice, &meeting.room, &sent).await;
    let (id, next) = meeting.text("so are we");
    let _ = meeting.send(vec![next]).await;
    let _ = has_event(&meeting.alice, &meeting.room, &id).await;
}

/// Nesting that would exhaust a stack, and bodies that would exhaust memory.
#[tokio::test]
async fn deep_and_large_bodies_are_refused_or_dropped() {
    let mut meeting = Meeting::new().await;
    let (good, event) = meeting.text("good");
    let event = event.to_string();
    let origin = &meeting.stranger.name;
    let body = |n: usize, pdus: &str| {
        let body =
            format!(r#"{{"edus":[],"origin":"{origin}","origin_server_ts":{n},"pdus":[{pdus}]}}"#);
        (
            format!("/_matrix/federation/v1/send/deep{n}"),
            body.into_bytes(),
        )
    };
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let content = |levels: usize| {
        let room = &meeting.room;
        format!(
            r#"{{"content":{{"a":{}}},"room_id":"{room}","type":"m.test"}}"#,
            deep(levels)
        )
    };
    for (n, pdus) in [
        deep(100),
        deep(200_000),
        content(100),
        content(1_000),
        content(100_000),
        "{".repeat(10_000),
        format!("{}1{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000)),
    ]
    .iter()
    .enumerate()
    {
        let (path, body) = body(n, pdus);
        let answer = meeting
            .stranger
            .ask_bytes(&meeting.server, Method::PUT, &path, Some(body))
            .await;
        let status = answer.status.as_u16();
        assert!(
            status == 200 || (400..500).contains(&status),
            "{n}: {status}"
        );
    }
    // What is too large is refused however many of it come.
    let vast = format!(r#"{{"type":"{}"}}"#, "x".repeat(60 << 20));
    let (path, body_of) = body(100, &vast);
    let answer = meeting
        .stranger
        .ask_bytes(&meeting.server, Method::PUT, &path, Some(body_of))
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    let (path, body_of) = body(101, &event);
    let answer = meeting
        .stranger
        .ask_bytes(&meeting.server, Method::PUT, &path, Some(body_of))
        .await;
    assert_eq!(answer.ok()["pdus"][&good], json!({}));
}

/// Fifty events as large as events may be, at once and again and again.
#[tokio::test]
async fn the_largest_transactions_are_taken_within_bounds() {
    let mut meeting = Meeting::new().await;
    let large = "x".repeat(60_000);
    for _ in 0..4 {
        let pdus: Vec<Value> = (0..50).map(|_| meeting.text(&large).1).collect();
        let answer = meeting.send(pdus).await;
        let answer = answer.as_object().expect("an answer for each");
        assert_eq!(answer.len(), 50);
        assert!(answer.values().all(|answer| *answer == json!({})));
    }
    let (_, mut event) = meeting.text("small");
    event["content"]["body"] = "x".repeat(70_000).into();
    let answer = meeting.send(vec![event]).await;
    assert_eq!(answer, json!({}), "too large for an event");
}

/// Forks without end: what is sent next names few of them, and they are tied together.
#[tokio::test]
async fn many_forks_are_tied_together() {
    let mut meeting = Meeting::new().await;
    let start = meeting.joined.clone();
    let mut pdus = Vec::new();
    for n in 0..200 {
        meeting.joined = start.clone();
        pdus.push(meeting.text(&format!("fork {n}")).1);
    }
    for some in pdus.chunks(50) {
        let answer = meeting.send(some.to_vec()).await;
        assert_eq!(answer.as_object().expect("an answer for each").len(), 50);
    }
    let sent = meeting.alice.send_text(&meeting.room, "which way?").await;
    meeting.hear(&sent).await;
    let told = meeting.stranger.told("pdus");
    for event in &told {
        let before = event["prev_events"].as_array().expect("a list").len();
        assert!(before <= 20, "{event}");
    }
    let (id, event) = meeting.text("this way");
    let _ = meeting.send(vec![event]).await;
    let _ = has_event(&meeting.alice, &meeting.room, &id).await;
}
