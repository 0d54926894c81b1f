//! [`TestRoom`]: a room told event by event, with the state after each event.

use std::{collections::HashMap, sync::Arc};

use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomVersionId,
    events::{StateEventType, TimelineEventType},
    room_version_rules::RoomVersionRules,
    state_res::StateMap,
};
use serde::Deserialize;
use serde_json::{Value, json, value::to_raw_value};

use super::key_of_the_specification;
use crate::{Pdu, ServerKey, Template, auth_types, build, check, resolve};

/// An event as a test tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    /// What the test calls it.
    pub(crate) id: String,
    /// The events before it; the one told before if missing.
    #[serde(default)]
    pub(crate) after: Option<Vec<String>>,
    pub(crate) sender: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) state_key: Option<String>,
    pub(crate) content: Value,
    /// When it is sent; a second after the one before if missing.
    #[serde(default)]
    pub(crate) at: Option<u32>,
}

/// A room and all its accepted events.
#[derive(Clone)]
pub(crate) struct TestRoom {
    pub(crate) version: RoomVersionId,
    pub(crate) rules: RoomVersionRules,
    pub(crate) events: HashMap<OwnedEventId, Arc<Pdu>>,
    pub(crate) json: HashMap<OwnedEventId, Vec<u8>>,
    /// The events in the order they were told, with their names.
    pub(crate) told: Vec<(String, OwnedEventId)>,
    /// The state after each event.
    pub(crate) states: HashMap<OwnedEventId, StateMap<OwnedEventId>>,
    room_id: Option<OwnedRoomId>,
    creator: Option<OwnedUserId>,
    key: Arc<ServerKey>,
    seconds: u32,
}

/// `alice` is `@alice:x`.
pub(crate) fn user(name: &str) -> OwnedUserId {
    OwnedUserId::try_from(if name.starts_with('@') {
        name.to_owned()
    } else {
        format!("@{name}:x")
    })
    .unwrap()
}

impl TestRoom {
    pub(crate) fn new(version: &RoomVersionId) -> Self {
        let rules = crate::rules(version).unwrap();
        let room_id = rules
            .event_format
            .require_room_create_room_id
            .then(|| "!room:x".try_into().unwrap());
        Self {
            version: version.clone(),
            rules,
            room_id,
            events: HashMap::new(),
            json: HashMap::new(),
            told: Vec::new(),
            states: HashMap::new(),
            creator: None,
            key: Arc::new(key_of_the_specification()),
            seconds: 0,
        }
    }

    /// A room that alice created and joined, with `join_rule`, and the users at their power levels.
    pub(crate) fn created(version: &RoomVersionId, join_rule: &str, users: &[(&str, i64)]) -> Self {
        let mut room = Self::new(version);
        room.must("create", "alice", "m.room.create", Some(""), json!({}));
        room.must(
            "alice joins",
            "alice",
            "m.room.member",
            Some("@alice:x"),
            json!({ "membership": "join" }),
        );
        let mut levels = json!({ "users": { "@alice:x": 100 } });
        for (name, level) in users {
            levels["users"][user(name).as_str()] = json!(level);
        }
        room.must("power", "alice", "m.room.power_levels", Some(""), levels);
        room.must(
            "join rule",
            "alice",
            "m.room.join_rules",
            Some(""),
            json!({ "join_rule": join_rule }),
        );
        room
    }

    pub(crate) fn id(&self, name: &str) -> OwnedEventId {
        self.told
            .iter()
            .find(|(told, _)| told == name)
            .unwrap_or_else(|| panic!("no event {name:?}"))
            .1
            .clone()
    }

    pub(crate) fn name(&self, id: &EventId) -> &str {
        &self
            .told
            .iter()
            .find(|(_, told)| told == id)
            .unwrap_or_else(|| panic!("no event {id}"))
            .0
    }

    pub(crate) fn fetch(&self) -> impl Fn(&EventId) -> Option<Arc<Pdu>> + '_ {
        |id| self.events.get(id).cloned()
    }

    pub(crate) fn state(&self, after: &[OwnedEventId]) -> StateMap<OwnedEventId> {
        let states = after
            .iter()
            .map(|id| self.states[id].clone())
            .collect::<Vec<_>>();
        resolve(&self.rules, &states, self.fetch()).unwrap()
    }

    pub(crate) fn told_after(&self, told: &Told) -> Vec<OwnedEventId> {
        match &told.after {
            Some(names) => names.iter().map(|name| self.id(name)).collect(),
            None => self
                .told
                .last()
                .map(|(_, id)| id.clone())
                .into_iter()
                .collect(),
        }
    }

    /// Builds the event with the right auth events for the state before it, and checks it against that.
    pub(crate) fn tell(&mut self, told: &Told) -> Result<OwnedEventId, String> {
        let after = self.told_after(told);
        let before = self.state(&after);
        self.tell_on(told, after, before)
    }

    /// As [`TestRoom::tell`], after these events, where this is the state.
    pub(crate) fn tell_on(
        &mut self,
        told: &Told,
        after: Vec<OwnedEventId>,
        before: StateMap<OwnedEventId>,
    ) -> Result<OwnedEventId, String> {
        let sender = user(&told.sender);
        let kind = TimelineEventType::from(told.kind.as_str());
        let content = to_raw_value(&self.adapted(&kind, &sender, told.content.clone())).unwrap();
        let wanted = auth_types(
            &kind,
            &sender,
            told.state_key.as_deref(),
            &content,
            &self.rules.authorization,
        )
        .map_err(|error| error.to_string())?;
        let auth_events = wanted
            .iter()
            .filter_map(|key| before.get(key).cloned())
            .collect::<Vec<_>>();
        self.seconds = told.at.unwrap_or(self.seconds + 1);
        let is_create = kind == TimelineEventType::RoomCreate;
        let names_room = is_create && !self.rules.event_format.require_room_create_room_id;
        let template = Template {
            room_id: self.room_id.clone().filter(|_| !names_room),
            sender: sender.clone(),
            kind,
            state_key: told.state_key.clone(),
            content,
            redacts: None,
            depth: after
                .iter()
                .map(|id| self.events[id].depth)
                .max()
                .unwrap_or(0)
                + 1,
            prev_events: after,
            auth_events,
            origin_server_ts: MilliSecondsSinceUnixEpoch((self.seconds * 1000).into()),
        };
        let (pdu, json) =
            build(template, &self.rules, &self.key).map_err(|error| error.to_string())?;
        self.check(&pdu, &before)?;
        if is_create {
            self.room_id = Some(pdu.room_id.clone());
            self.creator = Some(sender);
        }
        Ok(self.add(&told.id, pdu, json, before))
    }

    pub(crate) fn check(&self, pdu: &Pdu, state: &StateMap<OwnedEventId>) -> Result<(), String> {
        let find = |kind: &StateEventType, key: &str| {
            let id = state.get(&(kind.clone(), key.to_owned()))?;
            self.events.get(id).cloned()
        };
        check(&self.rules.authorization, pdu, self.fetch(), find)
            .map_err(|forbidden| forbidden.to_string())
    }

    fn add(
        &mut self,
        name: &str,
        pdu: Pdu,
        json: Vec<u8>,
        before: StateMap<OwnedEventId>,
    ) -> OwnedEventId {
        let id = pdu.event_id.clone();
        let mut after = before;
        if let Some(key) = &pdu.state_key {
            after.insert((pdu.kind.to_string().into(), key.clone()), id.clone());
        }
        self.states.insert(id.clone(), after);
        self.events.insert(id.clone(), Arc::new(pdu));
        self.json.insert(id.clone(), json);
        self.told.push((name.to_owned(), id.clone()));
        id
    }

    /// What each version wants: `creator` before 11, no creator among the power levels since 12.
    fn adapted(&self, kind: &TimelineEventType, sender: &OwnedUserId, mut content: Value) -> Value {
        let rules = &self.rules.authorization;
        match kind {
            TimelineEventType::RoomCreate => {
                content["room_version"] = self.version.as_str().into();
                if !rules.use_room_create_sender {
                    content["creator"] = sender.as_str().into();
                }
            }
            TimelineEventType::RoomPowerLevels if rules.explicitly_privilege_room_creators => {
                if let (Some(users), Some(creator)) = (
                    content.get_mut("users").and_then(Value::as_object_mut),
                    &self.creator,
                ) {
                    users.remove(creator.as_str());
                }
            }
            _ => {}
        }
        content
    }

    /// The event after the last one.
    pub(crate) fn send(
        &mut self,
        name: &str,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: Value,
    ) -> Result<OwnedEventId, String> {
        self.tell(&Told {
            id: name.to_owned(),
            after: None,
            sender: sender.to_owned(),
            kind: kind.to_owned(),
            state_key: state_key.map(str::to_owned),
            content,
            at: None,
        })
    }

    pub(crate) fn must(
        &mut self,
        name: &str,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: Value,
    ) {
        if let Err(reason) = self.send(name, sender, kind, state_key, content) {
            panic!("{name} in version {}: {reason}", self.version);
        }
    }

    pub(crate) fn member(
        &mut self,
        sender: &str,
        target: &str,
        membership: &str,
    ) -> Result<OwnedEventId, String> {
        let name = format!("{sender}: {membership} {target} {}", self.told.len());
        self.send(
            &name,
            sender,
            "m.room.member",
            Some(user(target).as_str()),
            json!({ "membership": membership }),
        )
    }

    /// The events nothing comes after.
    pub(crate) fn extremities(&self) -> Vec<OwnedEventId> {
        let is_last = |id: &&OwnedEventId| {
            !self
                .events
                .values()
                .any(|event| event.prev_events.contains(id))
        };
        self.told
            .iter()
            .map(|(_, id)| id)
            .filter(is_last)
            .cloned()
            .collect()
    }

    /// A state as `type state_key` → name of the event.
    pub(crate) fn named(&self, state: &StateMap<OwnedEventId>) -> Value {
        let name =
            |(kind, key): &(StateEventType, String)| format!("{kind} {key}").trim_end().to_owned();
        state
            .iter()
            .map(|(key, id)| (name(key), Value::from(self.name(id))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
