//! Sliding sync: windows over rooms, whatever happens to the server and to its answers.

use orvale_tests::{Client, Server};
use serde_json::{Value, json};

const PATH: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

/// A client that slides over its rooms.
struct Slider {
    client: Client,
    pos: Option<String>,
    body: Value,
}

impl Slider {
    fn new(client: &Client, body: Value) -> Self {
        Self {
            client: client.clone(),
            pos: None,
            body,
        }
    }

    fn path(&self, timeout: u64) -> String {
        let pos = self.pos.as_ref().map(|pos| format!("&pos={pos}"));
        format!("{PATH}?timeout={timeout}{}", pos.unwrap_or_default())
    }

    /// Asks and forgets the answer, as if it had not come.
    async fn lose(&self) -> Value {
        self.client
            .post(&self.path(0), self.body.clone())
            .await
            .ok()
    }

    /// Asks, and goes on from the answer.
    async fn sync(&mut self, timeout: u64) -> Value {
        let path = self.path(timeout);
        let answer = self.client.post(&path, self.body.clone()).await.ok();
        self.pos = Some(answer["pos"].as_str().unwrap().to_owned());
        answer
    }
}

fn window() -> Value {
    let required = json!([
        ["m.room.name", ""],
        ["m.room.member", "$ME"],
        ["m.room.member", "$LAZY"]
    ]);
    json!({
        "conn_id": "room-list",
        "lists": {"all": {"ranges": [[0, 19]], "timeline_limit": 5, "required_state": required}},
        "extensions": {
            "to_device": {"enabled": true}, "e2ee": {"enabled": true},
            "account_data": {"enabled": true}, "receipts": {"enabled": true}, "typing": {"enabled": true},
        },
    })
}

fn texts(answer: &Value, room: &str) -> Vec<String> {
    let events = answer["rooms"][room]["timeline"].as_array();
    let text = |event: &Value| event["content"]["body"].as_str().map(str::to_owned);
    events.into_iter().flatten().filter_map(text).collect()
}

#[tokio::test]
async fn somebody_is_asked_in_comes_reads_and_goes() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let mut client = Slider::new(&bob, window());
    assert_eq!(client.sync(0).await["lists"]["all"]["count"], 0);
    let body = json!({"name": "Garden", "invite": [bob.user_id]});
    let room = alice.create_room(body).await;
    let asked = client.sync(30_000).await;
    assert_eq!(asked["rooms"][&room]["membership"], "invite");
    assert!(asked["rooms"][&room]["invite_state"].is_array());
    bob.join(&room).await;
    let joined = client.sync(30_000).await;
    assert_eq!(joined["rooms"][&room]["name"], "Garden");
    assert_eq!(joined["rooms"][&room]["joined_count"], 2);
    let sent = alice.send_text(&room, "hello").await;
    let told = client.sync(30_000).await;
    assert_eq!(texts(&told, &room), ["hello"]);
    assert_eq!(told["rooms"][&room]["notification_count"], 1);
    alice.typing(&room, true).await;
    let typing = client.sync(30_000).await;
    let users = &typing["extensions"]["typing"]["rooms"][&room]["content"]["user_ids"];
    assert_eq!(*users, json!([alice.user_id]));
    bob.read(&room, &sent).await;
    let read = client.sync(30_000).await;
    assert_eq!(read["rooms"][&room]["notification_count"], 0);
    bob.leave(&room).await;
    let left = client.sync(30_000).await;
    assert_eq!(left["rooms"][&room]["membership"], "leave");
    assert_eq!(left["lists"]["all"]["count"], 0);
}

#[tokio::test]
async fn lost_answers_and_restarts_lose_nothing() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({"name": "Garden"})).await;
    let mut client = Slider::new(&alice, window());
    client.sync(0).await;
    alice.send_text(&room, "one").await;
    assert_eq!(texts(&client.lose().await, &room), ["one"]);
    alice.send_text(&room, "two").await;
    assert_eq!(texts(&client.lose().await, &room), ["one", "two"]);
    assert_eq!(texts(&client.sync(0).await, &room), ["one", "two"]);
    alice.send_text(&room, "three").await;
    for way in ["stopped", "killed"] {
        if way == "killed" {
            server.kill();
            server.start_again().await;
        } else {
            server.restart().await;
        }
        let again = alice.post(&client.path(0), client.body.clone()).await;
        again.refused(400, "M_UNKNOWN_POS");
        client.pos = None;
        let anew = client.sync(0).await;
        assert_eq!(anew["rooms"][&room]["initial"], true, "{way}");
        assert_eq!(texts(&anew, &room), ["one", "two", "three"], "{way}");
    }
}

#[tokio::test]
async fn messages_to_the_device_come_until_they_are_acknowledged() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let send = async |n: usize| {
        let path = format!("sendToDevice/x.test/{n}");
        let messages = json!({"messages": {bob.user_id.as_str(): {"*": {"n": n}}}});
        let _ = alice.put(&path, messages).await.ok();
    };
    let numbers = |answer: &Value| -> Vec<u64> {
        let events = answer["extensions"]["to_device"]["events"].as_array();
        let number = |event: &Value| event["content"]["n"].as_u64().unwrap();
        events.unwrap().iter().map(number).collect()
    };
    let to_device = json!({"enabled": true, "limit": 2});
    let mut client = Slider::new(
        &bob,
        json!({"conn_id": "encryption", "extensions": {"to_device": to_device}}),
    );
    for n in 0..3 {
        send(n).await;
    }
    let first = client.sync(0).await;
    assert_eq!(numbers(&first), [0, 1]);
    // The connection is lost, and with it nothing.
    server.restart().await;
    client.pos = None;
    let first = client.sync(0).await;
    assert_eq!(numbers(&first), [0, 1]);
    client.body["extensions"]["to_device"]["since"] =
        first["extensions"]["to_device"]["next_batch"].clone();
    let second = client.sync(0).await;
    assert_eq!(numbers(&second), [2]);
    client.body["extensions"]["to_device"]["since"] =
        second["extensions"]["to_device"]["next_batch"].clone();
    assert_eq!(numbers(&client.sync(0).await), [0_u64; 0]);
    send(3).await;
    assert_eq!(numbers(&client.sync(30_000).await), [3]);
    // Not acknowledged: a client that starts over gets it again, and no other.
    client.pos = None;
    client.body["extensions"]["to_device"] = json!({"enabled": true});
    assert_eq!(numbers(&client.sync(0).await), [3]);
}

#[tokio::test]
async fn a_device_that_is_logged_out_is_let_go() {
    let server = Server::start().await;
    server.register("alice").await;
    let phone = server.log_in("alice").await;
    let mut client = Slider::new(&phone, window());
    client.sync(0).await;
    let path = client.path(60_000);
    let waiting = phone.post(&path, client.body.clone());
    let ending = async {
        let _ = phone.post("logout", json!({})).await.ok();
    };
    let (answer, ()) = tokio::join!(waiting, ending);
    answer.refused(401, "M_UNKNOWN_TOKEN");
}
