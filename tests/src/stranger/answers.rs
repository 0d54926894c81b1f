//! What a stranger answers.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use orvale_events::ServerKey;
use ruma::{CanonicalJsonObject, MilliSecondsSinceUnixEpoch};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Joined, Stranger, rooms::id_of};
use crate::client::decode;

/// Where transactions are sent.
pub(super) const SEND: &str = "/_matrix/federation/v1/send/";
const FEDERATION: &str = "/_matrix/federation/";

/// What is answered to a body.
type Saying = Box<dyn Fn(&Value) -> Reply + Send>;

/// What it answers, and what it was asked.
pub(super) struct Shared {
    key: Arc<ServerKey>,
    /// By the beginning of the path.
    told: Mutex<BTreeMap<String, Saying>>,
    /// Requests whose path begins so wait.
    held: Mutex<Vec<(String, Arc<Semaphore>)>>,
    asked: Mutex<Vec<Asked>>,
    pub(super) known: Mutex<Known>,
}

#[derive(Clone)]
struct Reply {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl Reply {
    fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json".to_owned(),
            body: body.to_string().into_bytes(),
        }
    }
}

/// What it knows of rooms.
#[derive(Default)]
pub(super) struct Known {
    /// Whose answers they are.
    name: String,
    /// By ID.
    events: HashMap<String, Value>,
    /// The state before each event, by IDs.
    before: HashMap<String, Vec<String>>,
    /// Those that others may join through it.
    hosted: BTreeMap<String, Joined>,
    /// Whether it leaves members out where others may join.
    omits: bool,
}

/// Something that it was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The body.
    pub body: Value,
    /// The status of the answer.
    pub status: u16,
}

/// Requests that wait until this is dropped.
#[must_use]
pub struct Held(Arc<Semaphore>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Stranger {
    /// From now on it answers requests whose path begins like this, whatever it knows.
    pub fn answer(&self, path: &str, status: u16, body: Value) {
        self.answer_by(path, move |_| (status, body.clone()));
    }

    /// As [`Stranger::answer`], by the body of the request.
    pub fn answer_by(&self, path: &str, saying: impl Fn(&Value) -> (u16, Value) + Send + 'static) {
        let saying = move |body: &Value| {
            let (status, answer) = saying(body);
            Reply::json(status, &answer)
        };
        lock(&self.shared.told).insert(decode(path), Box::new(saying));
    }

    /// As [`Stranger::answer`], with a body of any kind.
    pub fn answer_bytes(&self, path: &str, content_type: &str, body: &[u8]) {
        let reply = Reply {
            status: 200,
            content_type: content_type.to_owned(),
            body: body.to_vec(),
        };
        let saying = move |_: &Value| reply.clone();
        lock(&self.shared.told).insert(decode(path), Box::new(saying));
    }

    /// It answers by what it knows again, where it was told otherwise.
    pub fn tell_the_truth(&self, path: &str) {
        lock(&self.shared.told).remove(&decode(path));
    }

    /// From now on requests whose path begins like this wait; they are answered when what is given is dropped.
    pub fn hold(&self, path: &str) -> Held {
        let gate = Arc::new(Semaphore::new(0));
        let mut held = lock(&self.shared.held);
        held.push((path.to_owned(), gate.clone()));
        Held(gate)
    }

    /// What it was asked, also what is not answered yet.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }

    /// All that it was told of one kind in transactions that it took: `pdus` or `edus`.
    #[must_use]
    pub fn told(&self, kind: &str) -> Vec<Value> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.path.starts_with(SEND) && asked.status == 200);
        let told = asked.into_iter().map(|asked| asked.body[kind].clone());
        told.flat_map(|told| told.as_array().cloned().unwrap_or_default())
            .collect()
    }

    /// Lets others join a room through it. Who joins is in the room as it then knows it: [`Stranger::hosted`].
    pub fn host(&self, joined: &Joined) {
        let mut known = lock(&self.shared.known);
        known.hosted.insert(joined.room.clone(), joined.clone());
    }

    /// From now on it leaves all members out of what it gives those who join and can do without.
    pub fn leave_members_out(&self) {
        lock(&self.shared.known).omits = true;
    }

    /// A room that it hosts, as it is now.
    ///
    /// # Panics
    /// If it hosts none of this ID.
    #[must_use]
    pub fn hosted(&self, room: &str) -> Joined {
        lock(&self.shared.known).hosted[room].clone()
    }

    /// It knows all that another knows of events from now on.
    pub fn take_over(&self, from: &Self) {
        let other = {
            let other = lock(&from.shared.known);
            (other.events.clone(), other.before.clone())
        };
        let mut known = lock(&self.shared.known);
        known.events.extend(other.0);
        known.before.extend(other.1);
    }

    /// Gives nobody an event any more.
    pub fn forget(&self, event_id: &str) {
        lock(&self.shared.known).events.remove(event_id);
    }
}

impl Shared {
    pub(super) fn new(key: Arc<ServerKey>) -> Self {
        Self {
            told: Mutex::default(),
            held: Mutex::default(),
            asked: Mutex::default(),
            known: Mutex::new(Known {
                name: key.server_name().to_string(),
                ..Known::default()
            }),
            key,
        }
    }

    /// Remembers an event, for those who ask for it.
    pub(super) fn remember(&self, id: &str, event: &Value, before: Vec<String>) {
        let mut known = lock(&self.known);
        known.events.insert(id.to_owned(), event.clone());
        known.before.insert(id.to_owned(), before);
    }

    /// An event that it remembers.
    pub(super) fn event(&self, id: &str) -> Option<Value> {
        lock(&self.known).events.get(id).cloned()
    }

    /// Remembers what is asked; gives the answer.
    pub(super) async fn take(&self, uri: &Uri, body: Value) -> Response {
        let path = uri.path().to_owned();
        let reply = self.reply(uri, &body);
        let status = reply.status;
        let gate = {
            let held = lock(&self.held);
            let gate = held.iter().find(|(at, _)| path.starts_with(at.as_str()));
            gate.map(|(_, gate)| gate.clone())
        };
        lock(&self.asked).push(Asked { path, body, status });
        if let Some(gate) = gate {
            // It is closed when the time has come.
            let _ = gate.acquire().await;
        }
        let status = StatusCode::from_u16(status).expect("a status");
        let header = [("content-type", reply.content_type)];
        (status, header, reply.body).into_response()
    }

    fn reply(&self, uri: &Uri, body: &Value) -> Reply {
        let path = uri.path();
        // The longest beginning, however it is encoded.
        let decoded = decode(path);
        let told = lock(&self.told)
            .iter()
            .rev()
            .find(|(at, _)| decoded.starts_with(at.as_str()))
            .map(|(_, saying)| saying(body));
        if let Some(reply) = told {
            return reply;
        }
        if path.starts_with("/_matrix/key/v2/server") {
            return Reply::json(200, &keys(&self.key));
        }
        if path.starts_with(SEND) {
            return Reply::json(200, &json!({ "pdus": {} }));
        }
        let answer = path
            .strip_prefix(FEDERATION)
            .and_then(|rest| lock(&self.known).answer(rest, uri.query().unwrap_or_default(), body));
        match answer {
            Some(answer) => Reply::json(200, &answer),
            None => {
                let error = json!({ "errcode": "M_NOT_FOUND", "error": "not here" });
                Reply::json(404, &error)
            }
        }
    }
}

impl Known {
    /// What is answered of events and rooms.
    fn answer(&mut self, path: &str, query: &str, body: &Value) -> Option<Value> {
        let parts: Vec<String> = path.split('/').map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let asked = |name: &str| -> Vec<String> {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .filter(|(key, _)| *key == name)
                .map(|(_, value)| decode(value))
                .collect()
        };
        match parts[..] {
            ["v1", "event", id] => {
                let event = self.events.get(id)?;
                Some(json!({ "origin": self.name, "origin_server_ts": 0, "pdus": [event] }))
            }
            ["v1", "event_auth", _, id] => {
                let chain = self.chain(&ids(self.events.get(id)?, "auth_events"));
                Some(json!({ "auth_chain": self.all(&chain) }))
            }
            ["v1", "get_missing_events", _] => {
                let latest = ids(body, "latest_events");
                let latest = latest.iter().filter_map(|id| self.events.get(id));
                let from = latest.flat_map(|event| ids(event, "prev_events")).collect();
                let limit = body["limit"].as_u64().unwrap_or(10);
                let events = self.backwards(from, &ids(body, "earliest_events"), limit);
                Some(json!({ "events": events }))
            }
            ["v1", "backfill", _] => {
                let limit = asked("limit").first()?.parse().ok()?;
                let mut events = self.backwards(asked("v"), &[], limit);
                events.reverse();
                Some(json!({ "origin": self.name, "origin_server_ts": 0, "pdus": events }))
            }
            ["v1", "state_ids", _] => {
                let state = &self.state_before(asked("event_id").first()?)?;
                Some(json!({ "pdu_ids": state, "auth_chain_ids": self.chain(state) }))
            }
            ["v1", "state", _] => {
                let state = &self.state_before(asked("event_id").first()?)?;
                Some(json!({ "pdus": self.all(state), "auth_chain": self.all(&self.chain(state)) }))
            }
            ["v1", "make_join", room, user] => self.hosted.get(room)?.template(user),
            ["v2", "send_join", room, _] => {
                let few = self.omits && asked("omit_members") == ["true"];
                self.let_in(room, body, few)
            }
            _ => None,
        }
    }

    fn let_in(&mut self, room: &str, join: &Value, few: bool) -> Option<Value> {
        let joined = self.hosted.get(room)?;
        let is_given = |kind: &str| !few || kind != "m.room.member";
        let given = joined.state.iter();
        let given = given.filter(|((kind, _), _)| is_given(kind));
        let (mut reasons, state): (Vec<String>, Vec<&Value>) =
            given.map(|(_, (id, event))| (id.clone(), event)).unzip();
        reasons.extend(ids(join, "auth_events"));
        let answer = json!({
            "origin": self.name, "members_omitted": few, "servers_in_room": joined.servers(),
            "state": state, "auth_chain": self.all(&self.chain(&reasons)), "event": join,
        });
        let ids: Vec<String> = joined.state_ids();
        let id = id_of(join, &joined.rules);
        self.events.insert(id.clone(), join.clone());
        self.before.insert(id, ids);
        self.hosted.get_mut(room)?.goes_on(join);
        Some(answer)
    }

    /// The state before an event. Of those that only follow each other it is not remembered, but found from the one where they begin.
    fn state_before(&self, id: &str) -> Option<Vec<String>> {
        let mut since = Vec::new();
        let mut at = id.to_owned();
        let begun = loop {
            let before = self.before.get(&at)?;
            let event = self.events.get(&at)?;
            match ids(event, "prev_events").first() {
                Some(prev) if before.is_empty() => at.clone_from(prev),
                _ => break before,
            }
            since.push(at.clone());
        };
        let place = |id: &String| {
            let event = self.events.get(id)?;
            let key = event["state_key"].as_str()?;
            Some((event["type"].to_string(), key.to_owned()))
        };
        let state = begun.iter().chain(since.iter().rev());
        let state: BTreeMap<_, _> = state.filter_map(|id| Some((place(id)?, id))).collect();
        Some(state.into_values().cloned().collect())
    }

    fn all(&self, ids: &[String]) -> Vec<&Value> {
        ids.iter().filter_map(|id| self.events.get(id)).collect()
    }

    /// The auth chain of events, each before those that it allows.
    fn chain(&self, of: &[String]) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut chain = Vec::new();
        let mut open = of.to_vec();
        while let Some(id) = open.pop() {
            if let Some(event) = self.events.get(&id)
                && seen.insert(id.clone())
            {
                open.extend(ids(event, "auth_events"));
                chain.push((event["depth"].as_u64(), id));
            }
        }
        chain.sort();
        chain.into_iter().map(|(_, id)| id).collect()
    }

    /// These events and what is before them, oldest first.
    fn backwards(&self, from: Vec<String>, until: &[String], limit: u64) -> Vec<&Value> {
        let mut seen: BTreeSet<String> = until.iter().cloned().collect();
        let mut found = Vec::new();
        let mut open: std::collections::VecDeque<String> = from.into();
        while let Some(id) = open.pop_front() {
            if found.len() as u64 >= limit {
                break;
            }
            if let Some(event) = self.events.get(&id)
                && seen.insert(id)
            {
                open.extend(ids(event, "prev_events"));
                found.push(event);
            }
        }
        found.sort_by_key(|event| event["depth"].as_u64());
        found
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics with it")
}

fn ids(event: &Value, name: &str) -> Vec<String> {
    let ids = event[name].as_array().into_iter().flatten();
    ids.filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

/// Canonical JSON, whatever the order of what it is made from.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<_, _> = object.iter().collect();
            let fields = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", json!(key), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(array) => {
            let items: Vec<_> = array.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

fn keys(key: &ServerKey) -> Value {
    let later = u64::from(MilliSecondsSinceUnixEpoch::now().get()) + 3_600_000;
    let keys = json!({
        "server_name": key.server_name(), "valid_until_ts": later, "old_verify_keys": {},
        "verify_keys": { key.key_id(): { "key": key.public_key() } },
    });
    let mut keys: CanonicalJsonObject = serde_json::from_value(keys).expect("canonical JSON");
    key.sign_json(&mut keys).expect("it can be signed");
    serde_json::to_value(keys).expect("JSON")
}
