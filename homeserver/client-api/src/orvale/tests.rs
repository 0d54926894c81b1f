use std::path::Path;

use serde_json::json;
use utoipa::OpenApi;

use super::openapi::Described;
use crate::testing::Server;

/// Written by `ORVALE_UPDATE=1 cargo test -p orvale-client-api openapi`.
#[test]
fn the_openapi_file_is_what_the_code_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi/client.json");
    let described = Described::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("ORVALE_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &described).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == described,
        "write it anew: ORVALE_UPDATE=1 cargo test -p orvale-client-api openapi"
    );
}

#[tokio::test]
async fn settings_are_told_to_everybody() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let described = stranger.get("/_orvale/client/v1/openapi.json").await.ok();
    assert!(
        described["paths"]
            .get("/_orvale/client/v1/settings")
            .is_some()
    );
    let settings = server
        .stranger()
        .get("/_orvale/client/v1/settings")
        .await
        .ok();
    assert_eq!(settings["server_name"], "example.org");
    assert_eq!(settings["messages"]["edit_window_ms"], 180_000);
    assert_eq!(settings["messages"]["delete_window_ms"], 180_000);
    assert_eq!(settings["registration"]["mode"], "open");
    assert_eq!(settings["media"]["max_upload_bytes"], 52_428_800);
    assert_eq!(settings["media"]["gifs"], false);
    assert_eq!(settings["media"]["accepted_types"], json!([]));
    assert!(settings["server_time"].as_u64().unwrap() > 1_700_000_000_000);
}

#[tokio::test]
async fn without_a_service_there_are_no_gifs() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let gifs = "/_orvale/client/v1/gifs";
    for path in [
        format!("{gifs}/search?q=cat&lang=de"),
        format!("{gifs}/1?size=full"),
    ] {
        alice.get(&path).await.refused(404, "M_NOT_FOUND");
        let stranger = server.stranger().get(&path).await;
        stranger.refused(401, "M_MISSING_TOKEN");
    }
    let odd = alice.get(&format!("{gifs}/1?size=huge")).await;
    odd.refused(400, "M_INVALID_PARAM");
    let kept = alice.post(&format!("{gifs}/1"), json!({})).await;
    kept.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn direct_rooms_are_one_for_two() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let path = |who: &str| format!("/_orvale/client/v1/direct/@{who}:example.org");
    let made = alice
        .post(&path("bob"), json!({"encrypted": true}))
        .await
        .ok();
    assert_eq!(made["is_new"], true);
    let found = bob.post(&path("alice"), json!({})).await.ok();
    assert_eq!(found, json!({"room_id": made["room_id"], "is_new": false}));
    let no_body = alice
        .call(axum::http::Method::POST, &path("bob"), None)
        .await;
    assert_eq!(no_body.ok(), found);
    let direct = format!(
        "/_matrix/client/v3/user/{}/account_data/m.direct",
        bob.user_id
    );
    let direct = bob.get(&direct).await.ok();
    assert_eq!(direct, json!({"@alice:example.org": [made["room_id"]]}));

    alice
        .post(&path("alice"), json!({}))
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .post(&path("nobody"), json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
    let elsewhere = "/_orvale/client/v1/direct/@bob:elsewhere.org";
    alice
        .post(elsewhere, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    alice
        .post("/_orvale/client/v1/direct/bob", json!({}))
        .await
        .refused(400, "M_INVALID_PARAM");
    server
        .stranger()
        .post(&path("bob"), json!({}))
        .await
        .refused(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn late_changes_are_refused_with_a_reason() {
    let mut server = Server::start().await;
    server.never_change_messages();
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .post(
            "/_matrix/client/v3/createRoom",
            json!({"preset": "public_chat"}),
        )
        .await
        .ok();
    let room = format!(
        "/_matrix/client/v3/rooms/{}",
        room["room_id"].as_str().unwrap()
    );
    bob.post(&format!("{room}/join"), json!({})).await.ok();
    let text = json!({"msgtype": "m.text", "body": "hello"});
    let sent = bob
        .put(&format!("{room}/send/m.room.message/1"), text)
        .await
        .ok();
    let edit = json!({"msgtype": "m.text", "body": "* x", "m.new_content": {"msgtype": "m.text", "body": "x"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": sent["event_id"]}});
    // The clock goes on by a millisecond at least.
    let too_late = async || {
        loop {
            let path = format!("{room}/send/m.room.message/{}", rand_txn());
            let answer = bob.put(&path, edit.clone()).await;
            if answer.status != 200 {
                return answer.refused(403, "M_FORBIDDEN");
            }
        }
    };
    let refused = too_late().await;
    assert_eq!(refused["com.orvale.reason"], "edit_time_over");
    let event = sent["event_id"].as_str().unwrap();
    let redact = format!("{room}/redact/{event}/");
    let refused = bob.put(&format!("{redact}1"), json!({})).await;
    let refused = refused.refused(403, "M_FORBIDDEN");
    assert_eq!(refused["com.orvale.reason"], "delete_time_over");
    alice.put(&format!("{redact}2"), json!({})).await.ok();
}

fn rand_txn() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(100);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
