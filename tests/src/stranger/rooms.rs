//! Rooms as a stranger knows them, and the events that it makes in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orvale_events::{Foreign, Pdu, ServerKey, StateMap, Template, auth_types, build, check};
use reqwest::Method;
use ruma::{
    CanonicalJsonObject, EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, RoomVersionId, UInt,
    events::StateEventType, room_version_rules::RoomVersionRules, signatures::hash_and_sign_event,
};
use serde_json::{Value, json, value::to_raw_value};

use super::{Peer, Stranger};
use crate::encode;

/// A room as it is after some events of it. A copy is a fork: what follows one does not follow the other.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The room's ID.
    pub room: String,
    /// The room's state, each event with its ID, by type and state key.
    pub state: BTreeMap<(String, String), (String, Value)>,
    /// The IDs of the last events.
    pub last: Vec<String>,
    /// When the next event is sent, in milliseconds; one later for each that follows. `None` for now.
    pub at: Option<u64>,
    pub(crate) rules: Arc<RoomVersionRules>,
    version: RoomVersionId,
    depth: u64,
}

impl Joined {
    fn new(room: &str, version: RoomVersionId) -> Self {
        Self {
            room: room.to_owned(),
            state: BTreeMap::new(),
            last: Vec::new(),
            at: None,
            rules: Arc::new(version.rules().expect("a known version")),
            version,
            depth: 0,
        }
    }

    /// The content of the state of a type and key; null if there is none.
    #[must_use]
    pub fn content(&self, kind: &str, state_key: &str) -> &Value {
        let found = self.state.get(&(kind.to_owned(), state_key.to_owned()));
        found.map_or(&Value::Null, |(_, event)| &event["content"])
    }

    /// The IDs of the state.
    #[must_use]
    pub fn state_ids(&self) -> Vec<String> {
        self.state.values().map(|(id, _)| id.clone()).collect()
    }

    /// The servers that have somebody in the room.
    #[must_use]
    pub fn servers(&self) -> BTreeSet<String> {
        let members = self.state.iter().filter(|((kind, _), (_, event))| {
            kind == "m.room.member" && event["content"]["membership"] == "join"
        });
        let servers = members.filter_map(|((_, user), _)| user.split_once(':'));
        servers.map(|(_, server)| server.to_owned()).collect()
    }

    /// Takes an event over that follows; gives its ID.
    pub(super) fn goes_on(&mut self, event: &Value) -> String {
        let id = id_of(event, &self.rules);
        let before = event["prev_events"].as_array();
        let before = |id: &String| before.is_some_and(|ids| ids.iter().any(|one| one == id));
        self.last.retain(|last| !before(last) && *last != id);
        self.last.push(id.clone());
        let depth = event["depth"].as_u64().expect("a depth");
        self.depth = self.depth.max(depth);
        self.keep(id.clone(), event);
        id
    }

    fn keep(&mut self, id: String, event: &Value) {
        if let (Some(kind), Some(key)) = (event["type"].as_str(), event["state_key"].as_str()) {
            let place = (kind.to_owned(), key.to_owned());
            self.state.insert(place, (id, event.clone()));
        }
    }

    /// What a user's server is to sign so that the user joins.
    pub(super) fn template(&self, user: &str) -> Option<Value> {
        let content = json!({ "membership": "join" });
        let event = json!({
            "type": "m.room.member", "room_id": self.room, "sender": user, "state_key": user,
            "content": content, "depth": self.depth + 1, "prev_events": self.last,
            "auth_events": self.allowing(user, "m.room.member", Some(user), &content),
            "origin_server_ts": 0,
        });
        Some(json!({ "room_version": self.version, "event": event }))
    }

    /// The state that allows an event.
    fn allowing(
        &self,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: &Value,
    ) -> Vec<String> {
        let sender = sender.try_into().expect("a user ID");
        let content = to_raw_value(content).expect("JSON");
        let rules = &self.rules.authorization;
        let types = auth_types(&kind.into(), sender, state_key, &content, rules);
        let found = types
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(kind, key)| {
                let (id, _) = self.state.get(&(kind.to_string(), key))?;
                Some(id.clone())
            });
        found.collect()
    }
}

impl Stranger {
    /// Has a user of it join a room by way of a server.
    pub async fn join(&self, by: impl Into<Peer>, room: &str, user: &str) -> Joined {
        let by = by.into();
        let path = format!(
            "/_matrix/federation/v1/make_join/{}/{}?ver=10&ver=11&ver=12",
            encode(room),
            encode(user)
        );
        let made = self.ask(by.clone(), Method::GET, &path, None).await.ok();
        let version = made["room_version"].as_str().expect("a version");
        let version = RoomVersionId::try_from(version).expect("a version");
        let mut joined = Joined::new(room, version);
        let template = &made["event"];
        let (id, join) = self.forged(&joined, user, template, &template["content"]);
        let path = format!(
            "/_matrix/federation/v2/send_join/{}/{}",
            encode(room),
            encode(&id)
        );
        let answer = self.ask(by, Method::PUT, &path, Some(join.clone())).await;
        let answer = answer.ok();
        for event in answer["auth_chain"].as_array().expect("an auth chain") {
            self.shared
                .remember(&id_of(event, &joined.rules), event, Vec::new());
        }
        for event in answer["state"].as_array().expect("a state") {
            let id = id_of(event, &joined.rules);
            self.shared.remember(&id, event, Vec::new());
            joined.keep(id, event);
        }
        self.follow(&mut joined, &join);
        joined
    }

    /// Makes a public room of its own with a creator; the others are to be joined. `levels` are the users' power.
    pub fn create_room(&self, version: &str, creator: &str, levels: Value) -> Joined {
        let version = RoomVersionId::try_from(version).expect("a version");
        let room = format!("!{}:{}", rand::random::<u64>(), self.name);
        let mut joined = Joined::new(&room, version.clone());
        joined.at = Some(1_000_000_000_000);
        let is_named = joined.rules.event_format.require_room_create_room_id;
        // The rooms of some versions are named after it.
        let mut create = json!({ "room_version": version, "test": rand::random::<u32>() });
        if !joined.rules.authorization.use_room_create_sender {
            create["creator"] = creator.into();
        }
        if !is_named {
            joined.room.clear();
            let like = json!({ "type": "m.room.create", "state_key": "", "depth": 1 });
            let (id, create) = self.forged(&joined, creator, &like, &create);
            joined.room = id.replace('$', "!");
            self.follow(&mut joined, &create);
        } else {
            let _ = self.event(&mut joined, creator, "m.room.create", Some(""), &create);
        }
        let join = json!({ "membership": "join" });
        let _ = self.event(&mut joined, creator, "m.room.member", Some(creator), &join);
        let mut levels = json!({ "users": levels });
        if !joined
            .rules
            .authorization
            .explicitly_privilege_room_creators
        {
            levels["users"][creator] = 100.into();
        }
        let _ = self.event(
            &mut joined,
            creator,
            "m.room.power_levels",
            Some(""),
            &levels,
        );
        let public = json!({ "join_rule": "public" });
        let _ = self.event(&mut joined, creator, "m.room.join_rules", Some(""), &public);
        joined
    }

    /// Has so many users of it join a room of its own, who are called `u0`, `u1`, …
    pub fn populate(&self, joined: &mut Joined, users: usize) {
        let content = json!({ "membership": "join" });
        for n in 0..users {
            let user = self.user(&format!("u{n}"));
            let like = json!({
                "type": "m.room.member", "state_key": user, "depth": joined.depth + 1, "prev_events": joined.last,
                "auth_events": joined.allowing(&user, "m.room.member", Some(&user), &content),
            });
            let (id, event) = self.forged(joined, &user, &like, &content);
            joined.goes_on(&event);
            // The state before each would be as much again as all of them.
            self.shared.remember(&id, &event, Vec::new());
        }
    }

    /// The next event of a room, after the last ones that are known; with its ID.
    pub fn event(
        &self,
        joined: &mut Joined,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: &Value,
    ) -> (String, Value) {
        let mut like = json!({
            "type": kind, "depth": joined.depth + 1, "prev_events": joined.last,
            "auth_events": joined.allowing(sender, kind, state_key, content),
        });
        if let Some(key) = state_key {
            like["state_key"] = key.into();
        }
        let (id, event) = self.forged(joined, sender, &like, content);
        if let Some(at) = &mut joined.at {
            *at += 1;
        }
        self.follow(joined, &event);
        (id, event)
    }

    /// As [`Stranger::event`], if the room's state allows the event.
    pub fn allowed_event(
        &self,
        joined: &mut Joined,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: &Value,
    ) -> Option<(String, Value)> {
        let mut tried = joined.clone();
        let (id, event) = self.event(&mut tried, sender, kind, state_key, content);
        let pdu = parsed(&event, &joined.rules);
        let in_state = |kind: &StateEventType, key: &str| {
            let (_, event) = joined.state.get(&(kind.to_string(), key.to_owned()))?;
            Some(parsed(event, &joined.rules))
        };
        let rules = &joined.rules.authorization;
        let allowed = check(rules, &pdu, |id| self.known(joined, id), in_state);
        if allowed.is_err() {
            self.forget(&id);
            return None;
        }
        *joined = tried;
        Some((id, event))
    }

    /// The room where forks of it meet.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn meet(&self, forks: &[&Joined]) -> Joined {
        let mut met = forks[0].clone();
        let states = forks.iter().map(|fork| {
            let entry = |((kind, key), (id, _)): (&(String, String), &(String, Value))| {
                let id = id.as_str().try_into().expect("an event ID");
                ((kind.as_str().into(), key.clone()), id)
            };
            fork.state.iter().map(entry).collect()
        });
        let states: Vec<StateMap<OwnedEventId>> = states.collect();
        let resolved = orvale_events::resolve(&met.rules, &states, |id| self.known(&met, id));
        met.state = resolved
            .expect("all of it is known")
            .into_iter()
            .filter_map(|((kind, key), id)| {
                let event = self.shared.event(id.as_str())?;
                Some(((kind.to_string(), key), (id.to_string(), event)))
            })
            .collect();
        for fork in &forks[1..] {
            let news = fork.last.iter().filter(|id| !met.last.contains(id));
            let news: Vec<String> = news.cloned().collect();
            met.last.extend(news);
            met.depth = met.depth.max(fork.depth);
            met.at = met.at.max(fork.at);
        }
        met
    }

    fn known(&self, joined: &Joined, id: &EventId) -> Option<Arc<Pdu>> {
        let event = self.shared.event(id.as_str())?;
        Some(parsed(&event, &joined.rules))
    }

    /// Takes over an event that follows in a room, whoever's it is.
    pub fn follow(&self, joined: &mut Joined, event: &Value) {
        let before = joined.state_ids();
        let id = joined.goes_on(event);
        self.shared.remember(&id, event, before);
    }

    /// An event with the type, state key, place and reasons of another, which nobody else knows of.
    #[must_use]
    pub fn forged(
        &self,
        joined: &Joined,
        sender: &str,
        like: &Value,
        content: &Value,
    ) -> (String, Value) {
        made(&self.key, joined, sender, like, content)
    }

    /// An event as it is, with the hash and the signature that belong to it.
    #[must_use]
    pub fn sign(&self, joined: &Joined, event: Value) -> Value {
        let mut object: CanonicalJsonObject =
            serde_json::from_value(event).expect("it is canonical JSON");
        object.remove("signatures");
        object.remove("hashes");
        let rules = &joined.rules.redaction;
        hash_and_sign_event(&self.name, &*self.key, &mut object, rules).expect("it is an event");
        serde_json::to_value(object).expect("JSON")
    }

    /// The ID of an event of a room.
    #[must_use]
    pub fn id_of(&self, joined: &Joined, event: &Value) -> String {
        id_of(event, &joined.rules)
    }
}

fn made(
    key: &ServerKey,
    joined: &Joined,
    sender: &str,
    like: &Value,
    content: &Value,
) -> (String, Value) {
    let ids = |name: &str| -> Vec<OwnedEventId> {
        let ids = like[name].as_array().into_iter().flatten();
        ids.map(|id| serde_json::from_value(id.clone()).expect("an event ID"))
            .collect()
    };
    let at = joined.at.and_then(UInt::new);
    let template = Template {
        room_id: (!joined.room.is_empty()).then(|| (&*joined.room).try_into().expect("a room ID")),
        sender: sender.try_into().expect("a user ID"),
        kind: like["type"].as_str().expect("a type").into(),
        state_key: like["state_key"].as_str().map(str::to_owned),
        content: to_raw_value(content).expect("JSON"),
        redacts: None,
        prev_events: ids("prev_events"),
        auth_events: ids("auth_events"),
        depth: like["depth"].as_u64().expect("a depth"),
        origin_server_ts: at
            .map_or_else(MilliSecondsSinceUnixEpoch::now, MilliSecondsSinceUnixEpoch),
    };
    let (pdu, json) = build(template, &joined.rules, key).expect("a right event");
    let json = serde_json::from_slice(&json).expect("JSON");
    (pdu.event_id.to_string(), json)
}

pub(super) fn id_of(event: &Value, rules: &RoomVersionRules) -> String {
    let json = serde_json::to_vec(event).expect("JSON");
    let event = Foreign::read(&json, rules).expect("an event");
    event.event_id().to_string()
}

fn parsed(event: &Value, rules: &RoomVersionRules) -> Arc<Pdu> {
    let json = serde_json::to_vec(event).expect("JSON");
    let event = Foreign::read(&json, rules).expect("an event");
    let (id, room) = (event.event_id().to_owned(), event.room_id().to_owned());
    Arc::new(Pdu::parse(id, room, &json, rules).expect("an event"))
}
