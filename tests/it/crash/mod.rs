//! Whatever the server acknowledged is there after any end, and happens once.
//!
//! People send, set, redact, join, read, upload and log in at once, over HTTP, and note every acknowledgement in their
//! [`ledger`]; watchers follow with `/sync`. In the middle of that the server ends. On what it left another one is started, and
//! everything in the ledgers is looked for in every way a client has. The same people go on in the next round, on the same
//! data.
//!
//! - `killed`: by kill -9, sometimes while it is stopping and writes everything down.
//! - `power`: by a power cut, as far as one can be had without pulling a plug; only `cargo xtask crash` does these.

mod caller;
mod killed;
mod ledger;
mod load;
mod power;
mod verify;
mod watcher;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use orvale_tests::{Server, binary};
use rand::RngExt;
use serde_json::json;

use self::{
    caller::Caller,
    ledger::{Person, Places},
    watcher::Watcher,
};

/// How many people do something at once.
const PEOPLE: usize = 8;

/// Everybody and everything, for all rounds.
struct World {
    people: Vec<Person>,
    watchers: Vec<Watcher>,
    places: Places,
    /// The last event of each shared room that was verified.
    marked: HashMap<String, String>,
    /// How many requests were acknowledged.
    acknowledged: usize,
    /// How long the starts after an end took.
    starts: Vec<Duration>,
}

impl World {
    async fn new(server: &Server) -> Self {
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            let client = server.register(&format!("person{n}")).await;
            people.push(Person::new(n, &client.user_id, &client.token));
        }
        let owner = Caller::new(&server.base(), &people[0].tokens[0]);
        let mut places = Places::default();
        for n in 0..5 {
            // Into the first two everybody goes and stays; the others are gone in and out of.
            let new = json!({ "preset": "public_chat", "power_level_content_override": { "state_default": 0 } });
            let room = owner
                .post("createRoom", &new)
                .await
                .expect("the server runs");
            let room = room["room_id"]
                .as_str()
                .expect("a new room has an ID")
                .to_owned();
            if n < 2 {
                for person in &people[1..] {
                    let caller = Caller::new(&server.base(), &person.tokens[0]);
                    caller
                        .post(&format!("join/{room}"), &json!({}))
                        .await
                        .expect("the server runs");
                }
                places.shared.push(room);
            } else {
                places.doors.push(room);
            }
        }
        let mut watchers = Vec::new();
        for (room, person) in places.shared.iter().zip(&people) {
            watchers.push(Watcher::new(&owner.of(&person.tokens[0]), room).await);
        }
        Self {
            people,
            watchers,
            places,
            marked: HashMap::new(),
            acknowledged: 0,
            starts: Vec::new(),
        }
    }

    /// Lets everybody work for a moment, calls `end`, which ends the server, and waits until all have noticed.
    async fn work(&mut self, base: &str, end: impl Future<Output = ()>) {
        let people = std::mem::take(&mut self.people).into_iter().map(|person| {
            let (caller, places) = (Caller::new(base, &person.tokens[0]), self.places.clone());
            tokio::spawn(load::work(caller, places, person))
        });
        let people: Vec<_> = people.collect();
        let watchers = std::mem::take(&mut self.watchers)
            .into_iter()
            .map(|watcher| {
                let caller = Caller::new(base, &watcher.token);
                tokio::spawn(watcher.watch(caller))
            });
        let watchers: Vec<_> = watchers.collect();
        let moment = rand::rng().random_range(300..1500);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        end.await;
        for person in people {
            let (person, acknowledged) = person.await.expect("nobody is refused anything");
            self.people.push(person);
            self.acknowledged += acknowledged;
        }
        for watcher in watchers {
            self.watchers
                .push(watcher.await.expect("no sync is refused"));
        }
    }

    /// Notes how long the server took to start.
    fn started(&mut self, begun: Instant) {
        self.starts.push(begun.elapsed());
    }

    fn tell(&self, rounds: u32) {
        let mut starts = self.starts.clone();
        starts.sort_unstable();
        let (Some(slowest), middle) = (starts.last(), starts[starts.len() / 2]) else {
            return;
        };
        let sent: usize = self.people.iter().map(|person| person.sent.len()).sum();
        let media: usize = self.people.iter().map(|person| person.media.len()).sum();
        let devices: usize = self.people.iter().map(|person| person.tokens.len()).sum();
        eprintln!(
            "{rounds} rounds: {} requests acknowledged ({sent} messages, {media} uploads, {devices} devices, and state, account \
             data, receipts, redactions, memberships), none lost, none doubled; started in {middle:.2?}, {slowest:.2?} at most",
            self.acknowledged
        );
    }
}

/// `orvale check` on the data of a server that has stopped.
async fn check(server: &Server) {
    let mut check = tokio::process::Command::new(binary());
    check
        .arg("check")
        .arg("--config")
        .arg(server.home().join("orvale.toml"))
        .current_dir(server.home());
    let output = check.output().await.expect("orvale check starts");
    let told = [output.stdout, output.stderr]
        .map(|told| String::from_utf8_lossy(&told).into_owned())
        .join("");
    assert!(
        output.status.success(),
        "orvale check finds faults:\n{told}"
    );
    eprintln!("orvale check: {}", told.trim());
}
