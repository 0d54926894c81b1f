//! The auth rules by room version, told as rooms.

use ruma::RoomVersionId;
use serde_json::{Value, json};

use crate::{SUPPORTED_ROOM_VERSIONS, testing::TestRoom};

/// Room versions from `first` to `last`.
fn versions(first: u8, last: u8) -> Vec<RoomVersionId> {
    let number = |version: &RoomVersionId| version.as_str().parse::<u8>().unwrap();
    let mut versions = SUPPORTED_ROOM_VERSIONS.to_vec();
    versions.retain(|version| (first..=last).contains(&number(version)));
    versions
}

fn levels(room: &mut TestRoom, sender: &str, content: Value) -> Result<(), String> {
    room.send("levels", sender, "m.room.power_levels", Some(""), content)
        .map(|_| ())
}

fn create(version: &RoomVersionId, content: Value) -> Result<TestRoom, String> {
    let mut room = TestRoom::new(version);
    room.send("create", "alice", "m.room.create", Some(""), content)?;
    room.must(
        "alice joins",
        "alice",
        "m.room.member",
        Some("@alice:x"),
        json!({ "membership": "join" }),
    );
    Ok(room)
}

#[test]
fn banned_user_cannot_rejoin_and_lifting_the_ban_lets_them() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "public", &[("mod", 50)]);
        room.member("eve", "eve", "join").unwrap();
        room.member("mod", "mod", "join").unwrap();
        room.member("eve", "mod", "ban").unwrap_err();
        room.member("mod", "alice", "ban").unwrap_err();
        room.member("mod", "eve", "ban").unwrap();
        room.member("eve", "eve", "join").unwrap_err();
        room.member("eve", "eve", "leave").unwrap_err();
        room.member("alice", "eve", "invite").unwrap_err();
        room.member("mod", "eve", "leave").unwrap();
        room.member("eve", "eve", "join").unwrap();
    }
}

#[test]
fn only_the_invited_join_a_room_by_invitation() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "invite", &[]);
        room.member("bob", "bob", "join").unwrap_err();
        room.member("bob", "bob", "invite").unwrap_err();
        room.member("alice", "bob", "join").unwrap_err();
        room.member("alice", "bob", "invite").unwrap();
        room.member("bob", "bob", "join").unwrap();
        room.member("bob", "bob", "leave").unwrap();
        room.member("bob", "bob", "join").unwrap_err();
    }
}

#[test]
fn strangers_may_do_nothing_but_join() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "public", &[("eve", 100)]);
        for (kind, state_key) in [
            ("m.room.message", None),
            ("m.room.topic", Some("")),
            ("m.room.power_levels", Some("")),
        ] {
            let forbidden = room
                .send("intrusion", "eve", kind, state_key, json!({}))
                .unwrap_err();
            assert!(
                forbidden.contains("membership is not `join`"),
                "{forbidden}"
            );
        }
        room.member("eve", "eve", "leave").unwrap_err();
    }
}

#[test]
fn state_keys_with_a_user_id_belong_to_that_user() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "public", &[]);
        room.must(
            "own",
            "alice",
            "org.example.seat",
            Some("@alice:x"),
            json!({}),
        );
        room.send(
            "other",
            "alice",
            "org.example.seat",
            Some("@bob:x"),
            json!({}),
        )
        .unwrap_err();
        room.send(
            "other",
            "alice",
            "org.example.seat",
            Some("@alice:x:1"),
            json!({}),
        )
        .unwrap_err();
    }
}

#[test]
fn unfederated_room_refuses_other_servers() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = create(&version, json!({ "m.federate": false })).unwrap();
        room.must(
            "join rule",
            "alice",
            "m.room.join_rules",
            Some(""),
            json!({ "join_rule": "public" }),
        );
        room.member("bob", "bob", "join").unwrap();
        room.member("@eve:elsewhere", "@eve:elsewhere", "join")
            .unwrap_err();
    }
}

#[test]
fn knocking_came_with_version_7() {
    for version in versions(6, 6) {
        let mut room = TestRoom::created(&version, "knock", &[]);
        room.member("bob", "bob", "knock").unwrap_err();
    }
    for version in versions(7, 12) {
        let mut room = TestRoom::created(&version, "knock", &[]);
        room.member("alice", "bob", "knock").unwrap_err();
        room.member("bob", "bob", "knock").unwrap();
        room.member("bob", "bob", "join").unwrap_err();
        room.member("alice", "bob", "invite").unwrap();
        room.member("bob", "bob", "knock").unwrap_err();
        room.member("bob", "bob", "join").unwrap();
        room.member("alice", "eve", "ban").unwrap();
        room.member("eve", "eve", "knock").unwrap_err();
        let mut closed = TestRoom::created(&version, "invite", &[]);
        closed.member("bob", "bob", "knock").unwrap_err();
    }
}

#[test]
fn restricted_joins_came_with_version_8() {
    let join = |room: &mut TestRoom, via: Option<&str>| {
        let mut content = json!({ "membership": "join" });
        if let Some(via) = via {
            content["join_authorised_via_users_server"] = via.into();
        }
        room.send("join", "eve", "m.room.member", Some("@eve:x"), content)
            .map(|_| ())
    };
    for version in versions(6, 7) {
        let mut room = TestRoom::created(&version, "restricted", &[]);
        join(&mut room, Some("@alice:x")).unwrap_err();
    }
    for version in versions(8, 12) {
        let mut room = TestRoom::created(&version, "restricted", &[]);
        room.member("alice", "bob", "invite").unwrap();
        room.member("bob", "bob", "join").unwrap();
        levels(
            &mut room,
            "alice",
            json!({ "users": { "@alice:x": 100 }, "invite": 50 }),
        )
        .unwrap();
        join(&mut room, None).unwrap_err();
        join(&mut room, Some("@bob:x")).unwrap_err();
        join(&mut room, Some("@nobody:x")).unwrap_err();
        join(&mut room, Some("@alice:x")).unwrap();
        // Who is in changes their profile without anybody's help.
        join(&mut room, None).unwrap();
    }
}

#[test]
fn knock_restricted_came_with_version_10() {
    for version in versions(6, 9) {
        let mut room = TestRoom::created(&version, "knock_restricted", &[]);
        room.member("bob", "bob", "knock").unwrap_err();
    }
    for version in versions(10, 12) {
        let mut room = TestRoom::created(&version, "knock_restricted", &[]);
        room.member("bob", "bob", "knock").unwrap();
        let via = json!({ "membership": "join", "join_authorised_via_users_server": "@alice:x" });
        room.must("join", "eve", "m.room.member", Some("@eve:x"), via);
    }
}

#[test]
fn power_levels_are_integers_since_version_10() {
    let strings = [
        json!({ "ban": "50" }),
        json!({ "users": { "@bob:x": "50" } }),
        json!({ "events": { "a": "7" } }),
    ];
    for content in strings {
        for version in versions(6, 9) {
            let mut room = create(&version, json!({})).unwrap();
            levels(&mut room, "alice", content.clone()).unwrap();
        }
        for version in versions(10, 12) {
            let mut room = create(&version, json!({})).unwrap();
            levels(&mut room, "alice", content.clone()).unwrap_err();
        }
    }
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = create(&version, json!({})).unwrap();
        levels(&mut room, "alice", json!({ "users": { "bob": 50 } })).unwrap_err();
        levels(&mut room, "alice", json!({ "users": [] })).unwrap_err();
        levels(&mut room, "alice", json!({ "ban": {} })).unwrap_err();
    }
}

#[test]
fn nobody_gives_or_takes_more_power_than_they_have() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "public", &[("mod", 50), ("other", 50)]);
        for name in ["mod", "other"] {
            room.member(name, name, "join").unwrap();
        }
        levels(&mut room, "alice", json!({ "users": { "@alice:x": 100, "@mod:x": 50, "@other:x": 50 }, "events": { "m.room.power_levels": 50 } }))
            .unwrap();
        let with = |users: Value, more: Value| {
            let mut content = json!({ "users": { "@alice:x": 100, "@mod:x": 50, "@other:x": 50 }, "events": { "m.room.power_levels": 50 } });
            for (part, changes) in [("users", users), ("", more)] {
                let place = if part.is_empty() {
                    &mut content
                } else {
                    &mut content[part]
                };
                place
                    .as_object_mut()
                    .unwrap()
                    .extend(changes.as_object().unwrap().clone());
            }
            content
        };
        for forbidden in [
            with(json!({ "@mod:x": 51 }), json!({})),
            with(json!({ "@new:x": 51 }), json!({})),
            with(json!({ "@other:x": 0 }), json!({})),
            with(json!({}), json!({ "ban": 51 })),
            with(json!({}), json!({ "users_default": 51 })),
            with(
                json!({}),
                json!({ "events": { "m.room.power_levels": 51 } }),
            ),
            with(json!({}), json!({ "notifications": { "room": 51 } })),
        ] {
            levels(&mut room, "mod", forbidden).unwrap_err();
        }
        levels(
            &mut room,
            "mod",
            with(
                json!({ "@new:x": 50 }),
                json!({ "notifications": { "room": 20 } }),
            ),
        )
        .unwrap();
        levels(
            &mut room,
            "mod",
            with(
                json!({ "@new:x": 50, "@mod:x": 0 }),
                json!({ "notifications": { "room": 20 } }),
            ),
        )
        .unwrap();
        levels(&mut room, "mod", with(json!({}), json!({}))).unwrap_err();
    }
}

#[test]
fn creators_stand_above_all_power_levels_since_version_12() {
    for version in versions(6, 11) {
        let mut room = TestRoom::created(&version, "public", &[]);
        levels(&mut room, "alice", json!({ "users": { "@alice:x": 0 } })).unwrap();
        levels(&mut room, "alice", json!({ "users": { "@alice:x": 100 } })).unwrap_err();
    }
    let version = RoomVersionId::V12;
    let mut room = TestRoom::created(&version, "public", &[("bob", 100)]);
    room.member("bob", "bob", "join").unwrap();
    levels(
        &mut room,
        "bob",
        json!({ "users": { "@bob:x": 100 }, "ban": 100, "kick": 100 }),
    )
    .unwrap();
    room.member("bob", "alice", "leave").unwrap_err();
    room.member("bob", "alice", "ban").unwrap_err();
    levels(&mut room, "bob", json!({ "users": { "@bob:x": 9000 } })).unwrap_err();
    levels(&mut room, "alice", json!({ "users": { "@bob:x": 9000 } })).unwrap();
    room.member("alice", "bob", "ban").unwrap();
    assert!(crate::is_creator(
        &room.events[&room.id("create")],
        ruma::user_id!("@alice:x"),
        &room.rules.authorization
    ));
}

#[test]
fn additional_creators_are_creators_and_cannot_be_named_in_power_levels() {
    let version = RoomVersionId::V12;
    let mut room = create(&version, json!({ "additional_creators": ["@bob:x"] })).unwrap();
    room.must(
        "join rule",
        "alice",
        "m.room.join_rules",
        Some(""),
        json!({ "join_rule": "public" }),
    );
    room.member("bob", "bob", "join").unwrap();
    levels(&mut room, "alice", json!({ "users": { "@bob:x": 100 } })).unwrap_err();
    levels(&mut room, "alice", json!({ "users": { "@carol:x": 100 } })).unwrap();
    room.member("carol", "carol", "join").unwrap();
    room.member("carol", "bob", "ban").unwrap_err();
    room.member("alice", "bob", "leave").unwrap_err();
    room.member("bob", "carol", "ban").unwrap();
    let create = &room.events[&room.id("create")];
    let creators = crate::creators(create, &room.rules.authorization).unwrap();
    assert_eq!(creators.len(), 2);
    assert!(!crate::is_creator(
        create,
        ruma::user_id!("@carol:x"),
        &room.rules.authorization
    ));
}

#[test]
fn additional_creators_must_be_user_ids_in_version_12() {
    for wrong in [
        json!(["bob"]),
        json!("@bob:x"),
        json!([7]),
        json!({ "@bob:x": 1 }),
    ] {
        assert!(create(&RoomVersionId::V12, json!({ "additional_creators": wrong })).is_err());
        assert!(create(&RoomVersionId::V11, json!({ "additional_creators": wrong })).is_ok());
    }
}

#[test]
fn room_of_version_12_is_named_by_its_create_event() {
    let room = create(&RoomVersionId::V12, json!({})).unwrap();
    let first = &room.events[&room.id("create")];
    assert_eq!(
        first.room_id.as_str().strip_prefix('!'),
        first.event_id.as_str().strip_prefix('$')
    );
    let joined = &room.events[&room.id("alice joins")];
    assert_eq!(joined.room_id, first.room_id);
    assert!(
        joined.auth_events.is_empty(),
        "the room ID stands for the create event"
    );
    let older = create(&RoomVersionId::V11, json!({})).unwrap();
    assert_eq!(
        older.events[&older.id("alice joins")].auth_events,
        [older.id("create")]
    );
}

#[test]
fn redactions_are_allowed_like_any_event_in_all_versions_we_know() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "public", &[]);
        room.member("bob", "bob", "join").unwrap();
        // Whether it takes effect is another matter: the redact level is not part of the auth rules.
        room.must(
            "redaction",
            "bob",
            "m.room.redaction",
            None,
            json!({ "redacts": "$x" }),
        );
        levels(
            &mut room,
            "alice",
            json!({ "users": { "@alice:x": 100 }, "events": { "m.room.redaction": 50 } }),
        )
        .unwrap();
        room.send(
            "redaction",
            "bob",
            "m.room.redaction",
            None,
            json!({ "redacts": "$x" }),
        )
        .unwrap_err();
    }
}

#[test]
fn auth_events_must_be_those_the_event_needs() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "public", &[]);
        room.must(
            "topic",
            "alice",
            "m.room.topic",
            Some(""),
            json!({ "topic": "one" }),
        );
        let state = room.state(&room.extremities());
        let good = room.events[&room.id("topic")].clone();
        let with = |auth_events: Vec<_>| crate::Pdu {
            auth_events,
            ..(*good).clone()
        };
        let allowed = good.auth_events.clone();
        room.check(&with(allowed.clone()), &state).unwrap();
        let unneeded = [&allowed[..], &[room.id("join rule")]].concat();
        assert!(
            room.check(&with(unneeded), &state)
                .unwrap_err()
                .contains("nexpected")
        );
        let twice = [&allowed[..], &allowed[..1]].concat();
        assert!(
            room.check(&with(twice), &state)
                .unwrap_err()
                .contains("uplicate")
        );
        let unknown = [&allowed[..], &["$unknown".try_into().unwrap()]].concat();
        assert!(
            room.check(&with(unknown), &state)
                .unwrap_err()
                .contains("find auth event")
        );
        let rejected = std::sync::Arc::new(crate::Pdu {
            rejected: true,
            ..(*room.events[&room.id("power")]).clone()
        });
        room.events.insert(rejected.event_id.clone(), rejected);
        assert!(
            room.check(&with(allowed), &state)
                .unwrap_err()
                .contains("ejected")
        );
    }
}

#[test]
fn third_party_invite_needs_the_power_to_invite() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut room = TestRoom::created(&version, "public", &[]);
        room.member("bob", "bob", "join").unwrap();
        let content =
            json!({ "display_name": "C", "key_validity_url": "https://x", "public_key": "a" });
        room.must(
            "3pid",
            "bob",
            "m.room.third_party_invite",
            Some("token"),
            content.clone(),
        );
        levels(
            &mut room,
            "alice",
            json!({ "users": { "@alice:x": 100 }, "invite": 50 }),
        )
        .unwrap();
        room.send(
            "3pid 2",
            "bob",
            "m.room.third_party_invite",
            Some("other"),
            content,
        )
        .unwrap_err();
        let unsigned =
            json!({ "membership": "invite", "third_party_invite": { "display_name": "C" } });
        room.send("invite", "bob", "m.room.member", Some("@carol:x"), unsigned)
            .unwrap_err();
    }
}
