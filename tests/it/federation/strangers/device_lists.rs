//! 6: device lists going stale.

use serde_json::json;

use super::{Meeting, edu};

/// Loops of fetching device lists.
#[tokio::test]
async fn a_flood_of_device_updates_does_not_make_us_flood_back() {
    let meeting = Meeting::new().await;
    let mallory = &meeting.mallory;
    let list = json!({ "user_id": mallory, "stream_id": 1, "devices": [] });
    let path = format!(
        "/_matrix/federation/v1/user/devices/{}",
        mallory.replace(':', "%3A")
    );
    for path in [
        path,
        format!("/_matrix/federation/v1/user/devices/{mallory}"),
    ] {
        meeting.stranger.answer(&path, 200, list.clone());
    }
    meeting
        .stranger
        .answer("/_matrix/federation/v1/user/devices/", 200, list);
    let query = json!({ "device_keys": { mallory: [] } });
    let _ = meeting.alice.post("keys/query", query).await.ok();
    for n in 0..10_u32 {
        let edus = (0..100_u32).map(|m| {
            let stream = 1000 + n * 1000 + m * 10;
            edu(
                "m.device_list_update",
                json!({ "user_id": mallory, "device_id": "D", "stream_id": stream,
                "prev_id": [stream - 1] }),
            )
        });
        let answer = meeting
            .stranger
            .send(&meeting.server, Vec::new(), edus.collect())
            .await;
        let _ = answer.ok();
    }
    let asked = meeting.stranger.asked();
    let fetched = asked
        .iter()
        .filter(|asked| asked.path.contains("/user/devices/"))
        .count();
    assert!(
        (1..50).contains(&fetched),
        "{fetched} fetched for 1000 updates"
    );
}
