//! What becomes of a room whose history forks: on every server the same, Orvale or Synapse, in whatever order they hear of it.

use futures_util::{StreamExt as _, future::join_all, stream};
use orvale_tests::{Client, Joined, Network, Stranger, encode};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{World, agree, has_event};

/// The versions whose rules of resolution or of power differ.
const VERSIONS: [&str; 3] = ["10", "11", "12"];

/// How many rooms are played at once: more, and Synapse takes too long for each.
const AT_ONCE: usize = 3;

/// Somebody of the stranger's, by the first letter of the name: whoever is not named here has no power.
const POWER: [(&str, u8); 4] = [("ann", 100), ("ben", 50), ("cat", 50), ("dan", 25)];
const POWERLESS: [&str; 2] = ["eve", "fay"];

/// Who does what on one fork.
type Told = (&'static str, &'static str, &'static str);

/// Histories that went wrong somewhere, fork by fork: who does what to whom.
const HISTORIES: [(&str, &[&[Told]]); 9] = [
    (
        "a ban, and what the banned did meanwhile",
        &[
            &[("ann", "ban", "ben")],
            &[
                ("ben", "topic", "ben's"),
                ("ben", "kick", "eve"),
                ("ben", "name", "Ben"),
            ],
        ],
    ),
    (
        "a ban that was lifted, and an old fork",
        &[
            &[
                ("ann", "ban", "eve"),
                ("ann", "kick", "eve"),
                ("eve", "name", "Eve"),
                ("ann", "topic", "a"),
            ],
            &[("eve", "name", "Evil"), ("ben", "topic", "b")],
        ],
    ),
    (
        "two who ban each other",
        &[
            &[("ben", "power", "dan:0"), ("ben", "kick", "dan")],
            &[("cat", "power", "dan:50"), ("dan", "topic", "of dan")],
        ],
    ),
    (
        "an admin who is demoted by the other",
        &[
            &[("ann", "power", "ben:0"), ("ann", "topic", "a")],
            &[
                ("ben", "power", "fay:50"),
                ("fay", "topic", "f"),
                ("ben", "ban", "cat"),
            ],
        ],
    ),
    (
        "a door that is closed while somebody comes in",
        &[
            &[("ann", "rule", "invite"), ("ann", "kick", "fay")],
            &[
                ("fay", "name", "Fay"),
                ("fay", "leave", ""),
                ("fay", "name", "back"),
            ],
            &[("ben", "kick", "fay"), ("fay", "name", "again")],
        ],
    ),
    (
        "topics under power levels that differ",
        &[
            &[
                ("ben", "topic", "1"),
                ("ann", "power", "dan:50"),
                ("dan", "topic", "2"),
            ],
            &[
                ("cat", "topic", "3"),
                ("ann", "power", "cat:0"),
                ("ben", "topic", "4"),
            ],
            &[("ben", "topic", "5")],
        ],
    ),
    (
        "somebody who bans and leaves",
        &[
            &[("ben", "ban", "eve"), ("ben", "leave", "")],
            &[("eve", "name", "Eve"), ("ann", "power", "ben:0")],
            &[("ann", "kick", "eve"), ("eve", "name", "Eve again")],
        ],
    ),
    (
        "names and powers one after the other",
        &[
            &[
                ("ann", "power", "ben:51"),
                ("ann", "power", "ben:52"),
                ("ben", "ban", "cat"),
            ],
            &[
                ("cat", "name", "Cat"),
                ("ann", "power", "cat:60"),
                ("cat", "ban", "ben"),
            ],
        ],
    ),
    (
        "three moderators against each other",
        &[
            &[("ben", "kick", "eve"), ("ben", "topic", "b")],
            &[("cat", "ban", "eve"), ("cat", "topic", "c")],
            &[
                ("ann", "power", "ben:0"),
                ("ann", "power", "cat:0"),
                ("eve", "name", "Eve"),
            ],
        ],
    ),
];

/// A room of a stranger's whose people do what a test tells, and which servers are in that look on.
struct Stage {
    stranger: Stranger,
    readers: Vec<Client>,
    /// One transaction is sent at a time to each of them.
    turns: Vec<Mutex<()>>,
}

impl Stage {
    async fn of(test: &str) -> Self {
        let world = World::of(test).await;
        let readers: Vec<Client> = world.everybody().into_iter().cloned().collect();
        Self {
            stranger: Stranger::start(&Network::new()).await,
            turns: readers.iter().map(|_| Mutex::default()).collect(),
            readers,
        }
    }

    /// A new room with everybody in it.
    async fn room(&self, version: &str) -> Joined {
        let user = |name: &str| self.stranger.user(name);
        let mallory = user("mallory");
        let power: serde_json::Map<String, Value> = POWER
            .iter()
            .map(|(name, power)| (user(name), json!(power)))
            .collect();
        let mut room = self.stranger.create_room(version, &mallory, json!(power));
        for name in POWER.map(|(name, _)| name).iter().chain(&POWERLESS) {
            let join = json!({ "membership": "join" });
            let name = user(name);
            let _ = self
                .stranger
                .event(&mut room, &name, "m.room.member", Some(&name), &join);
        }
        self.stranger.host(&room);
        for reader in &self.readers {
            let via = encode(&self.stranger.name);
            let path = format!("join/{}?via={via}&server_name={via}", encode(&room.room));
            let _ = reader.post(&path, json!({})).await.ok();
        }
        let room = self.stranger.hosted(&room.room);
        for (n, reader) in self.readers.iter().enumerate() {
            let others = self
                .readers
                .iter()
                .filter(|one| one.user_id != reader.user_id);
            let joins = others.map(|other| {
                let place = ("m.room.member".to_owned(), other.user_id.clone());
                room.state[&place].1.clone()
            });
            self.tell(n, joins.collect()).await;
        }
        room
    }

    async fn tell(&self, reader: usize, pdus: Vec<Value>) {
        let to = self.readers[reader].server();
        for some in pdus.chunks(50) {
            let _turn = self.turns[reader].lock().await;
            let sent = self.stranger.send(to, some.to_vec(), Vec::new()).await;
            let _ = sent.ok();
        }
    }

    /// Somebody does something, if they may.
    fn act(&self, fork: &mut Joined, (who, what, to): (&str, &str, &str)) -> Option<Value> {
        let user = |name: &str| self.stranger.user(name);
        let who = user(who);
        let membership = |membership: &str| json!({ "membership": membership });
        let (kind, key, content) = match what {
            "ban" => ("m.room.member", user(to), membership("ban")),
            "kick" => ("m.room.member", user(to), membership("leave")),
            "invite" => ("m.room.member", user(to), membership("invite")),
            "leave" => ("m.room.member", who.clone(), membership("leave")),
            "name" => {
                let content = json!({ "membership": "join", "displayname": to });
                ("m.room.member", who.clone(), content)
            }
            "topic" => ("m.room.topic", String::new(), json!({ "topic": to })),
            "rule" => (
                "m.room.join_rules",
                String::new(),
                json!({ "join_rule": to }),
            ),
            "power" => {
                let (name, level) = to.split_once(':').expect("whose power");
                let mut levels = fork.content("m.room.power_levels", "").clone();
                let level: u8 = level.parse().expect("how much");
                levels["users"][user(name)] = level.into();
                ("m.room.power_levels", String::new(), levels)
            }
            other => panic!("nobody wrote how to {other}"),
        };
        let made = self
            .stranger
            .allowed_event(fork, &who, kind, Some(&key), &content);
        made.map(|(_, event)| event)
    }

    /// Tells everybody a history, each in another order, and an event after all of it; then all have the same state.
    async fn compare(&self, what: &str, forks: &[Joined], pdus: &[Value], seed: u64) {
        let mut end = self.stranger.meet(&forks.iter().collect::<Vec<_>>());
        let content = json!({ "msgtype": "m.text", "body": what });
        let mallory = self.stranger.user("mallory");
        let (last, event) =
            self.stranger
                .event(&mut end, &mallory, "m.room.message", None, &content);
        let mut random = StdRng::seed_from_u64(seed);
        let telling = (0..self.readers.len()).map(|n| {
            let mut pdus = pdus.to_vec();
            match n {
                0 => {}
                // What comes before what it follows is looked for.
                1 => pdus.shuffle(&mut random),
                _ => pdus.sort_by_key(|event| event["origin_server_ts"].as_u64()),
            }
            pdus.push(event.clone());
            self.tell(n, pdus)
        });
        join_all(telling).await;
        for reader in &self.readers {
            let _ = has_event(reader, &end.room, &last).await;
        }
        agree(&self.readers.iter().collect::<Vec<_>>(), &end.room).await;
    }
}

#[tokio::test]
async fn told_forks_resolve_to_the_same_state_on_orvale_and_synapse() {
    let stage = Stage::of("told").await;
    let stage = &stage;
    for version in VERSIONS {
        stream::iter(HISTORIES.iter().zip(0..))
            .for_each_concurrent(AT_ONCE, |((what, told), seed)| async move {
                let room = stage.room(version).await;
                let mut forks = Vec::new();
                let mut pdus = Vec::new();
                for (n, told) in (0..).zip(*told) {
                    let mut fork = room.clone();
                    // Beside each other, also by their clocks.
                    fork.at = Some(1_100_000_000_000 + n);
                    let made = told.iter().map(|told| {
                        fork.at = fork.at.map(|at| at + 9);
                        stage.act(&mut fork, *told)
                    });
                    let made: Vec<Value> = made.flatten().collect();
                    assert!(!made.is_empty(), "{what}: a fork where nothing happens");
                    pdus.extend(made);
                    forks.push(fork);
                }
                stage
                    .compare(&format!("{what} in version {version}"), &forks, &pdus, seed)
                    .await;
            })
            .await;
    }
}

/// Histories nobody thought of: three servers on which people act on what they know, and which hear of each other now and then.
#[tokio::test]
async fn drawn_forks_resolve_to_the_same_state_on_orvale_and_synapse() {
    const HISTORIES: u64 = 4;
    const STEPS: usize = 30;
    let stage = Stage::of("drawn").await;
    let stage = &stage;
    let people = ["ann", "ben", "cat", "dan", "eve", "fay"];
    for version in VERSIONS {
        stream::iter(0..HISTORIES)
            .for_each_concurrent(AT_ONCE, |seed| async move {
                let mut random = StdRng::seed_from_u64(seed);
                let room = stage.room(version).await;
                let mut forks = vec![room.clone(), room.clone(), room];
                let mut pdus = Vec::new();
                let mut clock = 1_100_000_000_000;
                for n in 0..STEPS {
                    let at = random.random_range(0..forks.len());
                    if random.random_bool(0.2) {
                        let other = random.random_range(0..forks.len());
                        if other != at {
                            forks[at] = stage.stranger.meet(&[&forks[at], &forks[other]]);
                        }
                    }
                    let one = |random: &mut StdRng| people[random.random_range(0..people.len())];
                    let (who, whom) = (one(&mut random), one(&mut random));
                    let level = [0, 25, 50, 60][random.random_range(0..4)];
                    let (what, to) = match random.random_range(0..12) {
                        0 | 1 => ("ban", whom.to_owned()),
                        2 | 3 => ("kick", whom.to_owned()),
                        4 => ("invite", whom.to_owned()),
                        5 => ("leave", String::new()),
                        6 | 7 => ("name", format!("{who} {n}")),
                        8 => (
                            "rule",
                            ["public", "invite"][random.random_range(0..2)].to_owned(),
                        ),
                        9 | 10 => ("power", format!("{whom}:{level}")),
                        _ => ("topic", n.to_string()),
                    };
                    // Clocks differ.
                    clock += random.random_range(0..3_u64);
                    forks[at].at = Some(clock + random.random_range(0..20));
                    pdus.extend(stage.act(&mut forks[at], (who, what, &to)));
                }
                let what = format!("history {seed} in version {version}");
                assert!(pdus.len() > STEPS / 4, "{what}: nearly nothing happened");
                stage.compare(&what, &forks, &pdus, seed).await;
            })
            .await;
    }
}
