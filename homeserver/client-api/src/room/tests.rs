//! Rooms as their members meet them.

use serde_json::{Value, json};

use crate::testing::{Client, Server};

impl Client {
    /// Makes a room; its path.
    pub(crate) async fn create_room(&self, body: Value) -> String {
        let made = self.post("/_matrix/client/v3/createRoom", body).await.ok();
        format!(
            "/_matrix/client/v3/rooms/{}",
            made["room_id"].as_str().unwrap()
        )
    }

    /// Sends a text; its event ID.
    pub(crate) async fn say(&self, room: &str, text: &str) -> String {
        let content = json!({"msgtype": "m.text", "body": text});
        let txn = text.replace(' ', "-");
        let sent = self
            .put(&format!("{room}/send/m.room.message/{txn}"), content)
            .await
            .ok();
        sent["event_id"].as_str().unwrap().to_owned()
    }
}

/// The texts of a list of messages.
pub(crate) fn texts(events: &Value) -> Vec<&str> {
    let bodies = events
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["content"]["body"].as_str());
    bodies.collect()
}

#[tokio::test]
async fn two_people_talk_in_a_room() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .create_room(json!({"name": "Tea", "invite": [bob.user_id], "is_direct": true}))
        .await;
    let member = format!("{room}/state/m.room.member/{}", bob.user_id);
    assert_eq!(
        alice.get(&member).await.ok(),
        json!({"membership": "invite", "is_direct": true})
    );
    bob.get(&format!("{room}/messages?dir=b"))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&format!("{room}/join"), json!({})).await.ok();
    alice.say(&room, "one").await;
    bob.say(&room, "two").await;

    let page = bob
        .get(&format!("{room}/messages?dir=b&limit=2"))
        .await
        .ok();
    assert_eq!(texts(&page["chunk"]), ["two", "one"]);
    assert_eq!(page["chunk"][0]["unsigned"]["transaction_id"], "two");
    assert_eq!(page["chunk"][0]["unsigned"]["membership"], "join");
    assert_eq!(page["chunk"][1]["unsigned"].get("transaction_id"), None);
    let end = page["end"].as_str().unwrap();
    let rest = bob
        .get(&format!("{room}/messages?dir=b&limit=100&from={end}"))
        .await
        .ok();
    assert_eq!(
        rest["chunk"].as_array().unwrap().last().unwrap()["type"],
        "m.room.create"
    );
    assert_eq!(rest.get("end"), None);
}
