//! Whatever happens in rooms, and whenever clients sync: what they put together from the answers is what the server has. Nothing
//! is missing, nothing comes twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orvale_rooms::{Membership, Order, Room, Stretch, Viewer};
use proptest::prelude::*;
use ruma::{
    OwnedUserId, UserId,
    api::{Direction, client::filter::RoomEventFilter},
};
use serde_json::{Value, json};

use crate::testing::{Client, TestServer, member, state};

/// Something that happens. Whoever may not do it, does not.
#[derive(Debug, Clone)]
enum Step {
    Message {
        by: usize,
        room: usize,
    },
    Topic {
        by: usize,
        room: usize,
    },
    Rename {
        who: usize,
        room: usize,
    },
    Membership {
        by: usize,
        who: usize,
        room: usize,
        to: usize,
    },
    Visibility {
        room: usize,
        to: usize,
    },
    Encrypt {
        room: usize,
    },
    /// A client syncs; its answer may get lost on the way.
    Sync {
        client: usize,
        limit: usize,
        lost: bool,
    },
    Restart,
}

const MEMBERSHIPS: [&str; 4] = ["join", "leave", "invite", "ban"];
const VISIBILITIES: [&str; 4] = ["shared", "joined", "invited", "world_readable"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, 0..2_usize).prop_map(|(by, room)| Step::Message { by, room }),
        2 => (0..3_usize, 0..2_usize).prop_map(|(by, room)| Step::Topic { by, room }),
        2 => (0..3_usize, 0..2_usize).prop_map(|(who, room)| Step::Rename { who, room }),
        6 => (0..3_usize, 1..3_usize, 0..2_usize, 0..4_usize)
            .prop_map(|(by, who, room, to)| Step::Membership { by, who, room, to }),
        1 => (0..2_usize, 0..4_usize).prop_map(|(room, to)| Step::Visibility { room, to }),
        1 => (0..2_usize).prop_map(|room| Step::Encrypt { room }),
        6 => (0..4_usize, 1..6_usize, prop::bool::weighted(0.2))
            .prop_map(|(client, limit, lost)| Step::Sync { client, limit, lost }),
        1 => Just(Step::Restart),
    ]
}

/// A room as a client has put it together.
#[derive(Debug, Default, Clone)]
struct Known {
    state: BTreeMap<(String, String), String>,
    timeline: Vec<String>,
}

/// What a client knows.
struct Model {
    user_id: OwnedUserId,
    since: Option<String>,
    state_after: bool,
    /// Members come lazily, and the limit of timelines stays what it is: it belongs to the connection.
    lazy: bool,
    joined: BTreeMap<String, Known>,
    invited: BTreeSet<String>,
}

impl Model {
    fn filter(&self, limit: usize) -> Value {
        let limit = if self.lazy { 2 } else { limit };
        json!({"room": {"timeline": {"limit": limit}, "state": {"lazy_load_members": self.lazy}}})
    }

    async fn sync(&mut self, server: &TestServer, limit: usize, lost: bool) {
        let mut client: Client<'_> = server.client(&self.user_id).filtered(self.filter(limit));
        client.device = format!("{}{}", self.state_after, self.lazy);
        client.state_after = self.state_after;
        client.since.clone_from(&self.since);
        let answer = client.sync().await;
        if lost {
            return;
        }
        let since = std::mem::replace(&mut self.since, client.since);
        self.take(server, since.as_deref(), &answer);
    }

    fn take(&mut self, server: &TestServer, since: Option<&str>, answer: &Value) {
        let rooms = |section: &str| {
            answer["rooms"][section]
                .as_object()
                .cloned()
                .unwrap_or_default()
        };
        for (id, section) in rooms("join") {
            let fresh = !self.joined.contains_key(&id);
            let mut known = self.joined.remove(&id).unwrap_or_default();
            self.take_room(server, &id, &mut known, since.filter(|_| !fresh), &section);
            self.joined.insert(id.clone(), known);
            self.invited.remove(&id);
        }
        for (id, section) in rooms("leave") {
            if let Some(mut known) = self.joined.remove(&id) {
                self.take_room(server, &id, &mut known, since, &section);
                self.compare_left(server, &id, &known);
            }
            self.invited.remove(&id);
        }
        for (id, _) in rooms("invite") {
            // Invited again after leaving, all since the last sync.
            self.joined.remove(&id);
            self.invited.insert(id);
        }
    }

    fn take_room(
        &self,
        server: &TestServer,
        id: &str,
        known: &mut Known,
        since: Option<&str>,
        section: &Value,
    ) {
        let events = section["timeline"]["events"].as_array().unwrap();
        if section["timeline"]["limited"] == true {
            let from: Order = section["timeline"]["prev_batch"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            let to = since.map(|since| since.parse().unwrap());
            known.timeline.extend(self.backfill(server, id, from, to));
        }
        let mut apply = |event: &Value| {
            if let Some(key) = event["state_key"].as_str() {
                let place = (event["type"].as_str().unwrap().to_owned(), key.to_owned());
                known
                    .state
                    .insert(place, event["event_id"].as_str().unwrap().to_owned());
            }
        };
        let key = if self.state_after {
            "state_after"
        } else {
            "state"
        };
        let other = if self.state_after {
            "state"
        } else {
            "state_after"
        };
        assert!(section.get(other).is_none());
        section[key]["events"]
            .as_array()
            .unwrap()
            .iter()
            .for_each(&mut apply);
        if !self.state_after {
            events.iter().for_each(&mut apply);
        }
        for event in events {
            let sender = (
                "m.room.member".to_owned(),
                event["sender"].as_str().unwrap().to_owned(),
            );
            assert!(
                known.state.contains_key(&sender),
                "the sender of a shown event is missing: {event}"
            );
            known
                .timeline
                .push(event["event_id"].as_str().unwrap().to_owned());
        }
    }

    /// What falls into a gap, oldest first.
    fn backfill(
        &self,
        server: &TestServer,
        id: &str,
        from: Order,
        to: Option<Order>,
    ) -> Vec<String> {
        let (filter, room) = (RoomEventFilter::default(), id.try_into().unwrap());
        let (mut events, mut from) = (Vec::new(), from);
        loop {
            let stretch = Stretch {
                from: Some(from),
                to,
                direction: Direction::Backward,
                limit: 3,
                filter: &filter,
                bound: None,
            };
            let page = server
                .rooms
                .list_events(&self.user_id, "D", room, &stretch)
                .unwrap();
            events.extend(
                page.events
                    .iter()
                    .map(|shown| shown.event.event_id().to_string()),
            );
            match page.end {
                Some(end) => from = end,
                None => break,
            }
        }
        events.reverse();
        events
    }

    /// The events that the client's user may see, up to an order.
    fn visible(&self, server: &TestServer, room: &Room, upto: Order) -> Vec<String> {
        let now = server.rooms.find_membership(room, &self.user_id).unwrap();
        let mut viewer = Viewer::new(&server.rooms, &self.user_id, now);
        let all = server
            .rooms
            .list_forwards(room, Order::START, upto, usize::MAX)
            .unwrap();
        let seen = all
            .into_iter()
            .filter(|(_, event)| viewer.sees(event).unwrap());
        seen.map(|(_, event)| event.event_id().to_string())
            .collect()
    }

    fn compare(&self, server: &TestServer, rooms: &[Arc<Room>]) {
        for room in rooms {
            let id = room.id.as_str();
            let now = server
                .rooms
                .find_membership(room, &self.user_id)
                .unwrap()
                .map(|record| record.membership);
            assert_eq!(
                self.joined.contains_key(id),
                now == Some(Membership::Join),
                "{now:?}"
            );
            assert_eq!(self.invited.contains(id), now == Some(Membership::Invite));
            if let Some(known) = self.joined.get(id) {
                assert_eq!(known.timeline, self.visible(server, room, Order::END));
                let state = server.rooms.list_state(room).unwrap();
                self.compare_state(known, &state);
            }
        }
    }

    fn compare_left(&self, server: &TestServer, id: &str, known: &Known) {
        let room = server.rooms.get(id.try_into().unwrap()).unwrap();
        let record = server
            .rooms
            .find_membership(&room, &self.user_id)
            .unwrap()
            .unwrap();
        let event = server.rooms.event(record.event).unwrap();
        let left_at = server.rooms.left_at(&record).unwrap();
        let mut visible = self.visible(server, &room, Order::live(left_at));
        // Who is banned after leaving is told so, though they see nothing else of it; and that they are out, in any case.
        for at in [left_at, event.position] {
            let own = server.rooms.event(at).unwrap().event_id().to_string();
            if !visible.contains(&own) {
                visible.push(own);
            }
        }
        let told: Vec<_> = known
            .timeline
            .iter()
            .filter(|id| visible.contains(id))
            .collect();
        assert_eq!(told, visible.iter().collect::<Vec<_>>());
    }

    fn compare_state(&self, known: &Known, state: &[Arc<orvale_rooms::StoredEvent>]) {
        let truth: BTreeMap<_, _> = state
            .iter()
            .map(|event| {
                let key = event.pdu.state_key.clone().unwrap();
                (
                    (event.pdu.kind.to_string(), key),
                    event.event_id().to_string(),
                )
            })
            .collect();
        if !self.lazy {
            assert_eq!(known.state, truth);
            return;
        }
        for (place, event) in &truth {
            if place.0 != "m.room.member" || known.state.contains_key(place) {
                assert_eq!(known.state.get(place), Some(event), "{place:?}");
            }
        }
    }
}

async fn run(steps: Vec<Step>) {
    let mut server = TestServer::start();
    let people = [
        server.user("alice").await,
        server.user("bob").await,
        server.user("carol").await,
    ];
    let rooms = [server.room(&people[0]).await, server.room(&people[0]).await];
    let model = |n: usize| Model {
        user_id: people[if n == 3 { 2 } else { 1 }].clone(),
        since: None,
        state_after: n == 1,
        lazy: n == 2 || n == 3,
        joined: BTreeMap::new(),
        invited: BTreeSet::new(),
    };
    let mut models: Vec<Model> = (0..4).map(model).collect();
    let attempt = async |server: &TestServer, room: usize, draft| {
        let _ = server.rooms.append_one(&rooms[room], draft).await;
    };
    for (n, step) in steps.into_iter().enumerate() {
        match step {
            Step::Message { by, room } => {
                attempt(
                    &server,
                    room,
                    crate::testing::text(&people[by], &n.to_string()),
                )
                .await;
            }
            Step::Topic { by, room } => {
                attempt(
                    &server,
                    room,
                    state(
                        &people[by],
                        "m.room.topic",
                        "",
                        &json!({"topic": n.to_string()}),
                    ),
                )
                .await;
            }
            Step::Rename { who, room } => {
                let who: &UserId = &people[who];
                let now = server.rooms.find_membership(&rooms[room], who).unwrap();
                if now.is_some_and(|now| now.membership == Membership::Join) {
                    let content = json!({"membership": "join", "displayname": n.to_string()});
                    attempt(
                        &server,
                        room,
                        state(who, "m.room.member", who.as_str(), &content),
                    )
                    .await;
                }
            }
            Step::Membership { by, who, room, to } => {
                let by = if MEMBERSHIPS[to] == "join" { who } else { by };
                attempt(
                    &server,
                    room,
                    member(&people[by], &people[who], MEMBERSHIPS[to]),
                )
                .await;
            }
            Step::Visibility { room, to } => {
                let content = json!({"history_visibility": VISIBILITIES[to]});
                attempt(
                    &server,
                    room,
                    state(&people[0], "m.room.history_visibility", "", &content),
                )
                .await;
            }
            Step::Encrypt { room } => {
                let content = json!({"algorithm": "m.megolm.v1.aes-sha2"});
                attempt(
                    &server,
                    room,
                    state(&people[0], "m.room.encryption", "", &content),
                )
                .await;
            }
            Step::Sync {
                client,
                limit,
                lost,
            } => {
                models[client].sync(&server, limit, lost).await;
                if !lost {
                    models[client].compare(&server, &rooms);
                }
            }
            Step::Restart => server.restart(),
        }
    }
    for model in &mut models {
        model.sync(&server, 3, false).await;
        model.compare(&server, &rooms);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn clients_put_together_what_the_server_has(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}

/// How many histories are tried: more, where somebody asks for it.
fn cases() -> u32 {
    std::env::var("ORVALE_SYNC_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(40)
}
