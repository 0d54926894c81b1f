//! Whatever happens in rooms, whatever clients ask for and whichever answers get lost: what they put together from the answers is
//! what the server has.

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

use super::tests::Slider;
use crate::{
    Error,
    testing::{TestServer, member, state, text},
};

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
    Data {
        who: usize,
        room: Option<usize>,
    },
    Forget {
        who: usize,
        room: usize,
    },
    /// A client asks for something; its answer may get lost on the way.
    Sync {
        client: usize,
        asks: Asks,
        lost: bool,
    },
    Restart,
}

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
struct Asks {
    /// The last place of its window.
    end: u64,
    limit: u64,
    /// Whether it wants all state, or little and members lazily.
    all: bool,
    data: bool,
    /// A room it subscribes to.
    room: Option<usize>,
}

const EVERYTHING: Asks = Asks {
    end: 9,
    limit: 3,
    all: true,
    data: true,
    room: None,
};
const MEMBERSHIPS: [&str; 4] = ["join", "leave", "invite", "ban"];
const VISIBILITIES: [&str; 4] = ["shared", "joined", "invited", "world_readable"];
const ROOMS: usize = 3;

fn asks() -> impl Strategy<Value = Asks> {
    let room = prop::option::weighted(0.3, 0..ROOMS);
    (0..4_u64, 0..6_u64, any::<bool>(), any::<bool>(), room).prop_map(
        |(end, limit, all, data, room)| Asks {
            end: if end == 3 { 9 } else { end },
            limit,
            all,
            data,
            room,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, 0..ROOMS).prop_map(|(by, room)| Step::Message { by, room }),
        2 => (0..3_usize, 0..ROOMS).prop_map(|(by, room)| Step::Topic { by, room }),
        2 => (0..3_usize, 0..ROOMS).prop_map(|(who, room)| Step::Rename { who, room }),
        6 => (0..3_usize, 1..3_usize, 0..ROOMS, 0..4_usize)
            .prop_map(|(by, who, room, to)| Step::Membership { by, who, room, to }),
        1 => (0..ROOMS, 0..4_usize).prop_map(|(room, to)| Step::Visibility { room, to }),
        2 => (1..3_usize, prop::option::of(0..ROOMS)).prop_map(|(who, room)| Step::Data { who, room }),
        1 => (1..3_usize, 0..ROOMS).prop_map(|(who, room)| Step::Forget { who, room }),
        8 => (0..2_usize, asks(), prop::bool::weighted(0.25))
            .prop_map(|(client, asks, lost)| Step::Sync { client, asks, lost }),
        1 => Just(Step::Restart),
    ]
}

/// A room as a client has put it together.
#[derive(Debug, Default, Clone)]
struct Known {
    state: BTreeMap<(String, String), String>,
    timeline: Vec<String>,
    joined: Value,
}

/// What a client knows.
struct Model {
    user_id: OwnedUserId,
    pos: Option<String>,
    joined: BTreeMap<String, Known>,
    invited: BTreeSet<String>,
    global: BTreeMap<String, Value>,
    data: BTreeMap<String, Value>,
}

impl Model {
    fn new(user_id: &UserId) -> Self {
        Self {
            user_id: user_id.to_owned(),
            pos: None,
            joined: BTreeMap::new(),
            invited: BTreeSet::new(),
            global: BTreeMap::new(),
            data: BTreeMap::new(),
        }
    }

    async fn sync(&mut self, server: &TestServer, rooms: &[Arc<Room>], asks: Asks, lost: bool) {
        let required = if asks.all {
            json!([["*", "*"]])
        } else {
            json!([
                ["m.room.topic", ""],
                ["m.room.member", "$LAZY"],
                ["m.room.member", "$ME"]
            ])
        };
        let config = json!({"timeline_limit": asks.limit, "required_state": required});
        let mut list = config.clone();
        list["ranges"] = json!([[0, asks.end]]);
        let mut body = json!({
            "lists": {"all": list}, "extensions": {"account_data": {"enabled": asks.data}},
        });
        if let Some(room) = asks.room {
            body["room_subscriptions"] = json!({rooms[room].id.as_str(): config});
        }
        let mut client = Slider::new(server, &self.user_id, body);
        client.pos = self.pos.take();
        let answer = match client.ask(0).await {
            Ok(answer) => answer,
            Err(Error::UnknownPos) => {
                // The server forgot the connection: nothing the client has is taken for granted.
                *self = Self::new(&self.user_id);
                client.pos = None;
                client.ask(0).await.unwrap()
            }
            Err(error) => panic!("{error}"),
        };
        if lost {
            self.pos = client.pos;
            return;
        }
        self.pos = Some(answer["pos"].as_str().unwrap().to_owned());
        self.take(server, &answer, asks);
        self.compare(server, rooms, asks, &answer);
    }

    fn take(&mut self, server: &TestServer, answer: &Value, asks: Asks) {
        for (id, section) in answer["rooms"].as_object().unwrap() {
            self.invited.remove(id);
            match section["membership"].as_str().unwrap() {
                "join" => {
                    let mut known = self.joined.remove(id).unwrap_or_default();
                    self.take_room(server, id, &mut known, section, asks);
                    self.joined.insert(id.clone(), known);
                }
                "invite" => {
                    assert_eq!(section["initial"], true);
                    self.joined.remove(id);
                    self.invited.insert(id.clone());
                }
                _ => {
                    let own = section["required_state"]
                        .as_array()
                        .unwrap()
                        .last()
                        .unwrap();
                    assert_eq!(own["state_key"], self.user_id.as_str());
                    assert_eq!(own["content"]["membership"], section["membership"]);
                    self.joined.remove(id);
                }
            }
        }
        let data = &answer["extensions"]["account_data"];
        for event in data["global"].as_array().into_iter().flatten() {
            let kind = event["type"].as_str().unwrap().to_owned();
            self.global.insert(kind, event["content"].clone());
        }
        for (id, events) in data["rooms"].as_object().into_iter().flatten() {
            let last = events.as_array().unwrap().last().unwrap();
            self.data.insert(id.clone(), last["content"].clone());
        }
    }

    fn take_room(
        &self,
        server: &TestServer,
        id: &str,
        known: &mut Known,
        section: &Value,
        asks: Asks,
    ) {
        if section["initial"] == true {
            *known = Known::default();
        }
        let events = |key: &str| section[key].as_array().cloned().unwrap_or_default();
        let event_id = |event: &Value| event["event_id"].as_str().unwrap().to_owned();
        let shown: Vec<String> = events("timeline").iter().map(event_id).collect();
        assert!(shown.len() as u64 <= asks.limit);
        let mut new = Vec::new();
        if section["limited"] == true {
            let from = section["prev_batch"].as_str().unwrap().parse().unwrap();
            new = self.backfill(server, id, from, &known.timeline);
        }
        new.extend(shown);
        let is_new = |id: &String| !known.timeline.contains(id);
        let fresh: Vec<_> = new.into_iter().filter(is_new).collect();
        known.timeline.extend(fresh);
        for event in events("required_state") {
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            let place = (text("type"), text("state_key"));
            known.state.insert(place, event_id(&event));
        }
        for event in events("timeline") {
            let sender = event["sender"].as_str().unwrap().to_owned();
            assert!(
                known
                    .state
                    .contains_key(&("m.room.member".to_owned(), sender)),
                "the sender of a shown event is missing: {event}"
            );
        }
        if let Some(count) = section.get("joined_count") {
            known.joined = count.clone();
        }
    }

    /// What falls into a gap, oldest first: back to what is known.
    fn backfill(
        &self,
        server: &TestServer,
        id: &str,
        from: Order,
        known: &[String],
    ) -> Vec<String> {
        let (filter, room) = (RoomEventFilter::default(), id.try_into().unwrap());
        let (mut events, mut from) = (Vec::new(), from);
        'pages: loop {
            let stretch = Stretch {
                from: Some(from),
                to: None,
                direction: Direction::Backward,
                limit: 3,
                filter: &filter,
                bound: None,
            };
            let page = server
                .rooms
                .list_events(&self.user_id, "D", room, &stretch)
                .unwrap();
            for shown in page.events {
                let id = shown.event.event_id().to_string();
                if known.contains(&id) {
                    break 'pages;
                }
                events.push(id);
            }
            match page.end {
                Some(end) => from = end,
                None => break,
            }
        }
        events.reverse();
        events
    }

    fn compare(&self, server: &TestServer, rooms: &[Arc<Room>], asks: Asks, answer: &Value) {
        let mut listed = 0;
        for room in rooms {
            let id = room.id.as_str();
            let record = server.rooms.find_membership(room, &self.user_id).unwrap();
            let now = record.map(|record| record.membership);
            let by_other = || {
                let event = server.rooms.event(record.unwrap().event).unwrap();
                record.unwrap().was_joined && event.pdu.sender != self.user_id
            };
            let is_listed = match now {
                Some(Membership::Leave | Membership::Ban) => {
                    !record.unwrap().forgotten && by_other()
                }
                now => now.is_some(),
            };
            listed += u64::from(is_listed);
            if asks.end < 9 && asks.room.is_none_or(|n| rooms[n].id != room.id) {
                continue;
            }
            assert_eq!(self.joined.contains_key(id), now == Some(Membership::Join));
            assert_eq!(self.invited.contains(id), now == Some(Membership::Invite));
            if let Some(known) = self.joined.get(id) {
                self.compare_room(server, room, known, asks);
            }
        }
        assert_eq!(answer["lists"]["all"]["count"], listed);
        if asks.data {
            let kinds = server.users.list_account_data(&self.user_id, None).unwrap();
            for data in kinds.iter().filter(|data| data.kind == "x.global") {
                let truth: Value = serde_json::from_str(&data.content.0).unwrap();
                assert_eq!(self.global.get("x.global"), Some(&truth));
            }
        }
    }

    fn compare_room(&self, server: &TestServer, room: &Arc<Room>, known: &Known, asks: Asks) {
        let now = server.rooms.find_membership(room, &self.user_id).unwrap();
        let mut viewer = Viewer::new(&server.rooms, &self.user_id, now);
        let all = server
            .rooms
            .list_forwards(room, Order::START, Order::END, usize::MAX)
            .unwrap();
        let seen = all
            .into_iter()
            .filter(|(_, event)| viewer.sees(event).unwrap());
        let seen: Vec<_> = seen
            .map(|(_, event)| event.event_id().to_string())
            .collect();
        assert_eq!(known.timeline, seen);
        assert_eq!(
            known.joined,
            server.rooms.count_joined(room.number).unwrap()
        );
        let truth: BTreeMap<_, _> = server
            .rooms
            .list_state(room)
            .unwrap()
            .iter()
            .map(|event| {
                let key = event.pdu.state_key.clone().unwrap();
                (
                    (event.pdu.kind.to_string(), key),
                    event.event_id().to_string(),
                )
            })
            .collect();
        if asks.all {
            assert_eq!(known.state, truth);
        }
        for (kind, key) in [
            ("m.room.topic", ""),
            ("m.room.member", self.user_id.as_str()),
        ] {
            let place = (kind.to_owned(), key.to_owned());
            assert_eq!(known.state.get(&place), truth.get(&place));
        }
        if asks.data {
            let data = server
                .users
                .account_data(&self.user_id, Some(room.number), "x.room")
                .unwrap();
            let data = data.map(|data| serde_json::from_str::<Value>(&data.0).unwrap());
            assert_eq!(self.data.get(room.id.as_str()), data.as_ref());
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
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        rooms.push(server.room(&people[0]).await);
    }
    let mut models = [Model::new(&people[1]), Model::new(&people[2])];
    for (n, step) in steps.into_iter().enumerate() {
        let attempt = async |room: usize, draft| {
            let _ = server.rooms.append_one(&rooms[room], draft).await;
        };
        match step {
            Step::Message { by, room } => attempt(room, text(&people[by], &n.to_string())).await,
            Step::Topic { by, room } => {
                let topic = json!({"topic": n.to_string()});
                attempt(room, state(&people[by], "m.room.topic", "", &topic)).await;
            }
            Step::Rename { who, room } => {
                let who: &UserId = &people[who];
                let now = server.rooms.find_membership(&rooms[room], who).unwrap();
                if now.is_some_and(|now| now.membership == Membership::Join) {
                    let content = json!({"membership": "join", "displayname": n.to_string()});
                    attempt(room, state(who, "m.room.member", who.as_str(), &content)).await;
                }
            }
            Step::Membership { by, who, room, to } => {
                let by = if MEMBERSHIPS[to] == "join" { who } else { by };
                attempt(room, member(&people[by], &people[who], MEMBERSHIPS[to])).await;
            }
            Step::Visibility { room, to } => {
                let content = json!({"history_visibility": VISIBILITIES[to]});
                let draft = state(&people[0], "m.room.history_visibility", "", &content);
                attempt(room, draft).await;
            }
            Step::Data { who, room } => {
                let content = json!({"n": n}).to_string();
                let (room, kind) = match room {
                    Some(room) => (Some(rooms[room].number), "x.room"),
                    None => (None, "x.global"),
                };
                let set = server
                    .users
                    .set_account_data(&people[who], room, kind, &content);
                set.await.unwrap();
            }
            Step::Forget { who, room } => {
                let _ = server.rooms.forget(&people[who], &rooms[room]).await;
            }
            Step::Sync { client, asks, lost } => {
                models[client].sync(&server, &rooms, asks, lost).await;
            }
            Step::Restart => server.restart(),
        }
    }
    for model in &mut models {
        model.sync(&server, &rooms, EVERYTHING, false).await;
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
