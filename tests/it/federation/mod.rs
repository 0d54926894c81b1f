//! Several servers, one network: two Orvales and a Synapse, each with its own certificate.

mod agreement;
mod ephemeral;
mod gaps;
mod keys;
mod limits;
mod outage;
mod own_key;
mod partial_joins;
mod people;
mod policy_servers;
mod rooms;
mod strangers;

use orvale_tests::{Client, Network, Server, eventually};
use serde_json::{Value, json};

/// The versions that rooms are made with.
const VERSIONS: [&str; 4] = ["6", "10", "11", "12"];

/// Somebody on each server: Alice and Bob on Orvales, Carol on Synapse unless the tests do without.
struct World {
    alice: Client,
    bob: Client,
    carol: Option<Client>,
}

impl World {
    /// The names are the test's own: Synapse is shared.
    async fn of(test: &str) -> Self {
        let network = Network::new();
        let (one, two, three) = tokio::join!(network.orvale(), network.orvale(), network.synapse());
        let carol = match three {
            Some(three) => Some(three.register(&format!("carol_{test}")).await),
            None => None,
        };
        Self {
            alice: one.register("alice").await,
            bob: two.register("bob").await,
            carol,
        }
    }

    fn everybody(&self) -> Vec<&Client> {
        let two = [&self.alice, &self.bob];
        two.into_iter().chain(&self.carol).collect()
    }
}

/// A public room of somebody's, which all others join. All know of each other then: a server tells news to those whom it knows to be
/// there, and Synapse shows a room whose members it does not know yet to nobody.
async fn room_of(creator: &Client, others: &[&Client], content: Value) -> String {
    let mut content = content;
    content["preset"] = "public_chat".into();
    let room = creator.create_room(content).await;
    for other in others {
        join_by(other, &room, creator.server()).await;
    }
    let everybody: Vec<&Client> = [creator]
        .into_iter()
        .chain(others.iter().copied())
        .collect();
    agree(&everybody, &room).await;
    room
}

/// Joins a room by its ID, by way of a server.
async fn join_by(client: &Client, room: &str, way: &Server) {
    let path = format!(
        "join/{}?via={name}&server_name={name}",
        orvale_tests::encode(room),
        name = orvale_tests::encode(way.name())
    );
    let _ = client.post(&path, json!({})).await.ok();
}

/// Waits until somebody has an event; gives it.
async fn has_event(client: &Client, room: &str, event: &str) -> Value {
    let path = format!(
        "rooms/{}/event/{}",
        orvale_tests::encode(room),
        orvale_tests::encode(event)
    );
    let what = format!("{} to have {event}", client.user_id);
    eventually(&what, async || {
        let answer = client.get(&path).await;
        answer.status.is_success().then_some(answer.json)
    })
    .await
}

/// Type, state key and event ID of a room's state, in order.
async fn state_of(client: &Client, room: &str) -> Vec<[String; 3]> {
    let answer = client
        .get(&format!("rooms/{}/state", orvale_tests::encode(room)))
        .await
        .ok();
    let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    let mut state: Vec<_> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|event| ["type", "state_key", "event_id"].map(|key| text(event, key)))
        .collect();
    state.sort();
    state
}

/// Waits until all see the same state of a room.
async fn agree(clients: &[&Client], room: &str) {
    eventually("all to see the same state", async || {
        let first = state_of(clients[0], room).await;
        for client in &clients[1..] {
            if state_of(client, room).await != first {
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// The texts of a room as somebody sees them, oldest first; each with its sender.
async fn texts(client: &Client, room: &str) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut from = String::new();
    loop {
        let path = format!(
            "rooms/{}/messages?dir=b&limit=100{from}",
            orvale_tests::encode(room)
        );
        let answer = client.get(&path).await.ok();
        for event in answer["chunk"].as_array().unwrap() {
            if let (Some(body), Some(sender)) =
                (event["content"]["body"].as_str(), event["sender"].as_str())
            {
                texts.push((sender.to_owned(), body.to_owned()));
            }
        }
        match answer["end"].as_str() {
            Some(end) => from = format!("&from={}", orvale_tests::encode(end)),
            None => break,
        }
    }
    texts.reverse();
    texts
}
