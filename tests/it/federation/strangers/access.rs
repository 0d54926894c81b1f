//! 13: access checks that look at the wrong thing.

use orvale_tests::encode;
use reqwest::Method;
use serde_json::json;

use super::Meeting;

/// An event is looked up by its ID, its room taken from the URL.
#[tokio::test]
async fn nothing_is_told_of_rooms_that_the_server_is_not_in() {
    let meeting = Meeting::new().await;
    let secret = meeting.alice.create_room(json!({ "name": "Secret" })).await;
    let sent = meeting.alice.send_text(&secret, "secret").await;
    let (in_room, other) = (encode(&meeting.room), encode(&secret));
    let event = encode(&sent);
    for path in [
        format!("event/{event}"),
        format!("state/{in_room}?event_id={event}"),
        format!("state/{other}?event_id={event}"),
        format!("state_ids/{in_room}?event_id={event}"),
        format!("state_ids/{other}?event_id={event}"),
        format!("event_auth/{in_room}/{event}"),
        format!("event_auth/{other}/{event}"),
        format!("backfill/{in_room}?v={event}&limit=10"),
        format!("backfill/{other}?v={event}&limit=10"),
        format!("timestamp_to_event/{other}?ts=0&dir=f"),
        format!("make_join/{other}/{}?ver=12", encode(&meeting.mallory)),
    ] {
        let path = format!("/_matrix/federation/v1/{path}");
        let answer = meeting
            .stranger
            .ask(&meeting.server, Method::GET, &path, None)
            .await;
        let said = answer.json.to_string();
        let tells =
            said.contains("secret") || said.contains("Secret") || said.contains("\"hashes\"");
        assert!(!tells, "{path}: {said}");
    }
    for room in [&in_room, &other] {
        let path = format!("/_matrix/federation/v1/get_missing_events/{room}");
        let body = json!({ "limit": 1_000_000_000, "min_depth": 0, "earliest_events": [], "latest_events": [sent] });
        let answer = meeting
            .stranger
            .ask(&meeting.server, Method::POST, &path, Some(body))
            .await;
        let said = answer.json.to_string();
        assert!(!said.contains("\"hashes\""), "{path}: {said}");
    }
}
