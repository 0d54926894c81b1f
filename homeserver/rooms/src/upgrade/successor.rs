//! What a room that takes another's place starts with.

use std::collections::HashSet;

use orvale_storage::trees::rooms::Membership;
use ruma::{
    OwnedUserId, RoomVersionId, UserId, events::StateEventType,
    room_version_rules::AuthorizationRules,
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    Draft, Room, Rooms,
    error::Result,
    json::{Object, object, raw, state},
    member::MemberContent,
};

/// State that the new room takes over, in this order; power levels come last, after all that they might forbid.
const TRANSFERRED: [StateEventType; 9] = [
    StateEventType::RoomJoinRules,
    StateEventType::RoomHistoryVisibility,
    StateEventType::RoomGuestAccess,
    StateEventType::RoomEncryption,
    StateEventType::RoomServerAcl,
    StateEventType::RoomName,
    StateEventType::RoomAvatar,
    StateEventType::RoomTopic,
    StateEventType::RoomCanonicalAlias,
];

/// Orvale's own state: what a room is (a channel, a ticket) it stays.
const OWN_PREFIX: &str = "com.orvale.";

/// How many bans the new room takes over; those before the last ones are old.
const MAX_BANS: usize = 5000;

impl Rooms {
    /// The first events of a room that takes another's place.
    pub(super) fn successor_events(
        &self,
        user: &UserId,
        old: &Room,
        version: &RoomVersionId,
        rules: &AuthorizationRules,
        additional_creators: &[OwnedUserId],
    ) -> Result<Vec<Draft>> {
        let create = self.successor_create(user, old, version, rules, additional_creators)?;
        let profile = self.member_profile(user)?;
        let mut drafts = vec![
            state(user, StateEventType::RoomCreate, &create),
            MemberContent::new("join").or(&profile).draft(user, user),
        ];
        for kind in TRANSFERRED {
            if let Some(event) = self.find_state(old, &kind, "")? {
                let content = match kind {
                    StateEventType::RoomJoinRules => join_rules(&event.pdu.content, rules)?,
                    _ => event.pdu.content.clone(),
                };
                drafts.push(Draft::state(user, kind, "", content));
            }
        }
        let is_space = create.get("type").is_some_and(|kind| kind == "m.space");
        let space_child = StateEventType::SpaceChild.to_string();
        let space_parent = StateEventType::SpaceParent.to_string();
        for (kind, key) in self.list_state_keys_but_members(old)? {
            if kind.starts_with(OWN_PREFIX)
                || kind == space_parent
                || is_space && kind == space_child
            {
                let kind = StateEventType::from(kind);
                if let Some(event) = self.find_state(old, &kind, &key)? {
                    drafts.push(Draft::state(user, kind, &key, event.pdu.content.clone()));
                }
            }
        }
        drafts.extend(self.bans(user, old)?);
        if let Some(event) = self.find_state(old, &StateEventType::RoomPowerLevels, "")? {
            let before = object(&event.pdu.content)?;
            let levels = if rules.explicitly_privilege_room_creators {
                let others = additional_creators.iter().map(|creator| &**creator);
                above_creators(before, &[user].into_iter().chain(others).collect())
            } else {
                let above = self
                    .power_levels(old)?
                    .rules
                    .privileged_creators
                    .unwrap_or_default();
                with_former_creators(before, &above)
            };
            drafts.push(state(user, StateEventType::RoomPowerLevels, &levels));
        }
        Ok(drafts)
    }

    fn successor_create(
        &self,
        user: &UserId,
        old: &Room,
        version: &RoomVersionId,
        rules: &AuthorizationRules,
        additional_creators: &[OwnedUserId],
    ) -> Result<Object> {
        let before = self.find_state(old, &StateEventType::RoomCreate, "")?;
        let before = before
            .map(|event| object(&event.pdu.content))
            .transpose()?
            .unwrap_or_default();
        let mut create = Object::new();
        for key in ["type", "m.federate"] {
            if let Some(value) = before.get(key) {
                create.insert(key.to_owned(), value.clone());
            }
        }
        let mut predecessor = json!({"room_id": old.id});
        if !rules.room_create_event_id_as_room_id {
            let last = self.event(self.last_event(old.number)?)?;
            predecessor["event_id"] = last.event_id().as_str().into();
        }
        create.insert("predecessor".to_owned(), predecessor);
        create.insert("room_version".to_owned(), version.as_str().into());
        if !rules.use_room_create_sender {
            create.insert("creator".to_owned(), user.as_str().into());
        }
        let more: Vec<_> = additional_creators
            .iter()
            .filter(|creator| *creator != user)
            .collect();
        if rules.additional_room_creators && !more.is_empty() {
            create.insert("additional_creators".to_owned(), json!(more));
        }
        Ok(create)
    }

    fn bans(&self, user: &UserId, old: &Room) -> Result<Vec<Draft>> {
        let members = self
            .list_state_keys(old, &StateEventType::RoomMember)?
            .into_iter();
        let mut banned: Vec<_> = members
            .filter(|(_, record)| record.membership == Some(Membership::Ban))
            .collect();
        banned.sort_unstable_by_key(|(_, record)| std::cmp::Reverse(record.event));
        banned.truncate(MAX_BANS);
        let mut drafts = Vec::with_capacity(banned.len());
        for (target, record) in banned {
            let reason = self
                .event(record.event)?
                .pdu
                .content_field::<String>("reason");
            let content = MemberContent::new("ban").reason(reason.as_deref());
            if let Ok(target) = UserId::parse(target) {
                drafts.push(content.draft(user, &target));
            }
        }
        Ok(drafts)
    }
}

/// The join rules as the version can say them; what it cannot say closes the room.
fn join_rules(content: &RawValue, rules: &AuthorizationRules) -> Result<Box<RawValue>> {
    let before = object(content)?;
    let is_known = match before.get("join_rule").and_then(Value::as_str) {
        Some("knock") => rules.knocking,
        Some("restricted") => rules.restricted_join_rule,
        Some("knock_restricted") => rules.knock_restricted_join_rule,
        _ => true,
    };
    Ok(if is_known {
        content.to_owned()
    } else {
        raw(&json!({"join_rule": "invite"}))
    })
}

fn level(levels: &Object, key: &str, default: i64) -> i64 {
    levels.get(key).and_then(Value::as_i64).unwrap_or(default)
}

/// Power levels for a room whose creators stand above all of them.
fn above_creators(mut levels: Object, creators: &HashSet<&UserId>) -> Object {
    if let Some(users) = levels.get_mut("users").and_then(Value::as_object_mut) {
        users.retain(|user, _| !creators.iter().any(|creator| creator.as_str() == user));
    }
    let least = level(&levels, "state_default", 50)
        .saturating_add(1)
        .max(150);
    if let Some(events) = levels
        .entry("events")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    {
        let kind = StateEventType::RoomTombstone.to_string();
        let tombstone = level(events, &kind, least).max(least);
        events.insert(kind, tombstone.into());
    }
    levels
}

/// Power levels for a room whose creators have none of their own: those who stood above all get the highest.
fn with_former_creators(mut levels: Object, creators: &HashSet<OwnedUserId>) -> Object {
    if creators.is_empty() {
        return levels;
    }
    let of = |key: &str| {
        levels
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    let listed = of("users")
        .chain(of("events"))
        .filter_map(|(_, level)| level.as_i64());
    let named = [
        "ban",
        "kick",
        "redact",
        "invite",
        "state_default",
        "events_default",
        "users_default",
    ];
    let highest = named
        .iter()
        .map(|key| level(&levels, key, 0))
        .chain(listed)
        .fold(100, i64::max);
    if let Some(users) = levels
        .entry("users")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    {
        users.extend(
            creators
                .iter()
                .map(|creator| (creator.to_string(), highest.into())),
        );
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn join_rules_that_the_version_does_not_know_close_the_room() {
        let rules = RoomVersionId::V6.rules().unwrap().authorization;
        for rule in ["knock", "restricted", "knock_restricted"] {
            let closed = join_rules(&raw(&json!({"join_rule": rule})), &rules).unwrap();
            assert_eq!(closed.get(), r#"{"join_rule":"invite"}"#);
        }
        assert!(
            join_rules(&raw(&json!({"join_rule": "public"})), &rules)
                .unwrap()
                .get()
                .contains("public")
        );
    }
}
