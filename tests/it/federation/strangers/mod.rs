//! Servers that do what they should not: a case at least for each of the fifteen subtlest things that homeservers got wrong, whose
//! numbers the files have. Whatever a stranger does, nothing panics, and memory stays within a bound ([`Watched`]).

mod access;
mod auth_chains;
mod bounds;
mod device_lists;
mod hashes;
mod join_races;
mod lazy_members;
mod media;
mod one_time_keys;
mod queues;
mod receipts;
mod signing;
mod state_resets;
mod sync_gaps;
mod verdicts;

use orvale_tests::{Client, Joined, Network, Server, Stranger, encode, eventually};
use serde_json::{Value, json};

use super::{has_event, state_of};

/// How much a server may grow under an attack, in KiB.
const MOST_GROWTH: u64 = 256 << 10;

/// A server that an attack leaves as it was: looked at when this is dropped.
struct Watched {
    server: Server,
    /// Resident memory before, in KiB.
    before: u64,
}

impl Watched {
    fn new(server: &Server) -> Self {
        Self {
            server: server.clone(),
            before: memory(server, "VmRSS:"),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let log = self.server.log();
        let panicked = log.lines().find(|line| line.contains("panicked"));
        assert_eq!(panicked, None, "in the log");
        let most = memory(&self.server, "VmHWM:");
        let grown = most.saturating_sub(self.before);
        assert!(grown < MOST_GROWTH, "it grew by {grown} KiB");
    }
}

fn memory(server: &Server, field: &str) -> u64 {
    let status = format!("/proc/{}/status", server.pid());
    let status = std::fs::read_to_string(status).expect("it runs");
    let line = status.lines().find(|line| line.starts_with(field));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.expect("Linux tells it")
}

/// A stranger whose Mallory is in a public room of Alice's.
struct Meeting {
    server: Server,
    alice: Client,
    stranger: Stranger,
    mallory: String,
    room: String,
    /// The room as the stranger knows it.
    joined: Joined,
    _watched: Watched,
}

impl Meeting {
    async fn new() -> Self {
        Self::of("11").await
    }

    /// In a room of a version.
    async fn of(version: &str) -> Self {
        let network = Network::new();
        let (server, stranger) = tokio::join!(network.orvale(), Stranger::start(&network));
        let watched = Watched::new(&server);
        let alice = server.register("alice").await;
        let content = json!({ "preset": "public_chat", "room_version": version });
        let room = alice.create_room(content).await;
        let mallory = stranger.user("mallory");
        let joined = stranger.join(&server, &room, &mallory).await;
        Self {
            server,
            alice,
            stranger,
            mallory,
            room,
            joined,
            _watched: watched,
        }
    }

    /// Another user of the stranger comes into the room.
    async fn enter(&mut self, name: &str) -> String {
        let user = self.stranger.user(name);
        self.joined = self.stranger.join(&self.server, &self.room, &user).await;
        user
    }

    /// Waits until the stranger is told an event of the room, which it takes over.
    async fn hear(&mut self, event_id: &str) {
        let event = eventually("the stranger to hear of an event", async || {
            let mut told = self.stranger.told("pdus");
            told.retain(|event| event["room_id"] == self.room);
            told.into_iter()
                .find(|event| self.stranger.id_of(&self.joined, event) == event_id)
        })
        .await;
        self.stranger.follow(&mut self.joined, &event);
    }

    /// Alice sets state, and the stranger hears of it.
    async fn set_state(&mut self, kind: &str, state_key: &str, content: Value) {
        let set = self
            .alice
            .set_state(&self.room, kind, state_key, content)
            .await;
        self.hear(&set).await;
    }

    /// Alice gives users power; others have none.
    async fn empower(&mut self, users: &[(&str, u8)]) {
        let mut levels = self
            .alice
            .state(&self.room, "m.room.power_levels", "")
            .await;
        let mut given = levels["users"].take();
        let alice = &self.alice.user_id;
        let given = given.as_object_mut().expect("users");
        given.retain(|user, _| user == alice);
        for (user, level) in users {
            given.insert((*user).to_owned(), (*level).into());
        }
        levels["users"] = json!(given);
        self.set_state("m.room.power_levels", "", levels).await;
    }

    /// Alice does something to somebody's membership, and the stranger hears of it.
    async fn moderate(&mut self, what: &str, user: &str) {
        let path = format!("rooms/{}/{what}", encode(&self.room));
        let body = json!({ "user_id": user });
        let _ = self.alice.post(&path, body).await.ok();
        let state = state_of(&self.alice, &self.room).await;
        let member = state
            .iter()
            .find(|[kind, key, _]| kind == "m.room.member" && key == user);
        let [_, _, event_id] = member.expect("their membership").clone();
        self.hear(&event_id).await;
    }

    fn text(&mut self, body: &str) -> (String, Value) {
        let mallory = self.mallory.clone();
        self.text_of(&mallory, body)
    }

    fn text_of(&mut self, sender: &str, body: &str) -> (String, Value) {
        let content = json!({ "msgtype": "m.text", "body": body });
        self.stranger
            .event(&mut self.joined, sender, "m.room.message", None, &content)
    }

    /// Sends PDUs; what is answered of each.
    async fn send(&self, pdus: Vec<Value>) -> Value {
        let answer = self.stranger.send(&self.server, pdus, Vec::new()).await;
        answer.ok()["pdus"].clone()
    }

    async fn tell(&self, kind: &str, content: Value) {
        let edu = edu(kind, content);
        let answer = self
            .stranger
            .send(&self.server, Vec::new(), vec![edu])
            .await;
        let _ = answer.ok();
    }

    async fn has_text(&self, body: &str) -> bool {
        let messages = self.alice.messages(&self.room, 50).await;
        messages
            .iter()
            .any(|event| event["content"]["body"] == body)
    }
}

fn edu(kind: &str, content: Value) -> Value {
    json!({ "edu_type": kind, "content": content })
}
