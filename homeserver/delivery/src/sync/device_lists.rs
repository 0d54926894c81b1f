//! Whose devices a client has to look at anew, and whose it need not follow any more.
//!
//! <https://spec.matrix.org/latest/client-server-api/#tracking-the-device-list-for-a-user>
//!
//! Found from the log and from the states of rooms, not from what an answer shows: a filter that leaves a room out, or a gap in
//! its timeline, changes nothing here. A room costs what its state changed by, and nothing if it did not.

use std::collections::{BTreeSet, HashSet};

use orvale_rooms::{Membership, Order, Room, StateId, membership};
use orvale_storage::Position;
use ruma::{
    OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType},
};

use crate::{
    Delivery, Error, Result,
    delivery::{Inner, blocking},
    follow::{RecentEvent, Standing},
    sync::token::Token,
};

/// With so many users to look at the work is not done between other tasks' turns.
const MANY_USERS: usize = 64;
/// With so many users whose devices changed it is cheaper to ask the other way round: who of those in one's rooms is among them.
const MANY_CHANGES: usize = 10_000;

/// Whose devices changed, and whose are of no concern any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceLists {
    /// Users whose devices or cross-signing keys changed, and those who came to share an encrypted room with the reader.
    pub changed: BTreeSet<OwnedUserId>,
    /// Users who do not share an encrypted room with the reader any more.
    pub left: BTreeSet<OwnedUserId>,
}

impl DeviceLists {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.left.is_empty()
    }
}

/// With whom a user came to share an encrypted room, or ceased to, room by room.
#[derive(Debug, Default)]
struct Acquaintances {
    met: BTreeSet<OwnedUserId>,
    parted: BTreeSet<OwnedUserId>,
}

/// A room in which something happened.
struct Changed {
    room: Position,
    standing: Standing,
    recent: Option<Vec<RecentEvent>>,
}

impl Delivery {
    /// Whose devices changed for a user since a sync's token, for a client that did not sync since then.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::FutureToken`]; storage's.
    pub async fn key_changes(&self, user_id: &UserId, from: &str, to: &str) -> Result<DeviceLists> {
        let inner = &*self.inner;
        let from = Token::parse(from, inner.process)?;
        // Just a hint: what happened since is told as well, as it would be in the client's next sync.
        Token::parse(to, inner.process)?;
        let _session = inner
            .follow
            .open(&inner.rooms, &inner.users, user_id)
            .await?;
        if from.position > inner.follow.read().at {
            return Err(Error::FutureToken);
        }
        inner.device_lists(user_id, from.position)
    }
}

impl Inner {
    /// Whose devices changed for a user who syncs since a position, and with whom they share no encrypted room any more.
    pub(crate) fn device_lists(&self, user_id: &UserId, since: Position) -> Result<DeviceLists> {
        let (rooms, joined, changes) = {
            let followed = self.follow.read();
            let Some(session) = followed.session(user_id) else {
                return Ok(DeviceLists::default());
            };
            let rooms: Vec<Changed> = session
                .changed(since)
                .filter(|(_, standing)| standing.events > since)
                .map(|(room, standing)| Changed {
                    room,
                    standing: *standing,
                    recent: followed
                        .room(room)
                        .filter(|_| standing.membership == Membership::Join)
                        .and_then(|online| online.recent.since(since)),
                })
                .collect();
            // Who changed their devices while they shared no room and are back since were not told of then.
            let may_be_back = rooms.iter().any(Changed::may_matter);
            let changes = (session.device_lists > since || may_be_back).then(|| {
                let changes = followed.device_changes(since, user_id);
                changes.map(|changes| changes.cloned().collect::<BTreeSet<_>>())
            });
            // Only where somebody is looked for.
            let joined: HashSet<Position> = if changes.is_some() {
                session.joined().collect()
            } else {
                HashSet::new()
            };
            (rooms, joined, changes)
        };
        let mut acquaintances = Acquaintances::default();
        for changed in rooms.iter().filter(|changed| changed.may_matter()) {
            self.acquainted(user_id, since, changed, &mut acquaintances)?;
        }
        let Acquaintances { met, parted } = acquaintances;
        let mut lists = DeviceLists {
            changed: met,
            left: BTreeSet::new(),
        };
        match changes {
            None => {}
            Some(Some(changes)) => {
                self.add_sharing(user_id, changes, &joined, &mut lists.changed)?;
            }
            Some(None) => blocking(|| self.long_ago(user_id, since, &joined, &mut lists.changed))?,
        }
        let few = parted.len() < MANY_USERS;
        let part = || self.parted(user_id, parted, &joined);
        lists.left = if few { part()? } else { blocking(part)? };
        lists.changed.retain(|other| !lists.left.contains(other));
        Ok(lists)
    }

    /// Adds those who are the user, or share a room with them.
    fn add_sharing(
        &self,
        user_id: &UserId,
        others: BTreeSet<OwnedUserId>,
        joined: &HashSet<Position>,
        to: &mut BTreeSet<OwnedUserId>,
    ) -> Result<()> {
        let many = others.len() >= MANY_USERS;
        let add = || {
            for other in others {
                if !to.contains(&other)
                    && (other == user_id || self.shares(&other, joined, |_| Ok(true))?)
                {
                    to.insert(other);
                }
            }
            Ok(())
        };
        if many { blocking(add) } else { add() }
    }

    /// Whether somebody is in one of some rooms that passes a test.
    fn shares(
        &self,
        other: &UserId,
        rooms: &HashSet<Position>,
        passes: impl Fn(Position) -> Result<bool>,
    ) -> Result<bool> {
        for (room, record) in self.rooms.list_memberships(other)? {
            if record.membership == Membership::Join && rooms.contains(&room) && passes(room)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds whose devices changed since a position that is from before this process, or long ago.
    fn long_ago(
        &self,
        user_id: &UserId,
        since: Position,
        joined: &HashSet<Position>,
        changed: &mut BTreeSet<OwnedUserId>,
    ) -> Result<()> {
        changed.extend(self.users.key_signatures_changed(user_id, since)?);
        let changes = self.users.device_lists_changed(since, MANY_CHANGES)?;
        if changes.len() < MANY_CHANGES {
            let changes = changes.into_iter().collect();
            return self.add_sharing(user_id, changes, joined, changed);
        }
        let mut others = BTreeSet::from([user_id.to_owned()]);
        for room in joined {
            others.extend(self.members(&*self.rooms.get_number(*room)?)?);
        }
        for other in others {
            if self.users.device_list_changed_at(&other)? > since {
                changed.insert(other);
            }
        }
        Ok(())
    }

    /// Those of some users who share no encrypted room with the user.
    fn parted(
        &self,
        user_id: &UserId,
        others: BTreeSet<OwnedUserId>,
        joined: &HashSet<Position>,
    ) -> Result<BTreeSet<OwnedUserId>> {
        let mut left = BTreeSet::new();
        for other in others {
            let is_encrypted = |room| self.is_encrypted(&*self.rooms.get_number(room)?);
            if other != user_id && !self.shares(&other, joined, is_encrypted)? {
                left.insert(other);
            }
        }
        Ok(left)
    }

    /// Notes whom the user met by what happened in a room, and from whom they parted.
    fn acquainted(
        &self,
        user_id: &UserId,
        since: Position,
        changed: &Changed,
        acquaintances: &mut Acquaintances,
    ) -> Result<()> {
        let room = self.rooms.get_number(changed.room)?;
        // Encryption is never taken back.
        if !self.is_encrypted(&room)? {
            return Ok(());
        }
        let then = self.state_then(&room, since, changed)?;
        let is_in = changed.standing.membership == Membership::Join;
        let was_in = is_in && changed.standing.since <= since || self.was_joined(then, user_id)?;
        // Before all members were known, nobody was told who they are.
        let whole_since = self.rooms.whole_since(changed.room);
        let shared = was_in
            && whole_since.is_none_or(|at| at <= since)
            && self
                .rooms
                .find_state_at(then, &StateEventType::RoomEncryption, "")?
                .is_some();
        match (shared, is_in) {
            (false, false) => {}
            (false, true) => {
                let members = self.members(&room)?.into_iter();
                acquaintances
                    .met
                    .extend(members.filter(|other| other != user_id));
            }
            (true, _) => {
                let now = self.rooms.event(self.rooms.last_event(changed.room)?)?;
                let changes = self.rooms.list_state_changes(then, now.room_after())?;
                let members = changes
                    .iter()
                    .filter(|event| event.pdu.kind == TimelineEventType::RoomMember);
                let mut stayed: BTreeSet<OwnedUserId> = if is_in {
                    BTreeSet::new()
                } else {
                    self.members(&room)?.into_iter().collect()
                };
                for event in members {
                    let state_key = event.pdu.state_key.as_deref();
                    let Some(other) = state_key.and_then(|key| UserId::parse(key).ok()) else {
                        continue;
                    };
                    stayed.remove(&other);
                    let before = self.was_joined(then, &other)?;
                    let after = is_in && membership(&event.pdu) == Some(Membership::Join);
                    match (before, after) {
                        (false, true) => acquaintances.met.insert(other),
                        (true, false) => acquaintances.parted.insert(other),
                        _ => false,
                    };
                }
                acquaintances.parted.extend(stayed);
            }
        }
        acquaintances.met.remove(user_id);
        Ok(())
    }

    /// The state of a room at a position.
    fn state_then(&self, room: &Room, since: Position, changed: &Changed) -> Result<StateId> {
        if let Some(first) = changed.recent.as_ref().and_then(|recent| recent.first()) {
            return Ok(first.before);
        }
        let last = self
            .rooms
            .list_backwards(room, Order::live(since), Order::START, 1)?;
        Ok(last
            .first()
            .map_or(StateId::EMPTY, |(_, event)| event.room_after()))
    }

    fn was_joined(&self, state: StateId, user_id: &UserId) -> Result<bool> {
        let member =
            self.rooms
                .find_state_at(state, &StateEventType::RoomMember, user_id.as_str())?;
        Ok(member.and_then(|event| membership(&event.pdu)) == Some(Membership::Join))
    }

    fn is_encrypted(&self, room: &Room) -> Result<bool> {
        Ok(self
            .rooms
            .find_state(room, &StateEventType::RoomEncryption, "")?
            .is_some())
    }

    /// The users in a room.
    fn members(&self, room: &Room) -> Result<Vec<OwnedUserId>> {
        let members = self
            .rooms
            .list_state_keys(room, &StateEventType::RoomMember)?
            .into_iter();
        let joined = members.filter(|(_, record)| record.membership == Some(Membership::Join));
        Ok(joined
            .filter_map(|(user_id, _)| UserId::parse(user_id).ok())
            .collect())
    }
}

impl Changed {
    /// Whether the room's state may have changed: messages alone acquaint nobody.
    fn may_matter(&self) -> bool {
        match self.recent.as_deref() {
            Some([]) => false,
            Some([first, .., last]) => first.before != last.after,
            Some([only]) => only.before != only.after,
            None => true,
        }
    }
}
