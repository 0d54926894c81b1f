//! What a room begins with: its first events, by its preset and by what its creator gives.

use ruma::{OwnedUserId, RoomAliasId, RoomVersionId, UserId, events::StateEventType};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    Draft, NewRoom, Preset, Rooms,
    create::invite_content,
    error::{Error, Result},
    json::{Object, object, privileges_creators, raw, state},
    member::MemberContent,
};

/// With how many state events of its creator's a room may start: they are written as one.
pub(crate) const MAX_INITIAL_STATE: usize = 1000;

/// A state event of `initial_state`.
#[derive(Deserialize)]
struct InitialState {
    #[serde(rename = "type")]
    kind: StateEventType,
    #[serde(default)]
    state_key: String,
    content: Box<RawValue>,
}

impl Rooms {
    /// The first events, in the order of the specification.
    pub(crate) fn first_events(
        &self,
        creator: &UserId,
        version: &RoomVersionId,
        alias: Option<&RoomAliasId>,
        new: &NewRoom,
    ) -> Result<Vec<Draft>> {
        if new.initial_state.len() > MAX_INITIAL_STATE {
            let message = format!("a room starts with at most {MAX_INITIAL_STATE} state events");
            return Err(Error::InvalidParam(message));
        }
        let invited = self.invited(creator, new)?;
        let mut initial = new
            .initial_state
            .iter()
            .map(|json| initial_state(json))
            .collect::<Result<Vec<_>>>()?;
        for event in &initial {
            let InitialState { kind, content, .. } = event;
            self.check_state_content(kind, content)
                .map_err(|e| Error::InvalidRoomState(e.to_string()))?;
        }
        // Sent in place of the default: afterwards the creator might not have the power to.
        let at = initial
            .iter()
            .position(|e| e.kind == StateEventType::RoomPowerLevels && e.state_key.is_empty());
        let mut levels = match at {
            Some(at) => object(&initial.remove(at).content)?,
            None => power_levels(creator, version, &invited, new)?,
        };
        let create = create_content(creator, version, &invited, new)?;
        if privileges_creators(version) {
            leave_creators_out(&mut levels, creator, &create);
        }
        self.check_state_content(&StateEventType::RoomPowerLevels, &raw(&levels))
            .map_err(|e| Error::InvalidRoomState(e.to_string()))?;

        let profile = self.member_profile(creator)?;
        let mut drafts = vec![
            state(creator, StateEventType::RoomCreate, &create),
            MemberContent::new("join")
                .or(&profile)
                .draft(creator, creator),
            state(creator, StateEventType::RoomPowerLevels, &levels),
        ];
        if let Some(alias) = alias {
            drafts.push(state(
                creator,
                StateEventType::RoomCanonicalAlias,
                &json!({"alias": alias}),
            ));
        }
        for (kind, content) in preset_state(new.preset) {
            let is_given = initial
                .iter()
                .any(|e| e.kind == kind && e.state_key.is_empty());
            if !is_given {
                drafts.push(state(creator, kind, &content));
            }
        }
        for InitialState {
            kind,
            state_key,
            content,
        } in initial
        {
            drafts.push(Draft::state(creator, kind, &state_key, content));
        }
        if let Some(name) = &new.name {
            drafts.push(state(
                creator,
                StateEventType::RoomName,
                &json!({"name": name}),
            ));
        }
        if let Some(topic) = &new.topic {
            drafts.push(state(
                creator,
                StateEventType::RoomTopic,
                &topic_content(topic),
            ));
        }
        for invitee in invited.iter().filter(|user| self.is_local(user)) {
            let content = invite_content(new).or(&self.member_profile(invitee)?);
            drafts.push(content.draft(creator, invitee));
        }
        Ok(drafts)
    }
}

fn initial_state(json: &RawValue) -> Result<InitialState> {
    let event: InitialState = serde_json::from_str(json.get())
        .map_err(|e| Error::BadContent(format!("initial_state holds no state event: {e}")))?;
    match event.kind {
        StateEventType::RoomCreate | StateEventType::RoomMember => Err(Error::InvalidRoomState(
            format!("{} cannot be part of initial_state", event.kind),
        )),
        _ => Ok(event),
    }
}

fn create_content(
    creator: &UserId,
    version: &RoomVersionId,
    invited: &[OwnedUserId],
    new: &NewRoom,
) -> Result<Object> {
    let mut content = new
        .creation_content
        .as_deref()
        .map(object)
        .transpose()?
        .unwrap_or_default();
    content.insert("room_version".to_owned(), version.as_str().into());
    let rules = version
        .rules()
        .ok_or_else(|| Error::UnsupportedRoomVersion(version.to_string()))?;
    if rules.authorization.use_room_create_sender {
        content.remove("creator");
    } else {
        content.insert("creator".to_owned(), creator.as_str().into());
    }
    if privileges_creators(version) && new.preset == Preset::TrustedPrivate && !invited.is_empty() {
        let more = content
            .entry("additional_creators")
            .or_insert_with(|| json!([]));
        let more = more.as_array_mut().ok_or_else(|| {
            Error::BadContent("additional_creators is a list of user IDs".to_owned())
        })?;
        for user in invited {
            if !more.iter().any(|other| other == user.as_str()) {
                more.push(user.as_str().into());
            }
        }
    }
    Ok(content)
}

fn power_levels(
    creator: &UserId,
    version: &RoomVersionId,
    invited: &[OwnedUserId],
    new: &NewRoom,
) -> Result<Object> {
    let mut users = Object::new();
    if !privileges_creators(version) {
        users.insert(creator.to_string(), 100.into());
        if new.preset == Preset::TrustedPrivate {
            users.extend(invited.iter().map(|user| (user.to_string(), 100.into())));
        }
    }
    // Closing a room for good is the creators' where they stand above all.
    let tombstone = if privileges_creators(version) {
        150
    } else {
        100
    };
    let levels = json!({
        "users": users,
        "users_default": 0,
        "events": {
            "m.room.name": 50,
            "m.room.avatar": 50,
            "m.room.canonical_alias": 50,
            "m.room.power_levels": 100,
            "m.room.history_visibility": 100,
            "m.room.tombstone": tombstone,
            "m.room.server_acl": 100,
            "m.room.encryption": 100,
        },
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": if new.preset == Preset::Public { 50 } else { 0 },
    });
    let Value::Object(mut levels) = levels else {
        return Ok(Object::new());
    };
    if let Some(given) = &new.power_levels {
        levels.extend(object(given)?);
    }
    Ok(levels)
}

/// The level that clients gave those who were to have all power, when rooms knew nothing above it.
const ALL_POWER: i64 = 100;

/// Creators that a client lists with all power have it without being listed, and may not be.
fn leave_creators_out(levels: &mut Object, creator: &UserId, create: &Object) {
    let Some(users) = levels.get_mut("users").and_then(Value::as_object_mut) else {
        return;
    };
    let others = create.get("additional_creators").and_then(Value::as_array);
    let is_creator = |user: &str| {
        user == creator || others.is_some_and(|others| others.iter().any(|other| other == user))
    };
    users.retain(|user, level| {
        !is_creator(user) || level.as_i64().is_none_or(|level| level < ALL_POWER)
    });
}

fn preset_state(preset: Preset) -> [(StateEventType, Value); 3] {
    let (join_rule, guest_access) = match preset {
        Preset::Private | Preset::TrustedPrivate => ("invite", "can_join"),
        Preset::Public => ("public", "forbidden"),
    };
    [
        (
            StateEventType::RoomJoinRules,
            json!({"join_rule": join_rule}),
        ),
        (
            StateEventType::RoomHistoryVisibility,
            json!({"history_visibility": "shared"}),
        ),
        (
            StateEventType::RoomGuestAccess,
            json!({"guest_access": guest_access}),
        ),
    ]
}

fn topic_content(topic: &str) -> Value {
    json!({"topic": topic, "m.topic": {"m.text": [{"body": topic, "mimetype": "text/plain"}]}})
}
