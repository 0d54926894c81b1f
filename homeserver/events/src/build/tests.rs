use proptest::prelude::*;
use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, RoomVersionId, event_id,
    signatures::{hash_and_sign_event, reference_hash},
    user_id,
};
use serde_json::{Value, json, value::to_raw_value};

use super::*;
use crate::{
    SUPPORTED_ROOM_VERSIONS,
    testing::{any_content, key_of_the_specification},
};

fn template(kind: &str, content: &Value) -> Template {
    Template {
        room_id: Some("!x:domain".try_into().unwrap()),
        sender: user_id!("@a:domain").to_owned(),
        kind: kind.into(),
        state_key: None,
        content: to_raw_value(content).unwrap(),
        redacts: None,
        prev_events: vec![],
        auth_events: vec![],
        depth: 3,
        origin_server_ts: MilliSecondsSinceUnixEpoch(1_000_000_u32.into()),
    }
}

fn build_in(version: &RoomVersionId, template: Template) -> Result<(Pdu, Vec<u8>), Error> {
    build(
        template,
        &version.rules().unwrap(),
        &key_of_the_specification(),
    )
}

/// The same event by ruma, from the unsigned object.
fn by_ruma(template: &Template, version: &RoomVersionId) -> (String, Value) {
    let rules = version.rules().unwrap();
    let mut object = json!({
        "sender": template.sender, "type": template.kind, "depth": template.depth.min(MAX_DEPTH),
        "content": serde_json::from_str::<Value>(template.content.get()).unwrap(),
        "prev_events": template.prev_events, "auth_events": template.auth_events,
        "origin_server_ts": template.origin_server_ts,
    });
    if let Some(room_id) = &template.room_id {
        object["room_id"] = room_id.as_str().into();
    }
    if let Some(state_key) = &template.state_key {
        object["state_key"] = state_key.as_str().into();
    }
    match &template.redacts {
        Some(redacts) if rules.redaction.content_field_redacts => {
            object["content"]["redacts"] = redacts.as_str().into();
        }
        Some(redacts) => object["redacts"] = redacts.as_str().into(),
        None => {}
    }
    let mut object = CanonicalJsonObject::try_from_value(object);
    hash_and_sign_event(
        "domain",
        &key_of_the_specification(),
        &mut object,
        &rules.redaction,
    )
    .unwrap();
    let id = format!("${}", reference_hash(&object, &rules).unwrap());
    (id, serde_json::to_value(&object).unwrap())
}

trait TryFromValue {
    fn try_from_value(value: Value) -> Self;
}

impl TryFromValue for CanonicalJsonObject {
    fn try_from_value(value: Value) -> Self {
        match CanonicalJsonValue::try_from(value).unwrap() {
            CanonicalJsonValue::Object(object) => object,
            _ => panic!("not an object"),
        }
    }
}

#[test]
fn event_of_the_test_vectors_is_hashed_as_told() {
    // Our events have no `origin`, so the signature differs from the vector; the vector itself is verified in foreign.rs.
    let (pdu, json) = build_in(&RoomVersionId::V6, template("X", &json!({}))).unwrap();
    let (id, expected) = by_ruma(&template("X", &json!({})), &RoomVersionId::V6);
    assert_eq!(pdu.event_id, id);
    assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), expected);
}

#[test]
fn redacts_is_where_the_version_wants_it() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let target = event_id!("$bad");
        let mut template = template("m.room.redaction", &json!({ "reason": "spam" }));
        template.redacts = Some(target.to_owned());
        let (pdu, json) = build_in(&version, template).unwrap();
        let json = serde_json::from_slice::<Value>(&json).unwrap();
        let inside = version.rules().unwrap().redaction.content_field_redacts;
        assert_eq!(inside, ["11", "12"].contains(&version.as_str()));
        assert_eq!(json["content"].get("redacts").is_some(), inside);
        assert_eq!(json.get("redacts").is_some(), !inside);
        assert_eq!(pdu.redacts.as_deref(), Some(target));
        assert_eq!(pdu.content_field::<String>("redacts").is_some(), inside);
    }
    let in_content = template("m.room.redaction", &json!({ "redacts": "$bad" }));
    assert_eq!(
        build_in(&RoomVersionId::V11, in_content.clone())
            .unwrap()
            .0
            .redacts
            .as_deref(),
        Some(event_id!("$bad"))
    );
    assert_eq!(
        build_in(&RoomVersionId::V10, in_content).unwrap().0.redacts,
        None
    );
}

#[test]
fn built_event_parses_to_the_same_pdu() {
    for version in SUPPORTED_ROOM_VERSIONS {
        let mut template = template(
            "m.room.member",
            &json!({ "membership": "join", "displayname": "Ä\n" }),
        );
        template.state_key = Some("@a:domain".to_owned());
        template.prev_events = vec![event_id!("$one").to_owned(), event_id!("$two").to_owned()];
        let (built, json) = build_in(&version, template).unwrap();
        let parsed = Pdu::parse(
            built.event_id.clone(),
            built.room_id.clone(),
            &json,
            &version.rules().unwrap(),
        )
        .unwrap();
        assert_eq!(format!("{built:?}"), format!("{parsed:?}"));
        assert_eq!(
            canonical::canonicalise(&json, canonical::Reading::PDU).unwrap(),
            json
        );
    }
}

#[test]
fn create_event_of_version_12_has_no_room_id_and_others_need_one() {
    let mut create = template("m.room.create", &json!({ "room_version": "12" }));
    assert!(matches!(
        build_in(&RoomVersionId::V12, create.clone()),
        Err(Error::Format(_))
    ));
    create.room_id = None;
    let (pdu, json) = build_in(&RoomVersionId::V12, create.clone()).unwrap();
    assert!(
        serde_json::from_slice::<Value>(&json)
            .unwrap()
            .get("room_id")
            .is_none()
    );
    assert_eq!(pdu.room_id, format!("!{}", &pdu.event_id.as_str()[1..]));
    assert!(matches!(
        build_in(&RoomVersionId::V11, create),
        Err(Error::Format(_))
    ));
}

#[test]
fn event_may_have_65536_bytes_and_not_one_more() {
    let body = |length: usize| template("m.room.message", &json!({ "body": "x".repeat(length) }));
    let base = build_in(&RoomVersionId::V12, body(0)).unwrap().1.len();
    let (_, largest) = build_in(&RoomVersionId::V12, body(MAX_PDU_BYTES - base)).unwrap();
    assert_eq!(largest.len(), 65_536);
    for over in [1, 1000, 1_000_000] {
        let error = build_in(&RoomVersionId::V12, body(MAX_PDU_BYTES - base + over)).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }
    assert!(build_in(&RoomVersionId::V12, body(65_000)).is_ok());
    let escaped = template("m.room.message", &json!({ "body": "\u{1}".repeat(11_000) }));
    assert!(matches!(
        build_in(&RoomVersionId::V12, escaped),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn fields_may_have_255_bytes_and_not_one_more() {
    let long = |length: usize| "ä".repeat(length / 2) + &"x".repeat(length % 2);
    for (length, fits) in [(255, true), (256, false)] {
        let kind = template(&long(length), &json!({}));
        let mut key = template("m.x", &json!({}));
        key.state_key = Some(long(length));
        for template in [kind, key] {
            match build_in(&RoomVersionId::V11, template) {
                Ok(_) => assert!(fits),
                Err(error) => assert!(
                    !fits && matches!(error, Error::FieldTooLong { length: 256, .. }),
                    "{error}"
                ),
            }
        }
    }
}

#[test]
fn too_many_references_are_refused_and_depth_stops_at_its_limit() {
    let id = event_id!("$x").to_owned();
    let mut many = template("m.x", &json!({}));
    many.prev_events = vec![id.clone(); 21];
    assert!(matches!(
        build_in(&RoomVersionId::V11, many.clone()),
        Err(Error::Format(_))
    ));
    many.prev_events.pop();
    many.auth_events = vec![id; 11];
    assert!(matches!(
        build_in(&RoomVersionId::V11, many.clone()),
        Err(Error::Format(_))
    ));
    many.auth_events.pop();
    many.depth = u64::MAX;
    assert_eq!(
        build_in(&RoomVersionId::V11, many).unwrap().0.depth,
        9_007_199_254_740_991
    );
}

#[test]
fn content_without_canonical_form_is_refused() {
    for content in [
        "[]",
        "1",
        "null",
        r#"{"a":1.5}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":9007199254740992}"#,
    ] {
        let mut template = template("m.x", &json!({}));
        template.content = RawJsonValue::from_string(content.to_owned()).unwrap();
        assert!(
            matches!(build_in(&RoomVersionId::V12, template), Err(Error::Json(_))),
            "{content}"
        );
    }
}

proptest! {
    #[test]
    fn build_is_what_ruma_hashes_and_signs(
        mut content in any_content(),
        kind in prop_oneof![
            "m\\.room\\.(message|member|create|join_rules|power_levels|history_visibility|redaction|aliases|server_acl)",
            "\\PC{1,6}",
        ],
        state_key in proptest::option::of("\\PC{0,4}|@a:domain|\"\\\\\u{1}"),
        kept in proptest::collection::vec("membership|creator|join_rule|allow|users|invite|third_party_invite|redacts|aliases|ban|events|history_visibility|join_authorised_via_users_server", 0..4),
        redacts in proptest::option::of(Just(event_id!("$bad").to_owned())),
        depth in any::<u64>(),
        references in 0..4_usize,
    ) {
        for name in kept {
            content[name] = json!({ "signed": { "token": "t" }, "other": 1 });
        }
        for version in [RoomVersionId::V6, RoomVersionId::V8, RoomVersionId::V9, RoomVersionId::V11, RoomVersionId::V12] {
            let mut template = template(&kind, &content);
            template.state_key.clone_from(&state_key);
            template.redacts.clone_from(&redacts);
            template.depth = depth;
            template.prev_events = (0..references).map(|n| format!("$prev{n}").try_into().unwrap()).collect();
            template.auth_events = (0..references).map(|n| format!("$auth_-{n}").try_into().unwrap()).collect();
            if version == RoomVersionId::V12 && kind == "m.room.create" {
                template.room_id = None;
            }
            let (id, expected) = by_ruma(&template, &version);
            let (pdu, json) = build_in(&version, template).unwrap();
            prop_assert_eq!(pdu.event_id.as_str(), id);
            prop_assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), expected);
            prop_assert_eq!(&canonical::canonicalise(&json, canonical::Reading::PDU).unwrap(), &json);
        }
    }
}
