use ruma::{RoomVersionId, serde::Base64, server_name};
use serde_json::{Value, json};

use super::*;
use crate::{
    SUPPORTED_ROOM_VERSIONS,
    testing::{TestRoom, key_of_the_specification},
};

fn keys() -> PublicKeyMap {
    let key = key_of_the_specification();
    let public = Base64::parse(key.public_key()).unwrap();
    [("domain", &public), ("x", &public)]
        .map(|(server, public)| {
            (
                server.to_owned(),
                [(key.key_id().to_owned(), public.clone())].into(),
            )
        })
        .into()
}

/// An event signed by `x`: the test rooms are on that server.
fn signed(version: &RoomVersionId, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut event = json!({
        "auth_events": [], "prev_events": ["$prev"], "content": { "body": "hello" }, "depth": 3, "origin_server_ts": 1_000_000,
        "room_id": "!x:domain", "sender": "@a:x", "type": "m.room.message", "unsigned": { "age": 5 },
    });
    change(&mut event);
    let mut object = canonical::parse_object(event.to_string().as_bytes(), Reading::PDU).unwrap();
    let key = key_of_the_specification();
    let rules = version.rules().unwrap();
    ruma::signatures::hash_and_sign_event("x", &key, &mut object, &rules.redaction).unwrap();
    canonical::to_vec(&object)
}

fn changed(json: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::from_slice::<Value>(json).unwrap();
    change(&mut value);
    value.to_string().into_bytes()
}

fn verify_in(version: &RoomVersionId, json: &[u8]) -> Result<Verified, Error> {
    verify(json, &version.rules().unwrap(), &keys())
}

#[test]
fn signed_event_of_the_specification_is_valid() {
    let event = json!({
        "auth_events": [], "content": {}, "depth": 3,
        "hashes": { "sha256": "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos" },
        "origin": "domain", "origin_server_ts": 1_000_000, "prev_events": [], "room_id": "!x:domain", "sender": "@a:domain",
        "signatures": { "domain": {
            "ed25519:1": "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg"
        } },
        "type": "X", "unsigned": { "age_ts": 1_000_000 }
    });
    let verified = verify_in(&RoomVersionId::V6, event.to_string().as_bytes()).unwrap();
    assert!(matches!(verified, Verified::All(..)));
    let (pdu, json) = verified.into_parts();
    assert_eq!(pdu.depth, 3);
    assert!(!String::from_utf8(json).unwrap().contains("unsigned"));
}

#[test]
fn json_of_the_specification_is_signed_as_told() {
    let key = key_of_the_specification();
    let examples = [
        (
            json!({}),
            "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ",
        ),
        (
            json!({ "one": 1, "two": "Two" }),
            "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
        ),
    ];
    for (object, signature) in examples {
        let mut object =
            canonical::parse_object(object.to_string().as_bytes(), Reading::PDU).unwrap();
        key.sign_json(&mut object).unwrap();
        let object = serde_json::to_value(object).unwrap();
        assert_eq!(object["signatures"]["domain"]["ed25519:1"], signature);
    }
}

#[test]
fn redactable_event_of_the_specification_is_hashed_and_signed_as_told() {
    let event = json!({
        "content": { "body": "Here is the message content" }, "event_id": "$0:domain", "origin": "domain",
        "origin_server_ts": 1_000_000, "type": "m.room.message", "room_id": "!r:domain", "sender": "@u:domain",
        "signatures": {}, "unsigned": { "age_ts": 1_000_000 }
    });
    let mut object = canonical::parse_object(event.to_string().as_bytes(), Reading::PDU).unwrap();
    let rules = RoomVersionId::V6.rules().unwrap();
    ruma::signatures::hash_and_sign_event(
        "domain",
        &key_of_the_specification(),
        &mut object,
        &rules.redaction,
    )
    .unwrap();
    let object = serde_json::to_value(object).unwrap();
    assert_eq!(
        object["hashes"]["sha256"],
        "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"
    );
    assert_eq!(
        object["signatures"]["domain"]["ed25519:1"],
        "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA"
    );
}

#[test]
fn our_own_events_are_valid_to_others() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let room = TestRoom::created(&version, "public", &[]);
        for (name, id) in &room.told {
            // The test rooms are on `x`, signed with the key of `domain`.
            let json = changed(&room.json[id], |event| {
                let signature = event["signatures"]["domain"].take();
                event["signatures"] = json!({ "x": signature });
            });
            let foreign = Foreign::read(&json, &room.rules).unwrap();
            assert_eq!(foreign.event_id(), id);
            assert_eq!(foreign.room_id(), room.events[id].room_id);
            assert_eq!(foreign.key_ids(server_name!("x")), ["ed25519:1"]);
            let verified = foreign.verify(&room.rules, &keys()).unwrap();
            assert!(
                matches!(verified, Verified::All(..)),
                "{name} in version {version}"
            );
        }
    }
}

#[test]
fn changed_content_leaves_the_redacted_event() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let json = signed(&version, |_| {});
        let id = Foreign::read(&json, &version.rules().unwrap())
            .unwrap()
            .event_id()
            .to_owned();
        let forged = changed(&json, |event| {
            event["content"]["body"] = "other words".into();
        });
        let Verified::Signatures(pdu, json) = verify_in(&version, &forged).unwrap() else {
            panic!("the content hash was not checked");
        };
        assert_eq!(pdu.event_id, id);
        assert_eq!(pdu.content.get(), "{}");
        assert!(!String::from_utf8(json).unwrap().contains("other words"));
    }
}

#[test]
fn changed_envelope_drops_the_event() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let json = signed(&version, |_| {});
        for (name, value) in [
            ("depth", json!(4)),
            ("sender", json!("@b:x")),
            ("room_id", json!("!y:domain")),
            ("state_key", json!("")),
        ] {
            let forged = changed(&json, |event| event[name] = value);
            assert!(
                matches!(verify_in(&version, &forged), Err(Error::Signature(_))),
                "{name}"
            );
        }
    }
}

#[test]
fn signature_must_be_by_the_server_of_the_sender() {
    let version = RoomVersionId::V12;
    let json = signed(&version, |_| {});
    for change in [
        (|event: &mut Value| event["signatures"] = json!({})) as fn(&mut Value),
        |event| event["signatures"] = json!({ "domain": event["signatures"]["x"] }),
        |event| {
            event["signatures"]["x"] =
                json!({ "ed25519:unknown": event["signatures"]["x"]["ed25519:1"] });
        },
        |event| event["signatures"]["x"]["ed25519:1"] = "AAAA".into(),
        |event| event["signatures"]["x"]["ed25519:1"] = 7.into(),
        |event| event["signatures"]["x"] = "AAAA".into(),
    ] {
        assert!(matches!(
            verify_in(&version, &changed(&json, change)),
            Err(Error::Signature(_))
        ));
    }
    // A key nobody knows is passed over beside a good one.
    let more = changed(&json, |event| {
        event["signatures"]["x"]["ed25519:policy_server"] = "AAAA".into();
    });
    assert!(verify_in(&version, &more).is_ok());
}

#[test]
fn restricted_join_needs_the_signature_of_the_server_that_lets_in() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let json = signed(&version, |event| {
            event["type"] = "m.room.member".into();
            event["state_key"] = event["sender"].clone();
            event["content"] =
                json!({ "membership": "join", "join_authorised_via_users_server": "@host:domain" });
        });
        let rules = version.rules().unwrap();
        let needs = rules.signatures.check_join_authorised_via_users_server;
        assert_eq!(needs, !["6", "7"].contains(&version.as_str()));
        assert_eq!(verify_in(&version, &json).is_err(), needs, "{version}");
        let mut foreign = Foreign::read(&json, &rules).unwrap();
        assert_eq!(
            foreign.signers(&rules).unwrap().len(),
            1 + usize::from(needs)
        );
        let id = foreign.event_id().to_owned();
        foreign.sign(&rules, &key_of_the_specification()).unwrap();
        let (pdu, json) = foreign.verify(&rules, &keys()).unwrap().into_parts();
        assert_eq!(pdu.event_id, id);
        assert!(
            String::from_utf8(json)
                .unwrap()
                .contains(r#""domain":{"ed25519:1""#)
        );
    }
}

#[test]
fn events_of_the_wrong_format_are_dropped() {
    let version = RoomVersionId::V11;
    let json = signed(&version, |_| {});
    let many = |count: usize| Value::from(vec!["$x"; count]);
    for (name, values) in [
        ("type", vec![json!(1), json!("x".repeat(256))]),
        ("sender", vec![json!(null), json!("x".repeat(256))]),
        (
            "room_id",
            vec![json!(1), json!("no room"), json!("!".repeat(256))],
        ),
        ("prev_events", vec![json!("$x"), many(21)]),
        ("auth_events", vec![json!({}), many(11)]),
        (
            "depth",
            vec![
                json!(-1),
                json!("1"),
                json!(1.5),
                json!(9_007_199_254_740_992_u64),
            ],
        ),
        ("origin_server_ts", vec![json!(-1), json!("now")]),
        ("content", vec![json!([]), json!("x")]),
        ("signatures", vec![json!([])]),
        ("hashes", vec![json!([]), json!({}), json!({ "sha256": 1 })]),
    ] {
        let without = changed(&json, |event| {
            event.as_object_mut().unwrap().remove(name);
        });
        for forged in values
            .into_iter()
            .map(|value| changed(&json, |event| event[name] = value))
            .chain([without])
        {
            let read = Foreign::read(&forged, &version.rules().unwrap());
            assert!(
                matches!(
                    read,
                    Err(Error::Format(_) | Error::FieldTooLong { .. } | Error::Json(_))
                ),
                "{name}: {}",
                String::from_utf8(forged).unwrap()
            );
        }
    }
    let state_key = changed(&json, |event| event["state_key"] = json!(7));
    assert!(Foreign::read(&state_key, &version.rules().unwrap()).is_err());
}

#[test]
fn size_counts_without_what_nobody_signed() {
    let version = RoomVersionId::V12;
    let rules = version.rules().unwrap();
    let big = signed(&version, |event| {
        event["content"]["body"] = "x".repeat(65_000).into();
    });
    let unsigned = changed(&big, |event| {
        event["unsigned"] = json!({ "age": "x".repeat(70_000) });
    });
    assert!(Foreign::read(&unsigned, &rules).is_ok());
    let more = changed(&big, |event| {
        event["content"]["more"] = "x".repeat(600).into();
    });
    assert!(matches!(
        Foreign::read(&more, &rules),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn create_event_of_version_12_names_its_room_and_may_not_carry_a_room_id() {
    let rules = RoomVersionId::V12.rules().unwrap();
    for carries in [false, true] {
        let json = signed(&RoomVersionId::V12, |event| {
            event["type"] = "m.room.create".into();
            event["state_key"] = "".into();
            event["prev_events"] = json!([]);
            if !carries {
                event.as_object_mut().unwrap().remove("room_id");
            }
        });
        let (pdu, _) = verify_in(&RoomVersionId::V12, &json).unwrap().into_parts();
        assert_eq!(pdu.room_id.server_name().is_none(), !carries);
        let checked = crate::check(&rules.authorization, &pdu, |_| None, |_, _| None);
        assert_eq!(checked.is_err(), carries);
    }
}
