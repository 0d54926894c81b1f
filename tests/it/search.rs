//! Finding what was said, whatever happened to the server since.

use std::process::Command;

use orvale_tests::{Client, Server, Settings, encode, eventually};
use serde_json::{Value, json};

/// What is said is found soon.
const SETTINGS: &str = "[search]\ncommit_interval_ms = 50\n";

async fn search(by: &Client, criteria: Value) -> Value {
    let body = json!({"search_categories": {"room_events": criteria}});
    let found = by.post("search", body).await.ok();
    found["search_categories"]["room_events"].clone()
}

/// The events that a word finds, newest first.
async fn found(by: &Client, word: &str) -> Vec<String> {
    let criteria = json!({"search_term": word, "order_by": "recent", "filter": {"limit": 100}});
    let found = search(by, criteria).await;
    let results = found["results"].as_array().unwrap().iter();
    results
        .map(|result| result["result"]["event_id"].as_str().unwrap().to_owned())
        .collect()
}

/// Waits until a word finds just these events.
async fn finds(by: &Client, word: &str, events: &[String]) {
    eventually(&format!("{word:?} to find {events:?}"), async || {
        (found(by, word).await == events).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_was_acknowledged_is_found_after_the_server_was_killed() {
    let server = Server::with(Settings::default().and(SETTINGS)).await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let mut said = Vec::new();
    for round in 0..3 {
        // Killed while the first are in the index, some on their way, and the last not even that.
        for n in 0..15 {
            said.insert(
                0,
                alice.send_text(&room, &format!("walnut {round} {n}")).await,
            );
        }
        server.kill();
        server.start_again().await;
        finds(&alice, "walnut", &said).await;
    }
    let edited = said.remove(3);
    let edit = json!({
        "msgtype": "m.text", "body": "* hazel", "m.new_content": {"msgtype": "m.text", "body": "hazel"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": edited},
    });
    alice.send(&room, "m.room.message", edit).await;
    let redacted = said.remove(0);
    let path = format!("rooms/{}/redact/{}/1", encode(&room), encode(&redacted));
    let _ = alice.put(&path, json!({})).await.ok();
    server.kill();
    server.start_again().await;
    finds(&alice, "walnut", &said).await;
    finds(&alice, "hazel", &[edited]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_made_anew_when_asked_for_and_when_it_is_gone_or_broken() {
    let server = Server::with(Settings::default().and(SETTINGS)).await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let said = [alice.send_text(&room, "a walnut").await];
    finds(&alice, "walnut", &said).await;
    let reindex = || {
        let config = server.home().join("orvale.toml");
        let mut command = Command::new(orvale_tests::binary());
        command.arg("reindex").arg("--config").arg(config);
        let output = command.current_dir(server.home()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}{problem}");
        assert!(told.contains("1 texts are found"), "{told}");
    };
    reindex();
    finds(&alice, "walnut", &said).await;
    assert!(server.stop().await.success());
    reindex();
    let index = server.home().join("data/search");
    std::fs::remove_dir_all(&index).unwrap();
    server.start_again().await;
    finds(&alice, "walnut", &said).await;
    assert!(server.stop().await.success());
    std::fs::write(index.join("meta.json"), "rubbish").unwrap();
    server.start_again().await;
    finds(&alice, "walnut", &said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_rooms_are_found_by_those_who_may_know_of_them() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let space =
        json!({"name": "Home", "preset": "public_chat", "creation_content": {"type": "m.space"}});
    let space = alice.create_room(space).await;
    let allow = json!([{"type": "m.room_membership", "room_id": space}]);
    let rule = json!({"join_rule": "restricted", "allow": allow});
    let state = json!([{"type": "m.room.join_rules", "content": rule}]);
    let room = alice
        .create_room(json!({"name": "Kitchen", "initial_state": state}))
        .await;
    let via = json!({"via": ["test.example"]});
    alice.set_state(&space, "m.space.child", &room, via).await;
    let rooms = async || {
        let path = format!("/_matrix/client/v1/rooms/{}/hierarchy", encode(&space));
        let page = bob.get(&path).await.ok();
        page["rooms"].as_array().unwrap().len()
    };
    assert_eq!(rooms().await, 1);
    let people = async || {
        let body = json!({"search_term": "ali"});
        let found = bob.post("user_directory/search", body).await.ok();
        found["results"][0]["user_id"]
            .as_str()
            .map(ToOwned::to_owned)
    };
    // She is in a public room.
    let found = eventually("alice to be found", people).await;
    assert_eq!(found, alice.user_id);
    bob.join(&space).await;
    assert_eq!(rooms().await, 2);
    let summary = format!("/_matrix/client/v1/room_summary/{}", encode(&room));
    assert_eq!(bob.get(&summary).await.ok()["name"], "Kitchen");
    server
        .stranger()
        .get(&summary)
        .await
        .refused(404, "M_NOT_FOUND");
    bob.join(&room).await;
    server.restart().await;
    assert_eq!(people().await, Some(alice.user_id.clone()));
}
