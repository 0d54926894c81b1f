//! Hostile and clumsy clients. Tests begin with the number of the line of the list of what homeservers got wrong that they
//! are about:
//!
//! 1. state that comes back; 2. refused events that are kept all the same; 6. device lists; 7. one-time keys; 8. messages to
//!    devices; 9. gaps in sync; 10. members and state in sync; 11. counts and receipts; 12. races of joins; 13. access checked on
//!    the wrong thing; 14. fetching from strangers and showing what is theirs; 15. work without bound.

mod access;
mod devices;
mod input;
mod keys;
mod media;
mod races;
mod receipts;
mod sync;
mod to_device;
mod work;

use orvale_tests::{Client, Server, encode};
use serde_json::{Value, json};

/// Three people who have nothing to do with each other.
async fn people(server: &Server) -> [Client; 3] {
    [
        server.register("alice").await,
        server.register("bob").await,
        server.register("mallory").await,
    ]
}

/// A room that everybody may join.
async fn public_room(of: &Client) -> String {
    of.create_room(json!({ "preset": "public_chat" })).await
}

/// A path below a room.
fn of(room: &str, path: &str) -> String {
    format!("rooms/{}/{path}", encode(room))
}

fn event(id: &str) -> String {
    format!("event/{}", encode(id))
}

/// The texts of messages, in the order of the list.
fn texts(events: &[Value]) -> Vec<&str> {
    let bodies = events
        .iter()
        .filter(|event| event["type"] == "m.room.message");
    bodies
        .filter_map(|event| event["content"]["body"].as_str())
        .collect()
}
