//! The body of a request to a push gateway.
//!
//! <https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify>

use orvale_rooms::{InviteVerdict, Membership, StoredEvent};
use orvale_users::StoredPusher;
use ruma::{
    UserId,
    api::client::push::PusherKind,
    events::StateEventType,
    push::{Action, HttpPusherData, PushFormat},
};
use serde_json::{Map, Value, json, value::RawValue};

use super::PusherKey;
use crate::{
    Result,
    delivery::Inner,
    push::evaluate::{Evaluator, Verdict},
};

/// Where a pusher's notifications go.
pub(super) fn http(pusher: &StoredPusher) -> Option<&HttpPusherData> {
    match &pusher.pusher.kind {
        PusherKind::Http(data) => Some(data),
        _ => None,
    }
}

fn device(
    key: &PusherKey,
    pusher: &StoredPusher,
    data: &HttpPusherData,
    tweaks: Map<String, Value>,
) -> Value {
    let mut rest = data.data.clone();
    if let Some(format) = &data.format {
        rest.insert("format".to_owned(), format.as_str().into());
    }
    let mut device = json!({
        "app_id": key.app_id,
        "pushkey": key.pushkey,
        "pushkey_ts": pusher.set_at / 1000,
        "data": rest,
    });
    if !tweaks.is_empty() {
        device["tweaks"] = tweaks.into();
    }
    device
}

/// What a rule's actions say of how a notification is shown.
fn tweaks(actions: &[Action]) -> Map<String, Value> {
    let mut tweaks = Map::new();
    for action in actions {
        let action = serde_json::to_value(action).unwrap_or_default();
        if let Some(name) = action.get("set_tweak").and_then(Value::as_str) {
            tweaks.insert(
                name.to_owned(),
                action.get("value").cloned().unwrap_or(Value::Bool(true)),
            );
        }
    }
    tweaks
}

/// A body that tells how much is unread.
pub(super) fn of_badge(
    key: &PusherKey,
    pusher: &StoredPusher,
    data: &HttpPusherData,
    unread: u64,
) -> String {
    let devices = [device(key, pusher, data, Map::new())];
    json!({"notification": {"counts": {"unread": unread}, "devices": devices}}).to_string()
}

/// A field of a state event that an invite shows.
fn in_stripped(
    shown: &[Box<RawValue>],
    kind: &StateEventType,
    state_key: &str,
    field: &str,
) -> Option<String> {
    let kind = kind.to_string();
    let shown = shown.iter();
    let mut shown = shown.filter_map(|event| serde_json::from_str::<Value>(event.get()).ok());
    let found = shown.find(|event| event["type"] == kind && event["state_key"] == state_key)?;
    found["content"][field].as_str().map(str::to_owned)
}

impl Inner {
    /// The body that tells of an event; nothing, if its user is not to be told: the rules do not say so, it was read, the user
    /// may not see it.
    pub(super) fn notification(
        &self,
        key: &PusherKey,
        pusher: &StoredPusher,
        data: &HttpPusherData,
        event: &StoredEvent,
    ) -> Result<Option<String>> {
        let user_id: &UserId = &key.user_id;
        let pdu = &event.pdu;
        let is_target = pdu.kind == "m.room.member".into()
            && pdu.state_key.as_deref() == Some(user_id.as_str());
        let room = self.rooms.get_number(event.room)?;
        if event.is_redacted() || self.users.ignored_users(user_id)?.contains(&pdu.sender) {
            return Ok(None);
        }
        if is_target {
            let now = self.rooms.find_membership(&room, user_id)?;
            if now.is_none_or(|now| {
                now.event != event.position || now.membership != Membership::Invite
            }) || self.rooms.invite_verdict(user_id, &pdu.sender)? != InviteVerdict::Allow
            {
                return Ok(None);
            }
        } else if !self.is_unread(user_id, event)? {
            return Ok(None);
        }
        let rules = self.users.push_rules(user_id)?;
        let evaluator = Evaluator {
            rooms: &self.rooms,
            user_id,
            rules: &rules,
        };
        let facts = self.unread.facts().of(&self.rooms.event(event.position)?);
        let Some(verdict) = evaluator.evaluate(&facts)?.filter(Verdict::notifies) else {
            return Ok(None);
        };
        let tweaks = tweaks(verdict.actions);
        let is_urgent = verdict.highlights() || tweaks.contains_key("sound");
        let mut notification = json!({
            "event_id": pdu.event_id,
            "room_id": event.room_id,
            "counts": {"unread": self.badge(user_id)?},
            "prio": if is_urgent { "high" } else { "low" },
        });
        if data.format != Some(PushFormat::EventIdOnly) {
            notification["type"] = facts.kind().into();
            notification["sender"] = pdu.sender.as_str().into();
            notification["content"] = serde_json::from_str(pdu.content.get()).unwrap_or_default();
            // A room may be known from outside only, as the invite shows it.
            let shown = match is_target {
                true => self.rooms.stripped_state(event)?,
                false => Vec::new(),
            };
            let named =
                |kind: StateEventType, state_key: &str, field: &str| -> Result<Option<String>> {
                    let name = match is_target {
                        true => in_stripped(&shown, &kind, state_key, field),
                        false => self
                            .rooms
                            .find_state_at(event.state_after(), &kind, state_key)?
                            .and_then(|state| state.pdu.content_field::<String>(field)),
                    };
                    Ok(name.filter(|name| !name.is_empty()))
                };
            let names = [
                (
                    "sender_display_name",
                    named(
                        StateEventType::RoomMember,
                        pdu.sender.as_str(),
                        "displayname",
                    )?,
                ),
                ("room_name", named(StateEventType::RoomName, "", "name")?),
                (
                    "room_alias",
                    named(StateEventType::RoomCanonicalAlias, "", "alias")?,
                ),
            ];
            for (field, name) in names {
                if let Some(name) = name {
                    notification[field] = name.into();
                }
            }
            if is_target {
                notification["user_is_target"] = true.into();
            }
        }
        notification["devices"] = json!([device(key, pusher, data, tweaks)]);
        Ok(Some(json!({ "notification": notification }).to_string()))
    }
}
