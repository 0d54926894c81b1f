//! A quick yes for the ordinary event: a member sends what the power levels allow.
//!
//! ruma reads the power levels anew for every event; in a room that names hundreds of people in them, that is most of the
//! work of sending. Here they are read once per `m.room.power_levels` event. Only a clear yes is answered: all else goes
//! through the rules in full, which also find the words for a no.

use std::{collections::BTreeMap, sync::Arc};

use js_int::Int;
use ruma::{
    OwnedUserId,
    events::{StateEventType, TimelineEventType, room::member::MembershipState},
    room_version_rules::AuthorizationRules,
    state_res::events::{
        RoomCreateEvent, RoomMemberEvent, RoomPowerLevelsEvent, RoomPowerLevelsIntField,
    },
};

use crate::Pdu;

/// What an `m.room.power_levels` says about ordinary events.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    users: BTreeMap<OwnedUserId, Int>,
    users_default: Int,
    events: BTreeMap<TimelineEventType, Int>,
    events_default: Int,
    state_default: Int,
}

impl Levels {
    fn read(event: &Pdu, rules: &AuthorizationRules) -> Result<Self, String> {
        let event = RoomPowerLevelsEvent::new(event);
        Ok(Self {
            users: event.users(rules)?.cloned().unwrap_or_default(),
            users_default: event
                .get_as_int_or_default(RoomPowerLevelsIntField::UsersDefault, rules)?,
            events: event.events(rules)?.unwrap_or_default(),
            events_default: event
                .get_as_int_or_default(RoomPowerLevelsIntField::EventsDefault, rules)?,
            state_default: event
                .get_as_int_or_default(RoomPowerLevelsIntField::StateDefault, rules)?,
        })
    }

    fn allow(&self, event: &Pdu) -> bool {
        let default = if event.state_key.is_some() {
            self.state_default
        } else {
            self.events_default
        };
        let required = self.events.get(&event.kind).copied().unwrap_or(default);
        self.users
            .get(&event.sender)
            .copied()
            .unwrap_or(self.users_default)
            >= required
    }
}

/// Whether the rules allow the event beyond doubt.
pub(crate) fn clearly_allows(
    rules: &AuthorizationRules,
    event: &Pdu,
    state: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
) -> bool {
    let has_rules_of_its_own = matches!(
        event.kind,
        TimelineEventType::RoomCreate
            | TimelineEventType::RoomMember
            | TimelineEventType::RoomPowerLevels
            | TimelineEventType::RoomThirdPartyInvite
    );
    if has_rules_of_its_own || rules.special_case_room_redaction || rules.special_case_room_aliases
    {
        return false;
    }
    let belongs_to_user = event
        .state_key
        .as_deref()
        .is_some_and(|key| key.starts_with('@'));
    if belongs_to_user && event.state_key.as_deref() != Some(event.sender.as_str()) {
        return false;
    }
    state(&StateEventType::RoomCreate, "")
        .is_some_and(|create| RoomCreateEvent::new(create).federate() == Ok(true))
        && state(&StateEventType::RoomMember, event.sender.as_str()).is_some_and(|member| {
            RoomMemberEvent::new(member).membership() == Ok(MembershipState::Join)
        })
        && state(&StateEventType::RoomPowerLevels, "").is_some_and(|levels| {
            let levels = levels
                .levels
                .get_or_init(|| Levels::read(&levels, rules).ok());
            levels.as_ref().is_some_and(|levels| levels.allow(event))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ruma::state_res::check_state_dependent_auth_rules;
    use serde_json::{Value, json};

    use super::*;
    use crate::{SUPPORTED_ROOM_VERSIONS, testing::TestRoom};

    fn levels() -> impl Strategy<Value = Value> {
        let level = || {
            prop_oneof![
                (-1_i64..3).prop_map(Value::from),
                Just(json!("2")),
                Just(json!("x")),
                Just(json!(null))
            ]
        };
        let level = move || prop_oneof![9 => (-1_i64..3).prop_map(Value::from), 1 => level()];
        let users = proptest::collection::btree_map("@(alice|bob|eve):x|bob", level(), 0..4);
        let events =
            proptest::collection::btree_map("m\\.(x|room\\.topic|room\\.message)", level(), 0..3);
        let defaults =
            proptest::collection::btree_map("(users|events|state)_default|ban", level(), 0..4);
        (users, events, defaults).prop_map(|(users, events, defaults)| {
            let mut content = json!({ "users": users, "events": events });
            content.as_object_mut().unwrap().extend(defaults);
            content
        })
    }

    proptest! {
        #[test]
        fn clear_yes_is_never_against_the_rules(
            content in levels(),
            sender in "alice|bob|eve",
            kind in "m\\.(x|room\\.topic|room\\.message|room\\.redaction|room\\.power_levels|room\\.member)",
            state_key in proptest::option::of("|@alice:x|@bob:x|key"),
            federate in proptest::option::weighted(0.2, any::<bool>()),
            version in 0..7_usize,
        ) {
            let version = &SUPPORTED_ROOM_VERSIONS[version];
            let mut room = TestRoom::new(version);
            let create = federate.map_or(json!({}), |federate| json!({ "m.federate": federate }));
            room.must("create", "alice", "m.room.create", Some(""), create);
            room.member("alice", "alice", "join").unwrap();
            room.must("join rule", "alice", "m.room.join_rules", Some(""), json!({ "join_rule": "public" }));
            room.member("bob", "bob", "join").unwrap();
            let _ = room.send("levels", "alice", "m.room.power_levels", Some(""), content);
            let state = room.state(&room.extremities());
            let find = |kind: &StateEventType, key: &str| {
                room.events.get(state.get(&(kind.clone(), key.to_owned()))?).cloned()
            };
            let event = Pdu {
                sender: crate::testing::user(&sender),
                kind: kind.as_str().into(),
                state_key,
                ..(*room.events[&room.id("join rule")]).clone()
            };
            let rules = &room.rules.authorization;
            let allowed = check_state_dependent_auth_rules(rules, &event, find).is_ok();
            let clearly = clearly_allows(rules, &event, find);
            prop_assert!(allowed || !clearly);
            // Where it has no doubts of its own, it says yes: else it would be of no use.
            if allowed && kind == "m.x" && sender == "bob" && federate.is_none() && room.told.iter().any(|(name, _)| name == "levels") {
                prop_assert!(clearly);
            }
        }
    }
}
