//! What the hot paths cost: `cargo bench -p orvale-events`.

use std::{
    collections::HashMap,
    hint::black_box,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use orvale_events::{
    Foreign, Pdu, ServerKey, StateMap, Template, auth_types, build, check, redact, resolve, rules,
};
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomVersionId,
    events::{StateEventType, TimelineEventType},
    room_version_rules::RoomVersionRules,
    server_name,
};
use serde_json::{Value, json, value::to_raw_value};

struct Room {
    rules: RoomVersionRules,
    key: ServerKey,
    room_id: Option<OwnedRoomId>,
    events: HashMap<OwnedEventId, Arc<Pdu>>,
    state: StateMap<OwnedEventId>,
    last: Vec<OwnedEventId>,
}

impl Room {
    fn template(
        &self,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: &Value,
    ) -> Template {
        let kind = TimelineEventType::from(kind);
        let sender = OwnedUserId::try_from(sender).expect("a user ID");
        let content = to_raw_value(content).expect("JSON");
        let wanted = auth_types(
            &kind,
            &sender,
            state_key,
            &content,
            &self.rules.authorization,
        )
        .expect("good content");
        Template {
            room_id: self.room_id.clone(),
            sender,
            kind,
            state_key: state_key.map(str::to_owned),
            content,
            redacts: None,
            prev_events: self.last.clone(),
            auth_events: wanted
                .iter()
                .filter_map(|key| self.state.get(key).cloned())
                .collect(),
            depth: self.events.len() as u64 + 1,
            origin_server_ts: MilliSecondsSinceUnixEpoch::now(),
        }
    }

    fn find(&self, kind: &StateEventType, key: &str) -> Option<Arc<Pdu>> {
        self.events
            .get(self.state.get(&(kind.clone(), key.to_owned()))?)
            .cloned()
    }

    fn send(
        &mut self,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: &Value,
    ) -> OwnedEventId {
        let template = self.template(sender, kind, state_key, content);
        let (pdu, _) = build(template, &self.rules, &self.key).expect("a good template");
        check(
            &self.rules.authorization,
            &pdu,
            |id| self.events.get(id).cloned(),
            |kind, key| self.find(kind, key),
        )
        .expect("an allowed event");
        self.room_id = Some(pdu.room_id.clone());
        let id = pdu.event_id.clone();
        self.last = vec![id.clone()];
        if let Some(key) = &pdu.state_key {
            self.state
                .insert((pdu.kind.to_string().into(), key.clone()), id.clone());
        }
        self.events.insert(id.clone(), Arc::new(pdu));
        id
    }
}

fn room(members: usize, moderators: usize) -> Room {
    let mut room = Room {
        rules: rules(&RoomVersionId::V12).expect("known"),
        key: ServerKey::generate(server_name!("example.org").to_owned()),
        room_id: None,
        events: HashMap::new(),
        state: StateMap::new(),
        last: Vec::new(),
    };
    let alice = "@alice:example.org";
    room.send(
        alice,
        "m.room.create",
        Some(""),
        &json!({ "room_version": "12" }),
    );
    room.send(
        alice,
        "m.room.member",
        Some(alice),
        &json!({ "membership": "join", "displayname": "Alice" }),
    );
    let users = (0..moderators)
        .map(|n| (format!("@user{n}:example.org"), Value::from(50)))
        .collect::<Value>();
    room.send(
        alice,
        "m.room.power_levels",
        Some(""),
        &json!({ "users": users }),
    );
    room.send(
        alice,
        "m.room.join_rules",
        Some(""),
        &json!({ "join_rule": "public" }),
    );
    for n in 0..members {
        let user = format!("@user{n}:example.org");
        room.send(
            &user,
            "m.room.member",
            Some(&user),
            &json!({ "membership": "join" }),
        );
    }
    room
}

/// The median of many runs.
fn measure<T>(name: &str, runs: usize, mut run: impl FnMut() -> T) {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        black_box(run());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let (half, most) = (micros(times[runs / 2]), micros(times[runs * 99 / 100]));
    writeln!(
        std::io::stdout(),
        "{name:44} {half:10.1} us   99 %: {most:10.1} us"
    )
    .expect("somebody reads");
}

fn main() {
    let alice = "@alice:example.org";
    let message =
        json!({ "msgtype": "m.text", "body": "Good morning, is anybody here who knows the way?" });
    for (about, moderators) in [("", 3), (", 500 moderators", 500)] {
        let room = room(1000, moderators);
        let template = room.template(alice, "m.room.message", None, &message);
        measure(&format!("build a message{about}"), 5000, || {
            build(template.clone(), &room.rules, &room.key)
        });
        let (pdu, json) = build(template, &room.rules, &room.key).expect("a good template");
        let by_id = |id: &ruma::EventId| room.events.get(id).cloned();
        let find = |kind: &StateEventType, key: &str| room.find(kind, key);
        measure(&format!("check a message{about}"), 5000, || {
            check(&room.rules.authorization, &pdu, by_id, find)
        });
        measure("parse a stored message", 5000, || {
            Pdu::parse(
                pdu.event_id.clone(),
                pdu.room_id.clone(),
                &json,
                &room.rules,
            )
        });
        measure("read a foreign message", 5000, || {
            Foreign::read(&json, &room.rules)
        });
        measure("redact a message", 5000, || redact(&json, &room.rules));
    }
    let room_of_100 = room(100, 3);
    let large = json!({ "msgtype": "m.text", "body": "x".repeat(60_000) });
    let template = room_of_100.template(alice, "m.room.message", None, &large);
    measure("build a message of 60 kB", 1000, || {
        build(template.clone(), &room_of_100.rules, &room_of_100.key)
    });

    for members in [100, 10_000] {
        let mut room = room(members, 3);
        let common = room.state.clone();
        room.send(alice, "m.room.topic", Some(""), &json!({ "topic": "one" }));
        room.send(
            alice,
            "m.room.member",
            Some("@user7:example.org"),
            &json!({ "membership": "ban" }),
        );
        let one = std::mem::replace(&mut room.state, common);
        room.send(
            "@user7:example.org",
            "m.room.member",
            Some("@user7:example.org"),
            &json!({ "membership": "join", "displayname": "7" }),
        );
        room.send(
            "@user8:example.org",
            "m.room.member",
            Some("@user8:example.org"),
            &json!({ "membership": "leave" }),
        );
        let forks = [one, room.state.clone()];
        measure(
            &format!("resolve two forks of {members} members"),
            50,
            || resolve(&room.rules, &forks, |id| room.events.get(id).cloned()),
        );
    }
}
