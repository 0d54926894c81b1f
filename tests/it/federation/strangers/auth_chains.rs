//! 3: auth chains.

use orvale_tests::{Joined, encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Meeting, has_event, state_of};

/// The ID of the state of a type and key.
fn id(joined: &Joined, kind: &str, key: &str) -> Value {
    let place = (kind.to_owned(), key.to_owned());
    json!(joined.state[&place].0)
}

#[tokio::test]
async fn an_event_is_refused_that_names_reasons_of_another_room_too_few_or_too_many() {
    let mut meeting = Meeting::new().await;
    let mallory = meeting.mallory.clone();
    // A room in which Mallory may do everything.
    let levels = json!({ "users": { &meeting.alice.user_id: 100, &mallory: 100 } });
    let content = json!({ "preset": "public_chat", "room_version": "11",
        "power_level_content_override": levels });
    let room = meeting.alice.create_room(content).await;
    let other = meeting
        .stranger
        .join(&meeting.server, &room, &mallory)
        .await;
    let before = state_of(&meeting.alice, &meeting.room).await;

    let here = &meeting.joined;
    let (create, levels) = ("m.room.create", "m.room.power_levels");
    let (member, topic) = ("m.room.member", "m.room.topic");
    let ours = [
        id(here, create, ""),
        id(here, levels, ""),
        id(here, member, &mallory),
    ];
    let theirs = [
        id(&other, create, ""),
        id(&other, levels, ""),
        id(&other, member, &mallory),
    ];
    let text = json!({ "msgtype": "m.text", "body": "for no reason" });
    let named = json!({ "topic": "Mallory was here" });
    for (kind, key, content, reasons) in [
        (
            topic,
            Some(""),
            &named,
            json!([ours[0], theirs[1], ours[2]]),
        ),
        (topic, Some(""), &named, json!(theirs)),
        (topic, Some(""), &named, json!(ours)),
        ("m.room.message", None, &text, json!(theirs)),
        ("m.room.message", None, &text, json!([ours[0], ours[1]])),
        ("m.room.message", None, &text, json!([ours[1], ours[2]])),
        ("m.room.message", None, &text, json!([])),
        (
            "m.room.message",
            None,
            &text,
            json!([ours[0], ours[1], ours[2], theirs[1]]),
        ),
        (
            "m.room.message",
            None,
            &text,
            json!([ours[0], ours[1], ours[2], ours[2]]),
        ),
        (
            "m.room.message",
            None,
            &text,
            json!([ours[0], ours[1], ours[2], id(here, "m.room.join_rules", "")]),
        ),
    ] {
        let mut like = json!({ "type": kind, "depth": 20, "prev_events": here.last,
            "auth_events": reasons });
        if let Some(key) = key {
            like["state_key"] = key.into();
        }
        let (id, event) = meeting.stranger.forged(here, &mallory, &like, content);
        let answer = meeting.send(vec![event]).await;
        assert!(answer[&id]["error"].is_string(), "{like}: {answer}");
        assert!(!meeting.has_text("for no reason").await, "{like}");
    }
    assert_eq!(state_of(&meeting.alice, &meeting.room).await, before);
    // With its own reasons it may be said.
    let (good, event) = meeting.text("for good reasons");
    let answer = meeting.send(vec![event]).await;
    assert_eq!(answer[&good], json!({}));
}

/// A chain with an ancestor missing is not taken for a whole one: not then, and not later.
#[tokio::test]
async fn an_event_waits_for_the_ancestors_of_its_reasons() {
    let mut meeting = Meeting::new().await;
    let mallory = meeting.mallory.clone();
    let before = meeting.joined.last.clone();
    // Three names one after the other, none of which is told.
    let mut names = Vec::new();
    for n in 0..3 {
        let content = json!({ "membership": "join", "displayname": format!("Mallory {n}") });
        names.push(meeting.stranger.event(
            &mut meeting.joined,
            &mallory,
            "m.room.member",
            Some(&mallory),
            &content,
        ));
    }
    for (id, _) in &names {
        meeting.stranger.forget(id);
    }
    let joined = &meeting.joined;
    let reasons = [
        id(joined, "m.room.create", ""),
        id(joined, "m.room.power_levels", ""),
        id(joined, "m.room.member", &mallory),
    ];
    let like = json!({ "type": "m.room.message", "depth": 20, "prev_events": before,
        "auth_events": reasons });
    let content = json!({ "msgtype": "m.text", "body": "who am I?" });
    let (sent, event) = meeting.stranger.forged(joined, &mallory, &like, &content);
    let path = format!(
        "/_matrix/federation/v1/event_auth/{}/{}",
        encode(&meeting.room),
        encode(&sent)
    );
    // The last alone; without the first; without the one in the middle, when the first is kept; then without that.
    for (given, is_whole) in [
        (vec![2], false),
        (vec![1, 2], false),
        (vec![0, 2], false),
        (vec![2, 1], true),
    ] {
        let chain: Vec<&Value> = given.iter().map(|n: &usize| &names[*n].1).collect();
        meeting
            .stranger
            .answer(&path, 200, json!({ "auth_chain": chain }));
        let answer = meeting.send(vec![event.clone()]).await;
        let is_taken = answer[&sent] == json!({});
        assert_eq!(is_taken, is_whole, "{given:?}: {answer}");
        assert_eq!(meeting.has_text("who am I?").await, is_whole, "{given:?}");
    }
}

/// Forks that each stand on another place of a long auth chain.
#[tokio::test]
async fn a_long_auth_chain_with_many_forks_costs_neither_time_nor_memory() {
    const LONG: usize = 400;
    let mut meeting = Meeting::of("12").await;
    let mallory = meeting.mallory.clone();
    let mut forks = Vec::new();
    let mut pdus = Vec::new();
    for n in 0..LONG {
        let content = json!({ "membership": "join", "displayname": format!("Mallory {n}") });
        if n % 25 == 0 {
            forks.push(meeting.joined.clone());
        }
        let (_, event) = meeting.stranger.event(
            &mut meeting.joined,
            &mallory,
            "m.room.member",
            Some(&mallory),
            &content,
        );
        pdus.push(event);
    }
    // On each fork, a name of its own; then one event that ties all of them.
    for (n, fork) in forks.iter_mut().enumerate() {
        let content = json!({ "membership": "join", "displayname": format!("Fork {n}") });
        let made =
            meeting
                .stranger
                .event(fork, &mallory, "m.room.member", Some(&mallory), &content);
        pdus.push(made.1);
    }
    for some in pdus.chunks(50) {
        let answer = meeting.send(some.to_vec()).await;
        let answer = answer.as_object().expect("an answer for each");
        let refused = answer.values().find(|answer| **answer != json!({}));
        assert_eq!(refused, None);
    }
    for fork in forks {
        meeting.joined.last.extend(fork.last);
    }
    let (tied, event) = meeting.text("all of me");
    let answer = meeting.send(vec![event]).await;
    assert_eq!(answer[&tied], json!({}));
    let _ = has_event(&meeting.alice, &meeting.room, &tied).await;
    let sent = meeting.alice.send_text(&meeting.room, "who?").await;
    let path = format!(
        "/_matrix/federation/v1/event_auth/{}/{}",
        encode(&meeting.room),
        encode(&tied)
    );
    let chain = meeting
        .stranger
        .ask(&meeting.server, Method::GET, &path, None)
        .await
        .ok();
    let chain = chain["auth_chain"].as_array().expect("a chain").len();
    assert!((3..LONG + 50).contains(&chain), "{chain} events for {sent}");
}
