//! 9: sync gaps.

use orvale_tests::{Client, encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::Meeting;

/// Invites a user of ours to a room of the stranger's, and shows of it what is given.
async fn invite(meeting: &Meeting, shown: Value) -> (String, u16) {
    let mallory = &meeting.mallory;
    let mut room = meeting.stranger.create_room("10", mallory, json!({}));
    let alice = &meeting.alice.user_id;
    let content = json!({ "membership": "invite", "displayname": "Alice" });
    let (id, event) =
        meeting
            .stranger
            .event(&mut room, mallory, "m.room.member", Some(alice), &content);
    let path = format!(
        "/_matrix/federation/v2/invite/{}/{}",
        encode(&room.room),
        encode(&id)
    );
    let body = json!({ "event": event, "room_version": "10", "invite_room_state": shown });
    let answer = meeting
        .stranger
        .ask(&meeting.server, Method::PUT, &path, Some(body))
        .await;
    (room.room, answer.status.as_u16())
}

/// Whether something is what clients take for an event from outside.
fn is_stripped(event: &Value) -> bool {
    event["content"].is_object()
        && ["type", "state_key", "sender"]
            .iter()
            .all(|field| event[*field].is_string())
}

async fn sliding(client: &Client) -> Value {
    let path = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
    let list = json!({ "ranges": [[0, 99]], "timeline_limit": 1, "required_state": [] });
    let body = json!({ "lists": { "all": list } });
    client.post(path, body).await.ok()
}

#[tokio::test]
async fn malformed_invites_block_no_sync() {
    let meeting = Meeting::new().await;
    let _ = meeting.alice.sync().await;
    let mallory = &meeting.mallory;
    let event = |kind: &str, content: Value| json!({ "type": kind, "state_key": "", "sender": mallory, "content": content });
    let mut nested = json!({});
    for _ in 0..100 {
        nested = json!({ "in": nested });
    }
    let mut taken = Vec::new();
    for shown in [
        json!([]),
        json!([7, null, "name", [], {}, { "type": 7 }]),
        json!([
            event("m.room.name", json!(7)),
            event("m.room.name", Value::Null)
        ]),
        json!([event("m.room.name", json!({ "name": 7 }))]),
        json!([event("m.room.name", json!({ "name": "x".repeat(100_000) }))]),
        json!([event(
            "m.room.create",
            json!({ "type": { "a": 1 }, "room_version": 10 })
        )]),
        json!([event(
            "m.room.join_rules",
            json!({ "join_rule": ["public"] })
        )]),
        json!([
            event("m.room.avatar", json!({ "url": {} })),
            event("", json!([]))
        ]),
        json!([event("m.room.encryption", nested)]),
        json!([{ "type": "m.room.member", "state_key": meeting.alice.user_id, "sender": "nobody", "content": {} }]),
        json!(vec![
            event("m.room.name", json!({ "name": "again" }));
            5_000
        ]),
        json!({ "not": "a list" }),
    ] {
        let (room, status) = invite(&meeting, shown).await;
        assert!(status < 500, "{room}: {status}");
        if status == 200 {
            taken.push(room);
        }
    }
    assert!(!taken.is_empty());
    let (good, status) = invite(
        &meeting,
        json!([event("m.room.name", json!({ "name": "Good" }))]),
    )
    .await;
    assert_eq!(status, 200);
    taken.push(good.clone());
    let sent = meeting.alice.send_text(&meeting.room, "still here").await;
    let sync = meeting.alice.sync().await;
    assert!(sync.has_event(&meeting.room, &sent));
    assert!(sync.invited(&good).to_string().contains("Good"));
    let again = sliding(&meeting.alice).await;
    for room in taken {
        let invited = &sync.invited(&room)["invite_state"]["events"];
        let shown = invited.as_array().expect("what is shown");
        assert!(shown.iter().all(is_stripped), "{invited}");
        // The invite itself, at least.
        assert!(!shown.is_empty(), "{room}");
        let invited = &again["rooms"][&room]["invite_state"];
        let shown = invited.as_array().expect("what is shown");
        assert!(shown.iter().all(is_stripped), "{invited}");
    }
    // Turned down though nobody answers for the room.
    meeting.alice.leave(&good).await;
}

fn filter(limit: u32) -> String {
    encode(&json!({ "room": { "timeline": { "limit": limit } } }).to_string())
}

#[tokio::test]
async fn a_flood_leaves_a_gap_that_is_told_and_can_be_read() {
    let mut meeting = Meeting::new().await;
    let first = meeting.alice.get("sync?timeout=0").await.ok();
    let since = first["next_batch"].as_str().expect("a token");
    let pdus: Vec<Value> = (0..90).map(|n| meeting.text(&n.to_string()).1).collect();
    for some in pdus.chunks(45) {
        let _ = meeting.send(some.to_vec()).await;
    }
    let path = format!(
        "sync?timeout=0&since={}&filter={}",
        encode(since),
        filter(20)
    );
    let sync = meeting.alice.get(&path).await.ok();
    let timeline = &sync["rooms"]["join"][&meeting.room]["timeline"];
    assert_eq!(timeline["limited"], true);
    let mut bodies: Vec<Value> = timeline["events"].as_array().expect("events").clone();
    bodies.reverse();
    let mut from = timeline["prev_batch"].as_str().expect("a token").to_owned();
    // Back to where the last sync was.
    while bodies.len() < 90 {
        let path = format!(
            "rooms/{}/messages?dir=b&limit=7&from={}&to={}",
            encode(&meeting.room),
            encode(&from),
            encode(since)
        );
        let mut page = meeting.alice.get(&path).await.ok();
        let Value::Array(chunk) = page["chunk"].take() else {
            panic!("{page}");
        };
        bodies.extend(chunk);
        match page["end"].as_str() {
            Some(end) => end.clone_into(&mut from),
            None => break,
        }
    }
    let bodies: Vec<&str> = bodies
        .iter()
        .rev()
        .filter_map(|event| event["content"]["body"].as_str())
        .collect();
    let expected: Vec<String> = (0..90).map(|n| n.to_string()).collect();
    assert_eq!(bodies, expected);
}
