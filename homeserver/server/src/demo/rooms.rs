//! How rooms are made, and how people stand in them.

use anyhow::{Context, Result};
use orvale_rooms::{NewRoom, NewState, Preset};
use ruma::{OwnedRoomId, OwnedUserId, RoomId, events::StateEventType};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use super::{
    Demo, JOINED, ago,
    people::{ADA, PEOPLE},
};

/// So many minutes ago, or a little more, the rooms were made: before anything was said.
const FOUNDED: u64 = 600;

/// A channel of the organisation.
pub(super) struct Channel {
    pub(super) creator: usize,
    pub(super) alias: &'static str,
    pub(super) name: &'static str,
    pub(super) topic: &'static str,
    pub(super) access: Access,
    /// Who may write: the power level it takes.
    pub(super) posting: i64,
    /// Who else has a role, by power level.
    pub(super) roles: &'static [(usize, i64)],
}

/// Who can come into a channel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Everybody,
    /// Whoever is in the organisation's space.
    Organisation,
    /// Who asked and was let in.
    Knocking,
    Invited,
}

pub(super) const EVERYBODY_WRITES: i64 = 0;
pub(super) const MODERATORS_WRITE: i64 = 50;

impl Demo<'_> {
    /// A channel in the organisation's space, as the web client makes one.
    pub(super) async fn channel(&self, space: &RoomId, channel: Channel) -> Result<OwnedRoomId> {
        let via = [self.rooms.server_name()];
        let is_public = channel.access == Access::Everybody;
        let kind = if is_public {
            "public_channel"
        } else {
            "private_channel"
        };
        let mut initial_state = vec![
            state("com.orvale.channel", &json!({ "kind": kind }))?,
            to_raw_value(&json!({
                "type": "m.space.parent", "state_key": space, "content": { "via": via, "canonical": true },
            }))?,
        ];
        let join_rule = match channel.access {
            Access::Everybody | Access::Invited => None,
            Access::Knocking => Some(json!({ "join_rule": "knock" })),
            Access::Organisation => Some(json!({
                "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": space }],
            })),
        };
        if let Some(rule) = join_rule {
            initial_state.push(state("m.room.join_rules", &rule)?);
        }
        let users: serde_json::Map<String, Value> = channel
            .roles
            .iter()
            .map(|(who, level)| (self.people[*who].to_string(), (*level).into()))
            .collect();
        let levels = json!({
            "users": users,
            "events_default": channel.posting,
            "events": {
                "m.room.name": 75, "m.room.topic": 50, "m.room.avatar": 75, "m.room.canonical_alias": 75,
                "m.room.power_levels": 50, "m.room.join_rules": 75, "m.room.history_visibility": 75,
                "m.room.guest_access": 75, "m.room.encryption": 75, "m.room.pinned_events": 50,
                "m.room.server_acl": 100, "m.room.tombstone": 100, "m.space.parent": 75, "com.orvale.channel": 75,
                "com.orvale.member.block": 50, "m.reaction": 0, "m.room.redaction": 0,
            },
        });
        let new = NewRoom {
            preset: if is_public {
                Preset::Public
            } else {
                Preset::Private
            },
            is_published: matches!(channel.access, Access::Everybody | Access::Knocking),
            alias: Some(channel.alias.to_owned()),
            name: Some(channel.name.to_owned()),
            topic: Some(channel.topic.to_owned()),
            power_levels: Some(to_raw_value(&levels)?),
            initial_state,
            ..NewRoom::default()
        };
        let room = self.room(channel.creator, new).await?;
        // Whoever made the space keeps its list.
        let child = NewState {
            kind: "m.space.child".into(),
            state_key: room.to_string(),
            content: to_raw_value(&json!({ "via": via, "suggested": true }))?,
            timestamp: None,
        };
        self.rooms
            .send_state(&self.people[ADA], space, child)
            .await?;
        Ok(room)
    }

    /// A room older than what is said in it.
    pub(super) async fn room(&self, creator: usize, new: NewRoom) -> Result<OwnedRoomId> {
        // No two at the same moment: what they are made of would be the same, and so would be their ids.
        let created = Some(ago(FOUNDED + self.next()));
        let new = NewRoom { created, ..new };
        let room = self.rooms.create(&self.people[creator], new).await?;
        Ok(room.id.clone())
    }

    pub(super) async fn join(&self, who: usize, room: &RoomId) -> Result<()> {
        self.stand(who, who, room, "join").await
    }

    /// Says how somebody stands in a room, before anything was said there.
    pub(super) async fn stand(
        &self,
        by: usize,
        who: usize,
        room: &RoomId,
        membership: &str,
    ) -> Result<()> {
        let person = &self.people[who];
        let name = PEOPLE[who].1;
        let state = NewState {
            kind: StateEventType::RoomMember,
            state_key: person.to_string(),
            content: to_raw_value(&json!({ "membership": membership, "displayname": name }))
                .context("JSON can be written")?,
            timestamp: Some(ago(JOINED)),
        };
        self.rooms.send_state(&self.people[by], room, state).await?;
        Ok(())
    }

    pub(super) fn ids(&self, who: &[usize]) -> Vec<OwnedUserId> {
        who.iter().map(|who| self.people[*who].clone()).collect()
    }
}

/// A state event a room starts with.
pub(super) fn state(kind: &str, content: &Value) -> Result<Box<RawValue>> {
    Ok(to_raw_value(
        &json!({ "type": kind, "state_key": "", "content": content }),
    )?)
}
