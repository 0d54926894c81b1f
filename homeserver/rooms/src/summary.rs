//! What is shown of a room to those who are not in it, and who they may be.

use std::sync::Arc;

use orvale_storage::{
    Position,
    trees::rooms::{HEADS, Membership},
};
use quick_cache::Weighter;
use ruma::{
    OwnedMxcUri, OwnedRoomAliasId, OwnedRoomId, RoomId, RoomVersionId, UserId,
    events::{StateEventType, room::join_rules::JoinRule},
    room::{AllowRule, JoinRuleKind, JoinRuleSummary, Restricted, RoomType},
};
use serde::Serialize;

use crate::{
    Room, Rooms,
    error::{Error, Result},
    spaces::Child,
    state::StateId,
};

/// What is shown of a room to those who are not in it.
///
/// <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias>
#[derive(Debug, Clone, Serialize)]
pub struct RoomSummary {
    /// Its ID.
    pub room_id: OwnedRoomId,
    /// Its main alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical_alias: Option<OwnedRoomAliasId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<OwnedMxcUri>,
    /// What kind of room it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_type: Option<RoomType>,
    /// How many users are in it.
    pub num_joined_members: u64,
    /// Who may join.
    pub join_rule: JoinRuleKind,
    /// The rooms whose members may join.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_room_ids: Vec<OwnedRoomId>,
    /// Whether everybody may read its history.
    pub world_readable: bool,
    /// Whether guests may join.
    pub guest_can_join: bool,
    /// The algorithm by which its messages are encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    /// Its version; not all servers tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_version: Option<RoomVersionId>,
}

/// As another server tells of a room.
impl From<ruma::room::RoomSummary> for RoomSummary {
    fn from(theirs: ruma::room::RoomSummary) -> Self {
        let join_rule = JoinRuleKind::from(theirs.join_rule.as_str());
        let allowed_room_ids = match theirs.join_rule {
            JoinRuleSummary::Restricted(rule) | JoinRuleSummary::KnockRestricted(rule) => {
                rule.allowed_room_ids
            }
            _ => Vec::new(),
        };
        Self {
            room_id: theirs.room_id,
            canonical_alias: theirs.canonical_alias,
            name: theirs.name,
            topic: theirs.topic,
            avatar_url: theirs.avatar_url,
            room_type: theirs.room_type,
            num_joined_members: theirs.num_joined_members.into(),
            join_rule,
            allowed_room_ids,
            world_readable: theirs.world_readable,
            guest_can_join: theirs.guest_can_join,
            encryption: theirs.encryption.map(|algorithm| algorithm.to_string()),
            room_version: theirs.room_version,
        }
    }
}

/// A room as it looks from outside in one of its states.
#[derive(Debug)]
pub(crate) struct Outside {
    state: StateId,
    pub(crate) summary: RoomSummary,
    /// The rooms in it, if it is a space, in the order they are shown in.
    pub(crate) children: Vec<Child>,
}

/// Weighs a room by what its outside holds in memory.
#[derive(Debug, Clone)]
pub(crate) struct OutsideBytes;

impl Weighter<Position, Arc<Outside>> for OutsideBytes {
    fn weight(&self, _: &Position, outside: &Arc<Outside>) -> u64 {
        let children: usize = outside.children.iter().map(Child::bytes).sum();
        let topic = outside.summary.topic.as_ref().map_or(0, String::len);
        (1024 + topic + children) as u64
    }
}

impl Rooms {
    /// The summary of a room for a user, or for somebody whom nobody knows; and how the user stands in it.
    ///
    /// # Errors
    /// [`Error::UnknownRoom`], also if they may not know of it.
    pub fn room_summary(
        &self,
        user: Option<&UserId>,
        id: &RoomId,
    ) -> Result<(RoomSummary, Option<Membership>)> {
        let unknown = || Error::UnknownRoom(id.to_owned());
        let room = self.find(id)?.ok_or_else(unknown)?;
        let outside = self.outside(&room)?;
        let membership = match user {
            Some(user) => self
                .find_membership(&room, user)?
                .map(|found| found.membership),
            None => None,
        };
        // Who asked to be let in waits in front of a room that they have seen.
        let knocks = membership == Some(Membership::Knock);
        if !knocks && !self.may_know(user, &room, &outside)? {
            return Err(unknown());
        }
        Ok((self.summary_now(&room, &outside)?, membership))
    }

    /// Whether somebody may know of a room: who is in it, may join or knock, or may read it.
    ///
    /// <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy>
    pub(crate) fn may_know(
        &self,
        user: Option<&UserId>,
        room: &Room,
        outside: &Outside,
    ) -> Result<bool> {
        let Outside { summary, .. } = outside;
        let membership = match user {
            Some(user) => self
                .find_membership(room, user)?
                .map(|found| found.membership),
            None => None,
        };
        if summary.world_readable {
            return Ok(true);
        }
        match membership {
            Some(Membership::Join | Membership::Invite) => return Ok(true),
            Some(Membership::Ban) => return Ok(false),
            Some(Membership::Knock | Membership::Leave) | None => {}
        }
        let rules = &room.rules.authorization;
        match summary.join_rule {
            JoinRuleKind::Public => return Ok(true),
            JoinRuleKind::Knock if rules.knocking => return Ok(true),
            JoinRuleKind::KnockRestricted if rules.knock_restricted_join_rule => return Ok(true),
            _ => {}
        }
        let Some(user) = user.filter(|_| rules.restricted_join_rule) else {
            return Ok(false);
        };
        for allowed in &summary.allowed_room_ids {
            if let Some(allowed) = self.find(allowed)?
                && self.is_joined(user, &allowed)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a user may know of a room that is not here, and of which another server lets this one know.
    ///
    /// # Errors
    /// Storage's.
    pub fn may_know_elsewhere(&self, user: &UserId, summary: &RoomSummary) -> Result<bool> {
        let open = matches!(
            summary.join_rule,
            JoinRuleKind::Public | JoinRuleKind::Knock | JoinRuleKind::KnockRestricted
        );
        if summary.world_readable || open {
            return Ok(true);
        }
        for allowed in &summary.allowed_room_ids {
            if let Some(allowed) = self.find(allowed)?
                && self.is_joined(user, &allowed)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether everybody may join a room, or read it: who is in it is known to all.
    ///
    /// # Errors
    /// Storage's.
    pub fn is_open_to_all(&self, number: Position) -> Result<bool> {
        let outside = self.outside(&*self.get_number(number)?)?;
        let summary = &outside.summary;
        Ok(summary.world_readable || summary.join_rule == JoinRuleKind::Public)
    }

    /// The summary with the number of members there are now.
    pub(crate) fn summary_now(&self, room: &Room, outside: &Outside) -> Result<RoomSummary> {
        Ok(RoomSummary {
            num_joined_members: self.count_joined(room.number)?,
            ..outside.summary.clone()
        })
    }

    /// A room as it looks from outside; made once for each of its states.
    pub(crate) fn outside(&self, room: &Room) -> Result<Arc<Outside>> {
        let head = self.store().get(&HEADS, (room.number,))?;
        let state = StateId(head.unwrap_or_default().state);
        if let Some(known) = self.inner.outsides.get(&room.number)
            && known.state == state
        {
            return Ok(known);
        }
        let chunk = self.public_chunk(room, state)?;
        let rules = self.find_state_at(state, &StateEventType::RoomJoinRules, "")?;
        let rules = rules.and_then(|event| event.pdu.content_as::<JoinRule>().ok());
        let encryption = self.find_state_at(state, &StateEventType::RoomEncryption, "")?;
        let children = match chunk.room_type {
            Some(RoomType::Space) => self.children(room)?,
            _ => Vec::new(),
        };
        let summary = RoomSummary {
            room_id: chunk.room_id,
            canonical_alias: chunk.canonical_alias,
            name: chunk.name,
            topic: chunk.topic,
            avatar_url: chunk.avatar_url,
            room_type: chunk.room_type,
            num_joined_members: 0,
            join_rule: chunk.join_rule,
            allowed_room_ids: rules.map(allowed).unwrap_or_default(),
            world_readable: chunk.world_readable,
            guest_can_join: chunk.guest_can_join,
            encryption: encryption.and_then(|event| event.pdu.content_field("algorithm")),
            room_version: Some(room.version.clone()),
        };
        let outside = Arc::new(Outside {
            state,
            summary,
            children,
        });
        self.inner.outsides.insert(room.number, outside.clone());
        Ok(outside)
    }
}

/// The rooms whose members a join rule lets in.
fn allowed(rule: JoinRule) -> Vec<OwnedRoomId> {
    let (JoinRule::Restricted(Restricted { allow, .. })
    | JoinRule::KnockRestricted(Restricted { allow, .. })) = rule
    else {
        return Vec::new();
    };
    let rooms = allow.into_iter().filter_map(|rule| match rule {
        AllowRule::RoomMembership(rule) => Some(rule.room_id),
        _ => None,
    });
    rooms.collect()
}
