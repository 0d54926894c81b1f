use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    SUPPORTED_ROOM_VERSIONS,
    testing::{TestRoom, any_content},
};

fn redacted(version: &str, event: &Value) -> Value {
    let rules = ruma::RoomVersionId::try_from(version)
        .unwrap()
        .rules()
        .unwrap();
    serde_json::from_slice(&redact(event.to_string().as_bytes(), &rules).unwrap()).unwrap()
}

/// What is left of the content in each version from 6 to 12.
fn left(kind: &str, content: &Value) -> Vec<Value> {
    let of = |version: &ruma::RoomVersionId| {
        redacted(
            version.as_str(),
            &json!({ "type": kind, "content": content }),
        )["content"]
            .clone()
    };
    SUPPORTED_ROOM_VERSIONS.iter().map(of).collect()
}

#[test]
fn content_is_kept_as_each_version_says() {
    let member = json!({
        "membership": "join", "displayname": "A", "join_authorised_via_users_server": "@b:x",
        "third_party_invite": { "display_name": "C", "signed": { "token": "t" } },
    });
    let plain = json!({ "membership": "join" });
    let with_server = json!({ "membership": "join", "join_authorised_via_users_server": "@b:x" });
    let with_signed = json!({
        "membership": "join", "join_authorised_via_users_server": "@b:x",
        "third_party_invite": { "signed": { "token": "t" } },
    });
    assert_eq!(
        left("m.room.member", &member),
        [
            &plain,
            &plain,
            &plain,
            &with_server,
            &with_server,
            &with_signed,
            &with_signed
        ]
        .map(Clone::clone)
    );

    let rule = json!({ "join_rule": "restricted", "allow": [], "other": 1 });
    let (old, new) = (
        json!({ "join_rule": "restricted" }),
        json!({ "join_rule": "restricted", "allow": [] }),
    );
    assert_eq!(
        left("m.room.join_rules", &rule),
        [&old, &old, &new, &new, &new, &new, &new].map(Clone::clone)
    );

    let create = json!({ "creator": "@a:x", "room_version": "9", "m.federate": false });
    let old = json!({ "creator": "@a:x" });
    assert_eq!(
        left("m.room.create", &create),
        [&old, &old, &old, &old, &old, &create, &create].map(Clone::clone)
    );

    let levels = json!({ "ban": 1, "invite": 2, "users": {}, "notifications": {} });
    let (old, new) = (
        json!({ "ban": 1, "users": {} }),
        json!({ "ban": 1, "invite": 2, "users": {} }),
    );
    assert_eq!(
        left("m.room.power_levels", &levels),
        [&old, &old, &old, &old, &old, &new, &new].map(Clone::clone)
    );

    let redaction = json!({ "redacts": "$x", "reason": "spam" });
    let (old, new) = (json!({}), json!({ "redacts": "$x" }));
    assert_eq!(
        left("m.room.redaction", &redaction),
        [&old, &old, &old, &old, &old, &new, &new].map(Clone::clone)
    );

    for kind in [
        "m.room.message",
        "m.room.aliases",
        "m.room.server_acl",
        "org.example",
    ] {
        assert_eq!(
            left(kind, &json!({ "aliases": [], "body": "b", "allow": ["*"] })),
            vec![json!({}); 7]
        );
    }
}

#[test]
fn envelope_is_kept_as_each_version_says() {
    let event = json!({
        "type": "m.x", "content": { "body": "b" }, "event_id": "$x", "room_id": "!r:x", "sender": "@a:x", "state_key": "",
        "hashes": {}, "signatures": {}, "depth": 1, "prev_events": [], "auth_events": [], "origin_server_ts": 1,
        "origin": "x", "membership": "join", "prev_state": [], "unsigned": { "age": 1 }, "redacts": "$y", "other": 1,
    });
    for (version, keeps) in [("6", true), ("10", true), ("11", false), ("12", false)] {
        let redacted = redacted(version, &event);
        for gone in ["unsigned", "redacts", "other"] {
            assert!(redacted.get(gone).is_none(), "{gone}");
        }
        for old in ["origin", "membership", "prev_state"] {
            assert_eq!(redacted.get(old).is_some(), keeps, "{old}");
        }
        assert_eq!(
            redacted.as_object().unwrap().len(),
            if keeps { 15 } else { 12 }
        );
    }
}

#[test]
fn redaction_keeps_event_id_and_signatures() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let room = TestRoom::created(&version, "public", &[("bob", 50)]);
        for (_, id) in &room.told {
            let redacted = redact(&room.json[id], &room.rules).unwrap();
            let object = canonical::parse_object(&redacted, Reading::PDU).unwrap();
            assert_eq!(&event_id(&object, &room.rules).unwrap(), id);
            assert_eq!(redact(&redacted, &room.rules).unwrap(), redacted);
        }
    }
}

#[test]
fn event_without_type_cannot_be_redacted() {
    let rules = ruma::RoomVersionId::V12.rules().unwrap();
    assert!(redact(br#"{"content":{}}"#, &rules).is_err());
}

proptest! {
    #[test]
    fn redaction_is_idempotent_and_keeps_the_event_id(
        content in any_content(),
        more in any_content(),
        kind in "m\\.room\\.(message|member|create|join_rules|power_levels|redaction)|\\PC{1,5}",
    ) {
        let mut event = more;
        event["type"] = kind.into();
        event["content"] = content;
        for version in SUPPORTED_ROOM_VERSIONS {
            let rules = version.rules().unwrap();
            let whole = canonical::parse_object(event.to_string().as_bytes(), Reading::PDU).unwrap();
            let once = redact(event.to_string().as_bytes(), &rules).unwrap();
            prop_assert_eq!(&redact(&once, &rules).unwrap(), &once);
            let redacted = canonical::parse_object(&once, Reading::PDU).unwrap();
            prop_assert_eq!(event_id(&whole, &rules).unwrap(), event_id(&redacted, &rules).unwrap());
            let by_ruma = ruma::signatures::reference_hash(&whole, &rules).unwrap();
            prop_assert_eq!(event_id(&whole, &rules).unwrap().to_string(), format!("${by_ruma}"));
        }
    }
}
