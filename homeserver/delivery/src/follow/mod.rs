//! What the log says to whom: kept in memory for users who sync, moved on by one task.
//!
//! - [`Followed`] is the picture of everything up to one position of the log: a [`Session`] for each user who syncs, and for
//!   each room with such a member who these are and what happened last. It is behind one lock: whoever reads sees exactly what the log
//!   held at its position, and reading copies little.
//! - `log.rs` is the task that moves it on, entry by entry, and wakes whoever waits for what an entry says.
//! - `build.rs` makes a session at a user's first sync, by one walk over the user's rooms.
//! - `hubs.rs` follows what is not in the log: typing and presence.
//!
//! So an event costs one update for each member who syncs, and a sync asks "which of my rooms changed since then?" at the
//! price of the answer.

mod build;
mod hubs;
mod log;
mod session;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use orvale_rooms::{Membership, NewMembership, StateId};
use orvale_storage::Position;
use parking_lot::{RwLock, RwLockReadGuard};
use ruma::{OwnedUserId, UserId};
use tokio::sync::watch;

#[cfg(test)]
pub(crate) use session::News;
pub(crate) use session::{Pulse, Session, Standing};

/// Everything that is followed, and where it stands.
#[derive(Debug)]
pub(crate) struct Follow {
    followed: RwLock<Followed>,
    at: watch::Sender<Position>,
    budget: usize,
}

impl Follow {
    /// Nothing followed yet, standing at a position. Sessions may take `budget` bytes.
    pub(crate) fn new(at: Position, budget: usize) -> Self {
        let devices = Devices {
            after: at,
            ..Devices::default()
        };
        let followed = Followed {
            at,
            devices,
            ..Followed::default()
        };
        Self {
            followed: RwLock::new(followed),
            at: watch::Sender::new(at),
            budget,
        }
    }

    /// The picture now.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Followed> {
        self.followed.read()
    }

    /// Notes that messages up to a position were given to a device, which has to acknowledge them.
    pub(crate) fn given(&self, user_id: &UserId, device_id: &str, last: Position) {
        self.change(user_id, |session| session.message(device_id, last));
    }

    /// Notes that a device has acknowledged the messages up to a position.
    pub(crate) fn acknowledged(&self, user_id: &UserId, device_id: &str, upto: Position) {
        self.change(user_id, |session| session.acknowledge(device_id, upto));
    }

    fn change(&self, user_id: &UserId, change: impl FnOnce(&mut Session)) {
        let mut followed = self.followed.write();
        if let Some(slot) = followed.by_user.get(user_id).copied()
            && let Some(session) = followed.sessions.get_mut(slot)
        {
            change(session);
        }
    }

    /// Waits until everything up to a position is in the picture.
    pub(crate) async fn reach(&self, position: Position) {
        if *self.at.borrow() >= position {
            return;
        }
        // The sender lives in `self`.
        let _ = self.at.subscribe().wait_for(|at| *at >= position).await;
    }
}

/// What the log says up to a position.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// The position.
    pub(crate) at: Position,
    sessions: Slots,
    by_user: HashMap<OwnedUserId, u32>,
    rooms: HashMap<Position, Online>,
    /// Users whose devices changed lately, for `device_lists`.
    devices: Devices,
    bytes: usize,
}

/// A room with members who sync.
#[derive(Debug, Default)]
pub(crate) struct Online {
    /// Their slots.
    members: Vec<u32>,
    /// Its last events.
    pub(crate) recent: Recent,
}

/// The last events of a room's timeline, oldest first, complete after a position.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    after: Position,
    events: VecDeque<RecentEvent>,
}

/// An event that came lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecentEvent {
    /// Its number.
    pub(crate) at: Position,
    /// The state before it.
    pub(crate) before: StateId,
    /// The state after it.
    pub(crate) after: StateId,
}

impl Recent {
    const KEPT: usize = 32;

    fn push(&mut self, event: RecentEvent) {
        if self.events.len() == Self::KEPT
            && let Some(gone) = self.events.pop_front()
        {
            self.after = gone.at;
        }
        self.events.push_back(event);
    }

    /// Forgets what came up to a position.
    fn start_anew(&mut self, at: Position) {
        self.events.clear();
        self.after = at;
    }

    /// The events after a position, if all of them are here.
    pub(crate) fn since(&self, since: Position) -> Option<Vec<RecentEvent>> {
        if since < self.after {
            return None;
        }
        let from = self.events.partition_point(|event| event.at <= since);
        Some(self.events.range(from..).copied().collect())
    }
}

/// Users whose devices or keys changed, complete after a position.
#[derive(Debug, Default)]
struct Devices {
    after: Position,
    changes: VecDeque<DeviceChange>,
}

/// Devices or keys of a user changed, to everybody or to one.
#[derive(Debug)]
struct DeviceChange {
    at: Position,
    user_id: OwnedUserId,
    only_to: Option<OwnedUserId>,
}

impl Devices {
    const KEPT: usize = 4096;

    fn push(&mut self, at: Position, user_id: OwnedUserId, only_to: Option<OwnedUserId>) {
        if self.changes.len() == Self::KEPT
            && let Some(gone) = self.changes.pop_front()
        {
            self.after = gone.at;
        }
        self.changes.push_back(DeviceChange {
            at,
            user_id,
            only_to,
        });
    }
}

/// Sessions by number, so that rooms hold small lists of them.
#[derive(Debug, Default)]
struct Slots {
    slots: Vec<Option<Box<Session>>>,
    free: Vec<u32>,
}

impl Slots {
    fn insert(&mut self, session: Session) -> u32 {
        let session = Some(Box::new(session));
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = session;
            return slot;
        }
        self.slots.push(session);
        u32::try_from(self.slots.len() - 1).expect("fewer sessions than four thousand million")
    }

    fn remove(&mut self, slot: u32) -> Option<Box<Session>> {
        let session = self.slots.get_mut(slot as usize)?.take();
        if session.is_some() {
            self.free.push(slot);
        }
        session
    }

    fn get(&self, slot: u32) -> Option<&Session> {
        self.slots.get(slot as usize)?.as_deref()
    }

    fn get_mut(&mut self, slot: u32) -> Option<&mut Session> {
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &Session)> {
        (0..)
            .zip(&self.slots)
            .filter_map(|(slot, session)| Some((slot, session.as_deref()?)))
    }

    fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

impl Followed {
    /// What is known of a user who syncs.
    pub(crate) fn session(&self, user_id: &UserId) -> Option<&Session> {
        self.sessions.get(*self.by_user.get(user_id)?)
    }

    /// What is known of a room with members who sync.
    pub(crate) fn room(&self, room: Position) -> Option<&Online> {
        self.rooms.get(&room)
    }

    /// How many users have a session.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The users whose devices or keys changed for one user after a position, if all of them are known.
    pub(crate) fn device_changes<'a>(
        &'a self,
        since: Position,
        to: &'a UserId,
    ) -> Option<impl Iterator<Item = &'a OwnedUserId>> {
        if since < self.devices.after {
            return None;
        }
        let from = self
            .devices
            .changes
            .partition_point(|change| change.at <= since);
        let changes = self.devices.changes.range(from..);
        let told =
            changes.filter(move |change| change.only_to.as_deref().is_none_or(|only| only == to));
        Some(told.map(|change| &change.user_id))
    }

    /// Adds a session that knows everything up to `at`, unless its user has one by now.
    fn add(&mut self, session: Session) -> Arc<Pulse> {
        if let Some(known) = self.session(&session.user_id) {
            return known.pulse.clone();
        }
        let pulse = session.pulse.clone();
        let user_id = session.user_id.clone();
        self.bytes += session.bytes();
        let joined: Vec<_> = session.joined().collect();
        let slot = self.sessions.insert(session);
        self.by_user.insert(user_id, slot);
        for room in joined {
            self.enter(room, slot, self.at);
        }
        pulse
    }

    /// A session's user is in a room. What the room holds up to `at` is not remembered, should this be the first one there.
    fn enter(&mut self, room: Position, slot: u32, at: Position) {
        let fresh = || Online {
            members: Vec::new(),
            recent: Recent {
                after: at,
                events: VecDeque::new(),
            },
        };
        let online = self.rooms.entry(room).or_insert_with(fresh);
        if !online.members.contains(&slot) {
            online.members.push(slot);
        }
    }

    /// A session's user is not in a room.
    fn exit(&mut self, room: Position, slot: u32) {
        if let Some(online) = self.rooms.get_mut(&room) {
            online.members.retain(|member| *member != slot);
            if online.members.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    fn remove(&mut self, slot: u32) {
        let Some(session) = self.sessions.remove(slot) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(session.bytes());
        self.by_user.remove(&session.user_id);
        for room in session.joined().collect::<Vec<_>>() {
            self.exit(room, slot);
        }
    }

    /// Makes room: the sessions go that nobody waits on and that were used longest ago, until a tenth of the budget is free.
    fn evict(&mut self, budget: usize) {
        if self.bytes <= budget {
            return;
        }
        let idle = |(slot, session): (u32, &Session)| {
            // The session's own and no request's.
            (Arc::strong_count(&session.pulse) == 1).then(|| (session.pulse.last_used(), slot))
        };
        let mut idle: Vec<_> = self.sessions.iter().filter_map(idle).collect();
        idle.sort_unstable();
        for (_, slot) in idle {
            if self.bytes <= budget / 10 * 9 {
                break;
            }
            self.remove(slot);
        }
    }

    /// The membership of a user who syncs changed.
    fn set_membership(
        &mut self,
        user_id: &UserId,
        room: Position,
        at: Position,
        now: NewMembership,
    ) -> Option<u32> {
        let slot = *self.by_user.get(user_id)?;
        let session = self.sessions.get_mut(slot)?;
        let before = session.bytes();
        if !session.set_standing(room, at, now) {
            return None;
        }
        self.bytes = (self.bytes + session.bytes()).saturating_sub(before);
        if now.membership == Membership::Join {
            self.enter(room, slot, at);
        } else {
            self.exit(room, slot);
        }
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: u64) -> RecentEvent {
        RecentEvent {
            at: Position(at),
            before: StateId::EMPTY,
            after: StateId::EMPTY,
        }
    }

    #[test]
    fn recent_events_say_when_they_are_not_all() {
        let mut recent = Recent {
            after: Position(10),
            events: VecDeque::new(),
        };
        assert_eq!(recent.since(Position(9)), None);
        assert_eq!(recent.since(Position(10)), Some(vec![]));
        for at in 11..=(11 + Recent::KEPT as u64) {
            recent.push(event(at));
        }
        assert_eq!(recent.since(Position(10)), None);
        assert_eq!(recent.since(Position(11)).unwrap().len(), Recent::KEPT);
        assert_eq!(
            recent
                .since(Position(11 + Recent::KEPT as u64 - 1))
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn sessions_beyond_the_budget_go_unless_somebody_waits() {
        let mut followed = Followed::default();
        let user = |n: usize| UserId::parse(format!("@u{n}:orvale.test")).unwrap();
        let waiting = followed.add(Session::new(user(0)));
        for n in 1..100 {
            let mut session = Session::new(user(n));
            session.set_membership(Position(1), Position(n as u64 + 1), Membership::Join);
            followed.add(session);
        }
        assert_eq!(followed.room(Position(1)).unwrap().members.len(), 99);
        let budget = followed.bytes / 2;
        followed.evict(budget);
        assert!(followed.bytes <= budget);
        assert!(followed.session(&user(0)).is_some());
        assert_eq!(
            followed.room(Position(1)).unwrap().members.len(),
            followed.sessions() - 1
        );
        drop(waiting);
        followed.evict(0);
        assert_eq!(
            (followed.sessions(), followed.bytes, followed.rooms.len()),
            (0, 0, 0)
        );
    }
}
