//! Users of another server come into a room here, over the API; and what that server may then ask.

use axum::http::Method;
use orvale_events::{Foreign, ServerKey, canonical};
use orvale_rooms::{Draft, NewRoom, Preset};
use orvale_storage::{Entry, Position, trees::system::LOG};
use orvale_users::NewAccount;
use ruma::{
    OwnedEventId, OwnedRoomId, OwnedUserId, RoomVersionId, UserId, events::TimelineEventType,
};
use serde_json::{Value, json};

use crate::testing::Server;

const THEM: &str = "them.example";

fn put(path: &str, room: &OwnedRoomId, event: &OwnedEventId) -> String {
    format!("/_matrix/federation/{path}/{room}/{event}")
}

/// An event as another server signs it, with its ID.
fn signed(key: &ServerKey, event: &Value, version: &RoomVersionId) -> (OwnedEventId, Value) {
    let rules = version.rules().unwrap();
    let text = event.to_string();
    let mut object = canonical::parse_object(text.as_bytes(), canonical::Reading::PDU).unwrap();
    ruma::signatures::hash_and_sign_event(
        key.server_name().as_str(),
        key,
        &mut object,
        &rules.redaction,
    )
    .unwrap();
    let json = canonical::to_vec(&object);
    let id = Foreign::read(&json, &rules).unwrap().event_id().to_owned();
    (id, serde_json::from_slice(&json).unwrap())
}

struct Story {
    server: Server,
    them: ServerKey,
    alice: OwnedUserId,
    bob: OwnedUserId,
    room: OwnedRoomId,
    version: RoomVersionId,
}

impl Story {
    async fn start(version: RoomVersionId) -> Self {
        let server = Server::start().await;
        let them = server.knows(THEM).await;
        let new = NewAccount {
            localpart: Some("alice"),
            ..NewAccount::default()
        };
        server.state.users.create_account(new).await.unwrap();
        let alice = UserId::parse("@alice:example.org").unwrap();
        let new = NewRoom {
            version: Some(version.clone()),
            preset: Preset::Public,
            ..NewRoom::default()
        };
        let room = server.state.rooms.create(&alice, new).await.unwrap();
        Self {
            server,
            them,
            alice,
            bob: UserId::parse("@bob:them.example").unwrap(),
            room: room.id.clone(),
            version,
        }
    }

    async fn says(&self, body: &str) -> OwnedEventId {
        let room = self.server.state.rooms.get(&self.room).unwrap();
        let content = serde_json::value::to_raw_value(&json!({"msgtype": "m.text", "body": body}));
        let draft = Draft::message(
            &self.alice,
            TimelineEventType::RoomMessage,
            content.unwrap(),
        );
        let said = self.server.state.rooms.append_one(&room, draft).await;
        said.unwrap().event_id
    }

    async fn template(&self, what: &str) -> Value {
        let (room, bob, version) = (&self.room, &self.bob, &self.version);
        let path = format!("/_matrix/federation/v1/{what}/{room}/{bob}?ver={version}");
        let made = self.server.ask(&self.them, Method::GET, &path, None).await;
        let made = made.ok();
        assert_eq!(made["room_version"], version.as_str());
        made["event"].clone()
    }

    async fn join(&self) -> (OwnedEventId, Value) {
        let (id, join) = signed(&self.them, &self.template("make_join").await, &self.version);
        let path = put("v2/send_join", &self.room, &id);
        let given = self
            .server
            .ask(&self.them, Method::PUT, &path, Some(join))
            .await;
        (id, given.ok())
    }
}

#[tokio::test]
async fn a_user_of_another_server_joins_talks_and_leaves() {
    for version in [RoomVersionId::V6, RoomVersionId::V10, RoomVersionId::V12] {
        let story = Story::start(version.clone()).await;
        let (join, given) = story.join().await;
        let kinds: Vec<_> = given["state"].as_array().unwrap().iter().collect();
        let kinds: Vec<_> = kinds.iter().map(|event| &event["type"]).collect();
        assert!(kinds.contains(&&json!("m.room.create")), "{kinds:?}");
        assert_eq!(given["event"]["state_key"], story.bob.as_str());
        let rooms = &story.server.state.rooms;
        let room = rooms.get(&story.room).unwrap();
        assert_eq!(rooms.count_joined(room.number).unwrap(), 2);

        let state = given["state"].as_array().unwrap();
        let of = |kind: &str, key: &str| {
            let event = state
                .iter()
                .find(|event| event["type"] == kind && event["state_key"] == key)
                .unwrap();
            let rules = version.rules().unwrap();
            let read = Foreign::read(event.to_string().as_bytes(), &rules).unwrap();
            read.event_id().to_owned()
        };
        let mut auth = vec![join.clone(), of("m.room.power_levels", "")];
        if version != RoomVersionId::V12 {
            auth.push(of("m.room.create", ""));
        }
        let hello = json!({
            "type": "m.room.message", "room_id": story.room, "sender": story.bob, "content": {"body": "hello"},
            "auth_events": auth, "prev_events": [join], "depth": 9, "origin_server_ts": rooms.now(),
        });
        let (id, hello) = signed(&story.them, &hello, &version);
        let pdu = serde_json::value::to_raw_value(&hello).unwrap();
        let received = rooms.receive(story.them.server_name(), vec![pdu]).await;
        assert_eq!(received.unwrap()[&id], Ok(()));
        assert!(rooms.find_event(&id).unwrap().unwrap().is_shown());

        let (left, event) = signed(&story.them, &story.template("make_leave").await, &version);
        let path = put("v2/send_leave", &story.room, &left);
        let answer = story
            .server
            .ask(&story.them, Method::PUT, &path, Some(event));
        answer.await.ok();
        assert_eq!(rooms.count_joined(room.number).unwrap(), 1);
        assert_eq!(rooms.check().unwrap().faults, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_join_that_is_sent_twice_is_told_to_the_others_once() {
    let story = Story::start(RoomVersionId::V11).await;
    let template = story.template("make_join").await;
    let (id, event) = signed(&story.them, &template, &story.version);
    let path = put("v2/send_join", &story.room, &id);
    for _ in 0..2 {
        let event = Some(event.clone());
        let answer = story.server.ask(&story.them, Method::PUT, &path, event);
        answer.await.ok();
    }
    let store = story.server.state.rooms.store();
    let (from, to) = ((Position::START,), (Position::END,));
    let log = store.range(&LOG, from, to, false, usize::MAX).unwrap();
    let told = log
        .iter()
        .filter(|(_, entry)| matches!(entry, Entry::Forward { .. }));
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn nothing_but_the_senders_own_membership_is_taken() {
    let story = Story::start(RoomVersionId::V10).await;
    let (room, them) = (&story.room, &story.them);
    let other = format!("/_matrix/federation/v1/make_join/{room}/@mallory:evil.example?ver=10");
    let answer = story.server.ask(them, Method::GET, &other, None).await;
    answer.refused(403, "M_FORBIDDEN");
    let old = format!(
        "/_matrix/federation/v1/make_join/{room}/{}?ver=1",
        story.bob
    );
    let answer = story.server.ask(them, Method::GET, &old, None).await;
    answer.refused(400, "M_INCOMPATIBLE_ROOM_VERSION");

    let template = story.template("make_join").await;
    let changes = [
        ("/type", json!("m.room.topic")),
        ("/content/membership", json!("invite")),
        ("/state_key", json!(story.alice)),
        ("/sender", json!(story.alice)),
        ("/room_id", json!("!other:example.org")),
    ];
    for (field, value) in changes {
        let mut event = template.clone();
        *event.pointer_mut(field).unwrap() = value;
        let (id, event) = signed(them, &event, &story.version);
        let path = put("v2/send_join", room, &id);
        let answer = story
            .server
            .ask(them, Method::PUT, &path, Some(event))
            .await;
        assert!(
            answer.status.is_client_error(),
            "{field}: {}",
            answer.status
        );
    }
    // Signed by somebody else.
    let (id, mut event) = signed(them, &template, &story.version);
    event["signatures"] = json!({"them.example": {them.key_id(): "A".repeat(86)}});
    let path = put("v2/send_join", room, &id);
    let answer = story
        .server
        .ask(them, Method::PUT, &path, Some(event))
        .await;
    answer.refused(400, "M_INVALID_SIGNATURE");
    let rooms = &story.server.state.rooms;
    let room = rooms.get(room).unwrap();
    assert_eq!(rooms.count_joined(room.number).unwrap(), 1);
}

#[tokio::test]
async fn a_server_reads_rooms_it_is_in_and_no_others() {
    let story = Story::start(RoomVersionId::V12).await;
    let mut said = Vec::new();
    for n in 0..5 {
        said.push(story.says(&n.to_string()).await);
    }
    let evil = story.server.knows("evil.example").await;
    let (join, _) = story.join().await;
    let room = &story.room;
    let (first, last) = (&said[0], &said[4]);
    let asked = [
        format!("/_matrix/federation/v1/state/{room}?event_id={join}"),
        format!("/_matrix/federation/v1/state_ids/{room}?event_id={join}"),
        format!("/_matrix/federation/v1/event/{last}"),
        format!("/_matrix/federation/v1/event_auth/{room}/{join}"),
        format!("/_matrix/federation/v1/backfill/{room}?v={join}&limit=4"),
    ];
    for path in &asked {
        let answer = story.server.ask(&evil, Method::GET, path, None).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        story
            .server
            .ask(&story.them, Method::GET, path, None)
            .await
            .ok();
    }
    let backfill = story
        .server
        .ask(&story.them, Method::GET, &asked[4], None)
        .await
        .ok();
    assert_eq!(backfill["pdus"].as_array().unwrap().len(), 4);
    let between = json!({"earliest_events": [first], "latest_events": [join], "limit": 10});
    let path = format!("/_matrix/federation/v1/get_missing_events/{room}");
    let answer = story
        .server
        .ask(&story.them, Method::POST, &path, Some(between.clone()))
        .await
        .ok();
    let bodies: Vec<_> = answer["events"].as_array().unwrap().iter().collect();
    let bodies: Vec<_> = bodies
        .iter()
        .map(|event| &event["content"]["body"])
        .collect();
    assert_eq!(bodies, [&json!("1"), &json!("2"), &json!("3"), &json!("4")]);
    let answer = story
        .server
        .ask(&evil, Method::POST, &path, Some(between))
        .await;
    answer.refused(403, "M_FORBIDDEN");

    // An event of a room they are not in, asked for with the room that they are in.
    let new = NewRoom::default();
    let secret = story
        .server
        .state
        .rooms
        .create(&story.alice, new)
        .await
        .unwrap();
    let create = story
        .server
        .state
        .rooms
        .find_state(&secret, &"m.room.create".into(), "")
        .unwrap()
        .unwrap();
    let id = create.event_id();
    for path in [
        format!("/_matrix/federation/v1/event/{id}"),
        format!("/_matrix/federation/v1/state/{room}?event_id={id}"),
        format!("/_matrix/federation/v1/event_auth/{room}/{id}"),
    ] {
        let answer = story
            .server
            .ask(&story.them, Method::GET, &path, None)
            .await;
        answer.refused(404, "M_NOT_FOUND");
    }
}

/// The members among the state of an answer, and whether more are said to be left out.
fn members(given: &Value) -> (Vec<&str>, bool) {
    let state = given["state"].as_array().unwrap().iter();
    let mut members: Vec<_> = state
        .filter(|event| event["type"] == "m.room.member")
        .map(|event| event["state_key"].as_str().unwrap())
        .collect();
    members.sort_unstable();
    (members, given["members_omitted"] == true)
}

#[tokio::test]
async fn who_can_do_without_members_is_given_those_who_name_the_room_and_let_it_join() {
    for version in [RoomVersionId::V10, RoomVersionId::V12] {
        let story = Story::start(version.clone()).await;
        let rooms = &story.server.state.rooms;
        let room = rooms.get(&story.room).unwrap();
        let set = async |kind: &str, key: &str, content: Value| {
            let content = serde_json::value::to_raw_value(&content).unwrap();
            let sender = match kind {
                "m.room.member" if content.get().contains("join") => UserId::parse(key).unwrap(),
                _ => story.alice.clone(),
            };
            let draft = Draft::state(&sender, kind.into(), key, content);
            rooms.append_one(&room, draft).await.unwrap().event_id
        };
        let join = json!({ "membership": "join" });
        let mut friends = Vec::new();
        for n in 0..25 {
            friends.push(format!("@u{n:02}:example.org"));
            set("m.room.member", &friends[n], join.clone()).await;
        }
        let send = async |template: Value| {
            let (id, join) = signed(&story.them, &template, &version);
            let path = put("v2/send_join", &story.room, &id) + "?omit_members=true";
            let answer = story
                .server
                .ask(&story.them, Method::PUT, &path, Some(join));
            answer.await.ok()
        };
        let given = send(story.template("make_join").await).await;
        let (found, omitted) = members(&given);
        let mut heroes = vec![story.alice.as_str()];
        heroes.extend(friends[..4].iter().map(String::as_str));
        assert_eq!((found, omitted), (heroes, true));
        // Before the join, nobody else was there.
        assert_eq!(given["servers_in_room"], json!(["example.org"]));
        let rules = version.rules().unwrap();
        let all = [&given["state"], &given["auth_chain"]];
        let all = all.into_iter().flat_map(|list| list.as_array().unwrap());
        let read = |event: &Value| Foreign::read(event.to_string().as_bytes(), &rules).unwrap();
        let known: Vec<_> = all.map(|event| read(event).event_id().to_owned()).collect();
        let mut once = known.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), known.len(), "nothing is told twice");

        // A room with a name needs nobody to be called by; who was asked in needs the invite, and who asked.
        set("m.room.name", "", json!({ "name": "Named" })).await;
        set("m.room.join_rules", "", json!({ "join_rule": "invite" })).await;
        let carol = "@carol:them.example";
        set("m.room.member", carol, json!({ "membership": "invite" })).await;
        let room_id = &story.room;
        let path = format!("/_matrix/federation/v1/make_join/{room_id}/{carol}?ver={version}");
        let made = story.server.ask(&story.them, Method::GET, &path, None);
        let template = made.await.ok()["event"].clone();
        let given = send(template.clone()).await;
        assert_eq!(members(&given), (vec![carol], true));
        let chain = given["auth_chain"].as_array().unwrap();
        let of_alice = |event: &&Value| event["state_key"] == story.alice.as_str();
        assert!(chain.iter().any(|event| of_alice(&event)), "{chain:?}");
        let servers = given["servers_in_room"].as_array().unwrap();
        assert_eq!(servers.len(), 2);
    }
}

#[tokio::test]
async fn a_small_room_is_told_whole() {
    let story = Story::start(RoomVersionId::V11).await;
    let (id, join) = signed(
        &story.them,
        &story.template("make_join").await,
        &story.version,
    );
    let path = put("v2/send_join", &story.room, &id) + "?omit_members=true";
    let given = story
        .server
        .ask(&story.them, Method::PUT, &path, Some(join));
    let given = given.await.ok();
    assert_eq!(members(&given), (vec![story.alice.as_str()], false));
}

#[tokio::test]
async fn the_first_versions_of_endpoints_are_served() {
    let story = Story::start(RoomVersionId::V10).await;
    let (server, them) = (&story.server, &story.them);
    let (id, join) = signed(them, &story.template("make_join").await, &story.version);
    let path = put("v1/send_join", &story.room, &id);
    let given = server.ask(them, Method::PUT, &path, Some(join)).await.ok();
    assert_eq!(given[0], 200);
    let state = given[1]["state"].as_array().unwrap();
    assert!(state.iter().any(|event| event["type"] == "m.room.create"));
    let (id, leave) = signed(them, &story.template("make_leave").await, &story.version);
    let path = put("v1/send_leave", &story.room, &id);
    let given = server.ask(them, Method::PUT, &path, Some(leave)).await.ok();
    assert_eq!(given, json!([200, {}]));
    let room = server.state.rooms.get(&story.room).unwrap();
    assert_eq!(server.state.rooms.count_joined(room.number).unwrap(), 1);

    let invite = json!({
        "type": "m.room.member", "room_id": "!old:them.example", "sender": "@bob:them.example", "state_key": story.alice,
        "content": {"membership": "invite"}, "origin": "them.example", "origin_server_ts": 1,
    });
    let path = "/_matrix/federation/v1/invite/!old:them.example/$old:them.example";
    let answer = server.ask(them, Method::PUT, path, Some(invite.clone()));
    let answer = answer.await;
    answer.refused(400, "M_INCOMPATIBLE_ROOM_VERSION");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["room_version"], "1");
    let second = json!({ "event": invite, "room_version": "5", "invite_room_state": [] });
    let path = "/_matrix/federation/v2/invite/!old:them.example/$old";
    let answer = server.ask(them, Method::PUT, path, Some(second)).await;
    answer.refused(400, "M_INCOMPATIBLE_ROOM_VERSION");

    // No address leads to a user of this server.
    let bound = json!({ "medium": "email", "address": "a@example.org", "mxid": story.alice, "invites": [] });
    let path = "/_matrix/federation/v1/3pid/onbind";
    let answer = server.ask(them, Method::PUT, path, Some(bound)).await;
    answer.refused(400, "M_THREEPID_MEDIUM_NOT_SUPPORTED");
    let exchange = json!({
        "type": "m.room.member", "room_id": story.room, "sender": "@bob:them.example", "state_key": "@joe:else.example",
        "content": {"membership": "invite", "third_party_invite": {
            "display_name": "j", "signed": {"mxid": "@joe:else.example", "token": "t", "signatures": {"m.example": {"ed25519:0": "x"}}}
        }},
    });
    let path = format!(
        "/_matrix/federation/v1/exchange_third_party_invite/{}",
        story.room
    );
    let answer = server.ask(them, Method::PUT, &path, Some(exchange)).await;
    answer.refused(400, "M_THREEPID_MEDIUM_NOT_SUPPORTED");
}

#[tokio::test]
async fn who_knocks_is_shown_the_room_from_outside() {
    let story = Story::start(RoomVersionId::V10).await;
    let rooms = &story.server.state.rooms;
    let room = rooms.get(&story.room).unwrap();
    let rule = serde_json::value::to_raw_value(&json!({ "join_rule": "knock" })).unwrap();
    let rule = Draft::state(&story.alice, "m.room.join_rules".into(), "", rule);
    rooms.append_one(&room, rule).await.unwrap();
    let template = story.template("make_knock").await;
    let (id, knock) = signed(&story.them, &template, &story.version);
    let path = put("v1/send_knock", &story.room, &id);
    let answer = story
        .server
        .ask(&story.them, Method::PUT, &path, Some(knock));
    let shown = answer.await.ok();
    let shown = shown["knock_room_state"].as_array().unwrap().clone();
    assert!(shown.iter().any(|event| event["type"] == "m.room.create"));
    let stands = rooms.find_membership(&room, &story.bob).unwrap().unwrap();
    assert_eq!(stands.membership, orvale_rooms::Membership::Knock);
}

#[tokio::test]
async fn what_a_server_may_not_see_is_not_told_by_its_time_either() {
    let story = Story::start(RoomVersionId::V12).await;
    let rooms = &story.server.state.rooms;
    let room = rooms.get(&story.room).unwrap();
    let joined = json!({ "history_visibility": "joined" });
    let joined = serde_json::value::to_raw_value(&joined).unwrap();
    let joined = Draft::state(&story.alice, "m.room.history_visibility".into(), "", joined);
    rooms.append_one(&room, joined).await.unwrap();
    let secret = story.says("before they came").await;
    let at = rooms
        .find_event(&secret)
        .unwrap()
        .unwrap()
        .pdu
        .origin_server_ts;
    let (room, evil) = (&story.room, story.server.knows("evil.example").await);
    let path = |at: ruma::MilliSecondsSinceUnixEpoch, dir: &str| {
        format!(
            "/_matrix/federation/v1/timestamp_to_event/{room}?ts={}&dir={dir}",
            at.get()
        )
    };
    let ask = async |key: &ServerKey, at, dir: &str| {
        story
            .server
            .ask(key, Method::GET, &path(at, dir), None)
            .await
    };
    ask(&evil, at, "f").await.refused(403, "M_FORBIDDEN");
    let (join, _) = story.join().await;
    let seen = story.says("while they are there").await;
    // State is told to whoever is in the room; what was said before is not.
    let found = ask(&story.them, at, "f").await.ok();
    assert_ne!(found["event_id"], secret.as_str());
    let found = ask(&story.them, at, "b").await.ok();
    assert_ne!(found["event_id"], secret.as_str());
    let later = rooms
        .find_event(&seen)
        .unwrap()
        .unwrap()
        .pdu
        .origin_server_ts;
    let found = ask(&story.them, later, "b").await.ok();
    assert!([seen.as_str(), join.as_str()].contains(&found["event_id"].as_str().unwrap()));
    let whole = format!("/_matrix/federation/v1/event/{secret}");
    let answer = story.server.ask(&story.them, Method::GET, &whole, None);
    answer.await.refused(404, "M_NOT_FOUND");
    // Of what they cannot see they learn what follows what, not what it says.
    let path = format!("/_matrix/federation/v1/backfill/{room}?v={join}&limit=10");
    let given = story
        .server
        .ask(&story.them, Method::GET, &path, None)
        .await;
    assert!(!given.ok().to_string().contains("before they came"));

    // The access list keeps a server out of all of it, though its users are in the room.
    let room = rooms.get(room).unwrap();
    let acl = json!({ "allow": ["*"], "deny": ["them.example"] });
    let acl = serde_json::value::to_raw_value(&acl).unwrap();
    let acl = Draft::state(&story.alice, "m.room.server_acl".into(), "", acl);
    rooms.append_one(&room, acl).await.unwrap();
    let room = &story.room;
    for path in [
        format!("/_matrix/federation/v1/state/{room}?event_id={join}"),
        format!("/_matrix/federation/v1/state_ids/{room}?event_id={join}"),
        format!("/_matrix/federation/v1/event_auth/{room}/{join}"),
        format!("/_matrix/federation/v1/event/{seen}"),
        format!("/_matrix/federation/v1/backfill/{room}?v={join}&limit=4"),
        format!("/_matrix/federation/v1/timestamp_to_event/{room}?ts=1&dir=f"),
        format!("/_matrix/federation/v1/make_join/{room}/@zoe:them.example?ver=12"),
        format!("/_matrix/federation/v1/make_leave/{room}/{}", story.bob),
        format!("/_matrix/federation/v1/hierarchy/{room}"),
    ] {
        let answer = story.server.ask(&story.them, Method::GET, &path, None);
        let status = answer.await.status;
        assert!([403, 404].contains(&status.as_u16()), "{path}: {status}");
    }
    let between = json!({"earliest_events": [secret], "latest_events": [seen], "limit": 10});
    let path = format!("/_matrix/federation/v1/get_missing_events/{room}");
    let answer = story
        .server
        .ask(&story.them, Method::POST, &path, Some(between));
    answer.await.refused(403, "M_FORBIDDEN");
}
