//! What concerns devices: messages to this one, how many keys it has left, whose devices changed.

use std::collections::BTreeSet;

use orvale_rooms::{Membership, Room, membership};
use orvale_storage::Position;
use ruma::{OwnedUserId, UserId, events::StateEventType};

use super::{
    Asked,
    answer::Writer,
    json::{List, Object},
    timeline::Timeline,
    token::Token,
};
use crate::{Result, delivery::Inner};

/// How many messages to a device one answer brings.
const MESSAGES: usize = 100;

/// With whom the user came to share an encrypted room, or ceased to.
#[derive(Debug, Default)]
pub(super) struct Acquaintances {
    met: BTreeSet<OwnedUserId>,
    parted: BTreeSet<OwnedUserId>,
}

impl Inner {
    /// A client came back with a token: what it was given up to there, it has.
    pub(super) async fn acknowledge(&self, asked: &Asked, since: &Token) -> Result<()> {
        let upto = since.to_device();
        let waits = {
            let followed = self.follow.read();
            followed.session(&asked.user_id).is_some_and(|session| {
                since.position < session.made
                    || session.to_device(asked.device_id.as_str()).is_some()
            })
        };
        if waits {
            self.users
                .acknowledge_to_device(&asked.user_id, &asked.device_id, upto)
                .await?;
            self.follow
                .acknowledged(&asked.user_id, asked.device_id.as_str(), upto);
        }
        Ok(())
    }
}

impl Writer<'_> {
    /// The messages that wait for the device, and the last one's position where more wait than are given.
    pub(super) fn to_device(&self) -> Result<(List, Option<Position>)> {
        let mut events = List::default();
        if !self.news.to_device {
            return Ok((events, None));
        }
        let asked = self.asked;
        let after = asked
            .since
            .as_ref()
            .map_or(Position::START, |token| token.to_device());
        let upto = self.news.reached.position;
        let found = self.inner.users.to_device_messages(
            &asked.user_id,
            &asked.device_id,
            after,
            upto,
            MESSAGES + 1,
        )?;
        for (_, message) in found.iter().take(MESSAGES) {
            let out = events.next();
            out.extend_from_slice(b"{\"content\":");
            out.extend_from_slice(message.content.0.as_bytes());
            out.extend_from_slice(b",\"sender\":");
            serde_json::to_writer(&mut *out, &message.sender).expect("a string");
            out.extend_from_slice(b",\"type\":");
            serde_json::to_writer(&mut *out, &message.kind).expect("a string");
            out.push(b'}');
        }
        let given = found.iter().take(MESSAGES).next_back().map(|(at, _)| *at);
        if let Some(given) = given {
            let last = if found.len() > MESSAGES {
                found[MESSAGES].0
            } else {
                given
            };
            self.inner
                .follow
                .given(&asked.user_id, asked.device_id.as_str(), last);
        }
        Ok((events, given.filter(|_| found.len() > MESSAGES)))
    }

    /// How many keys the device has left. Always told: clients upload keys by it.
    pub(super) fn key_counts(&self, object: &mut Object<'_>) -> Result<()> {
        let counts = self
            .inner
            .users
            .key_counts(&self.asked.user_id, &self.asked.device_id)?;
        object.value("device_one_time_keys_count", &counts.one_time);
        object.value("device_unused_fallback_key_types", &counts.unused_fallback);
        Ok(())
    }

    /// Whose devices changed, and whose the client need not follow any more.
    pub(super) fn device_lists(&mut self, object: &mut Object<'_>) -> Result<()> {
        let Some(since) = self.since else {
            return Ok(());
        };
        let Acquaintances {
            met: mut changed,
            parted,
        } = std::mem::take(&mut self.acquaintances);
        if self.news.device_lists {
            for user_id in self.device_changes(since)? {
                if self.shares_room(&user_id)? {
                    changed.insert(user_id);
                }
            }
        }
        let mut left = BTreeSet::new();
        for user_id in parted {
            if user_id != self.asked.user_id && !self.shares_encrypted_room(&user_id)? {
                changed.remove(&user_id);
                left.insert(user_id);
            }
        }
        if changed.is_empty() && left.is_empty() {
            return Ok(());
        }
        object.object("device_lists", |object| {
            object.value("changed", &changed);
            object.value("left", &left);
            Ok(())
        })
    }

    /// Who changed devices since a position.
    fn device_changes(&self, since: Position) -> Result<Vec<OwnedUserId>> {
        let known = {
            let followed = self.inner.follow.read();
            followed
                .device_changes(since)
                .map(|changes| changes.cloned().collect::<Vec<_>>())
        };
        if let Some(known) = known {
            return Ok(known);
        }
        // From before this process, or long ago: everybody whom the user shares a room with is looked up.
        let mut others = BTreeSet::from([self.asked.user_id.clone()]);
        let joined: Vec<Position> = {
            let followed = self.inner.follow.read();
            followed
                .session(&self.asked.user_id)
                .map(|session| session.joined().collect())
                .unwrap_or_default()
        };
        for room in joined {
            others.extend(self.members(&*self.inner.rooms.get_number(room)?)?);
        }
        let users = &self.inner.users;
        let changed = |user_id: &OwnedUserId| {
            users.is_local(user_id)
                && users
                    .device_list_changed_at(user_id)
                    .is_ok_and(|at| at > since)
        };
        Ok(others.into_iter().filter(changed).collect())
    }

    /// The users in a room.
    fn members(&self, room: &Room) -> Result<Vec<OwnedUserId>> {
        let members = self
            .inner
            .rooms
            .list_state_keys(room, &StateEventType::RoomMember)?
            .into_iter();
        let joined = members.filter(|(_, record)| record.membership == Some(Membership::Join));
        Ok(joined
            .filter_map(|(user_id, _)| UserId::parse(user_id).ok())
            .collect())
    }

    fn is_encrypted(&self, room: &Room) -> Result<bool> {
        Ok(self
            .inner
            .rooms
            .find_state(room, &StateEventType::RoomEncryption, "")?
            .is_some())
    }

    /// Notes whom the client meets by what happened in a room that the user is in, and from whom it parts.
    pub(super) fn meet(
        &mut self,
        room: &Room,
        timeline: &Timeline,
        since: Option<Position>,
    ) -> Result<()> {
        // A client that starts asks for the keys of everybody it meets anyway.
        if self.since.is_none() || !self.is_encrypted(room)? {
            return Ok(());
        }
        let encryption =
            self.inner
                .rooms
                .find_state_at(timeline.known, &StateEventType::RoomEncryption, "")?;
        if since.is_none() || encryption.is_none() {
            let members = self.members(room)?;
            self.acquaintances.met.extend(members);
            return Ok(());
        }
        let changes = self
            .inner
            .rooms
            .list_state_changes(timeline.known, timeline.end)?;
        for event in changes
            .iter()
            .filter(|event| event.pdu.kind == "m.room.member".into())
        {
            let Some(user_id) = event
                .pdu
                .state_key
                .as_deref()
                .and_then(|key| UserId::parse(key).ok())
            else {
                continue;
            };
            let before = self.inner.rooms.find_state_at(
                timeline.known,
                &StateEventType::RoomMember,
                user_id.as_str(),
            )?;
            let before = before.and_then(|event| membership(&event.pdu)) == Some(Membership::Join);
            match (before, membership(&event.pdu) == Some(Membership::Join)) {
                (false, true) => self.acquaintances.met.insert(user_id),
                (true, false) => self.acquaintances.parted.insert(user_id),
                _ => false,
            };
        }
        Ok(())
    }

    /// Notes from whom the client parts by leaving a room.
    pub(super) fn part(&mut self, room: &Room, since: Option<Position>) -> Result<()> {
        if since.is_some() && self.is_encrypted(room)? {
            let members = self.members(room)?;
            self.acquaintances.parted.extend(members);
        }
        Ok(())
    }

    /// Whether the user is in an encrypted room with somebody.
    fn shares_encrypted_room(&self, other: &UserId) -> Result<bool> {
        let theirs = self.inner.rooms.list_memberships(other)?.into_iter();
        let theirs: Vec<Position> = theirs
            .filter(|(_, record)| record.membership == Membership::Join)
            .map(|(room, _)| room)
            .collect();
        let shared: Vec<Position> = {
            let followed = self.inner.follow.read();
            let session = followed.session(&self.asked.user_id);
            theirs
                .into_iter()
                .filter(|room| session.is_some_and(|session| session.is_joined(*room)))
                .collect()
        };
        for room in shared {
            if self.is_encrypted(&*self.inner.rooms.get_number(room)?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
