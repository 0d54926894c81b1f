//! The task that follows the log.
//!
//! What an entry means is found out before the lock is taken; under it, memory alone changes. Whoever waits is woken after the
//! new position can be seen, so that a woken request finds what it was woken for.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
};

use orvale_rooms::{Membership, NewMembership, Rooms, StateId};
use orvale_storage::{Entry, Position};
use ruma::{OwnedUserId, UserId};

use super::{Follow, Followed, Pulse, RecentEvent, session::News};
use crate::Result;

/// How many entries are taken at once.
const BATCH: usize = 512;

/// What an entry of the log means for users who sync.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// An event in a room's timeline.
    Event {
        room: Position,
        before: StateId,
        after: StateId,
        /// Whose membership it sets: one user's, unless forks met.
        members: Vec<(OwnedUserId, NewMembership)>,
    },
    /// How a user stands in a room that is known from outside only.
    Membership {
        user_id: OwnedUserId,
        room: Position,
        now: NewMembership,
    },
    /// A receipt, for all in the room or for one.
    Receipt {
        room: Position,
        only: Option<OwnedUserId>,
    },
    /// Account data of a user.
    AccountData {
        user_id: OwnedUserId,
        room: Option<Position>,
    },
    /// Push rules of a user.
    PushRules(OwnedUserId),
    /// Which threads a user follows.
    ThreadSubscription(OwnedUserId),
    /// A message for a device.
    ToDevice {
        user_id: OwnedUserId,
        device_id: String,
    },
    /// Devices of a user, who is in these rooms.
    DeviceList {
        user_id: OwnedUserId,
        rooms: Vec<Position>,
    },
    /// Keys of a user, as one other sees them.
    KeySignatures {
        user_id: OwnedUserId,
        of: OwnedUserId,
    },
    /// How many one-time keys a device has.
    KeyCounts(OwnedUserId),
    /// A device, or all, was logged out.
    SessionEnded {
        user_id: OwnedUserId,
        device_id: Option<String>,
    },
    /// A user forgot a room.
    Forgotten {
        user_id: OwnedUserId,
        room: Position,
    },
    /// All members of a room are known now.
    Whole(Position),
}

impl Change {
    /// What an entry means; `None` for nothing.
    pub(super) fn of(rooms: &Rooms, at: Position, entry: Entry) -> Result<Option<Self>> {
        let user = |user_id: String| UserId::parse(user_id).ok();
        let change = match entry {
            Entry::Event(record) => {
                if !record.is_live() {
                    return Ok(None);
                }
                let event = rooms.load(at, record)?;
                Some(Self::Event {
                    room: event.room,
                    before: event.room_before(),
                    after: event.room_after(),
                    members: rooms.list_new_memberships(&event)?,
                })
            }
            Entry::Receipt {
                room,
                user_id,
                private: true,
            } => user(user_id).map(|user_id| Self::Receipt {
                room,
                only: Some(user_id),
            }),
            Entry::Receipt {
                room,
                private: false,
                ..
            } => Some(Self::Receipt { room, only: None }),
            Entry::AccountData { user_id, room, .. } => {
                user(user_id).map(|user_id| Self::AccountData { user_id, room })
            }
            Entry::PushRules { user_id } => user(user_id).map(Self::PushRules),
            Entry::ThreadSubscription { user_id } => user(user_id).map(Self::ThreadSubscription),
            Entry::ToDevice { user_id, device_id } => {
                user(user_id).map(|user_id| Self::ToDevice { user_id, device_id })
            }
            Entry::DeviceList { user_id } => match user(user_id) {
                Some(user_id) => {
                    let joined = |(room, record): (Position, orvale_rooms::MembershipRecord)| {
                        (record.membership == Membership::Join).then_some(room)
                    };
                    let rooms = rooms
                        .list_memberships(&user_id)?
                        .into_iter()
                        .filter_map(joined)
                        .collect();
                    Some(Self::DeviceList { user_id, rooms })
                }
                None => None,
            },
            Entry::KeySignatures { user_id, of } => user(user_id)
                .zip(user(of))
                .map(|(user_id, of)| Self::KeySignatures { user_id, of }),
            Entry::DeviceKeyCounts { user_id, .. } => user(user_id).map(Self::KeyCounts),
            Entry::SessionEnded { user_id, device_id } => {
                user(user_id).map(|user_id| Self::SessionEnded { user_id, device_id })
            }
            Entry::Forgotten { user_id, room } => {
                user(user_id).map(|user_id| Self::Forgotten { user_id, room })
            }
            Entry::Membership { user_id, room } => {
                let Some(user_id) = user(user_id) else {
                    return Ok(None);
                };
                let known = rooms.get_number(room)?;
                let now = rooms.find_membership(&known, &user_id)?;
                now.map(|now| Self::Membership {
                    user_id,
                    room,
                    now: NewMembership {
                        membership: now.membership,
                        event: now.event,
                    },
                })
            }
            Entry::Arrived { event } => {
                let event = rooms.event(event)?;
                if !event.record.is_live() {
                    return Ok(None);
                }
                Some(Self::Event {
                    room: event.room,
                    before: event.room_before(),
                    after: event.room_after(),
                    members: rooms.list_new_memberships(&event)?,
                })
            }
            Entry::Whole { room } => Some(Self::Whole(room)),
            Entry::Room { .. }
            | Entry::Forward { .. }
            | Entry::Profile { .. }
            | Entry::Directory { .. }
            | Entry::Pushers { .. }
            | Entry::ToDeviceElsewhere { .. } => None,
        };
        Ok(change)
    }
}

/// Whom a change concerns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    /// Whoever it concerns.
    All,
    /// One session, if it concerns that.
    Only(u32),
}

impl Followed {
    /// Takes a change into the picture. `woken` gets the slots of those for whom it is news.
    pub(super) fn apply(
        &mut self,
        at: Position,
        change: &Change,
        whom: Whom,
        woken: &mut HashSet<u32>,
    ) {
        match change {
            Change::Event {
                room,
                before,
                after,
                members,
            } => {
                self.touch_room(*room, at, News::Event, whom, woken);
                if let Whom::All = whom
                    && let Some(online) = self.rooms.get_mut(room)
                {
                    online.recent.push(RecentEvent {
                        at,
                        before: *before,
                        after: *after,
                    });
                }
                for (user_id, now) in members {
                    if self.concerned(user_id, whom).is_some() {
                        woken.extend(self.set_membership(user_id, *room, at, *now));
                    }
                }
            }
            Change::Membership { user_id, room, now } => {
                if self.concerned(user_id, whom).is_some() {
                    woken.extend(self.set_membership(user_id, *room, at, *now));
                }
            }
            Change::Receipt { room, only: None } => {
                self.touch_room(*room, at, News::Receipt, whom, woken);
            }
            Change::Receipt {
                room,
                only: Some(user_id),
            } => {
                self.with(user_id, whom, woken, |session| {
                    session.touch(*room, at, News::Receipt);
                });
            }
            Change::AccountData { user_id, room } => {
                self.with(user_id, whom, woken, |session| match room {
                    Some(room) => session.touch(*room, at, News::AccountData),
                    None => {
                        session.account_data = at.max(session.account_data);
                        session.last = at.max(session.last);
                    }
                });
            }
            Change::PushRules(user_id) => self.with(user_id, whom, woken, |session| {
                session.account_data = at.max(session.account_data);
                session.last = at.max(session.last);
            }),
            Change::ThreadSubscription(user_id) => self.with(user_id, whom, woken, |session| {
                session.thread_subscriptions = at.max(session.thread_subscriptions);
                session.last = at.max(session.last);
            }),
            Change::ToDevice { user_id, device_id } => {
                self.with(user_id, whom, woken, |session| {
                    session.message(device_id, at);
                });
            }
            Change::DeviceList { user_id, rooms } => {
                if let Whom::All = whom {
                    self.devices.push(at, user_id.clone(), None);
                }
                let told = |session: &mut super::Session| session.devices_changed(at);
                self.with(user_id, whom, woken, told);
                for slot in rooms
                    .iter()
                    .flat_map(|room| self.members(*room, whom))
                    .collect::<Vec<_>>()
                {
                    woken.insert(slot);
                    if let Some(session) = self.sessions.get_mut(slot) {
                        told(session);
                    }
                }
            }
            Change::KeySignatures { user_id, of } => {
                if let Whom::All = whom {
                    self.devices.push(at, of.clone(), Some(user_id.clone()));
                }
                self.with(user_id, whom, woken, |session| session.devices_changed(at));
            }
            Change::KeyCounts(user_id) => self.with(user_id, whom, woken, |session| {
                session.key_counts = at.max(session.key_counts);
                session.last = at.max(session.last);
            }),
            Change::SessionEnded { user_id, device_id } => {
                self.with(user_id, whom, woken, |session| {
                    session.end(device_id.as_deref(), at);
                });
            }
            Change::Whole(room) => {
                self.touch_room(*room, at, News::Event, whom, woken);
                for slot in self.members(*room, whom) {
                    if let Some(session) = self.sessions.get_mut(slot) {
                        session.devices_changed(at);
                    }
                }
                if let Whom::All = whom
                    && let Some(online) = self.rooms.get_mut(room)
                {
                    // The states that they had are others now.
                    online.recent.start_anew(at);
                }
            }
            Change::Forgotten { user_id, room } => {
                self.with(user_id, whom, woken, |session| session.forget(*room, at));
            }
        }
    }

    fn concerned(&self, user_id: &UserId, whom: Whom) -> Option<u32> {
        let slot = *self.by_user.get(user_id)?;
        match whom {
            Whom::All => Some(slot),
            Whom::Only(only) => (only == slot).then_some(slot),
        }
    }

    fn with(
        &mut self,
        user_id: &UserId,
        whom: Whom,
        woken: &mut HashSet<u32>,
        change: impl FnOnce(&mut super::Session),
    ) {
        let Some(slot) = self.concerned(user_id, whom) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let before = session.bytes();
        change(session);
        self.bytes = (self.bytes + session.bytes()).saturating_sub(before);
        woken.insert(slot);
    }

    /// The slots of a room's members.
    pub(super) fn members(&self, room: Position, whom: Whom) -> Vec<u32> {
        let Some(online) = self.rooms.get(&room) else {
            return Vec::new();
        };
        match whom {
            Whom::All => online.members.clone(),
            Whom::Only(slot) if online.members.contains(&slot) => vec![slot],
            Whom::Only(_) => Vec::new(),
        }
    }

    fn touch_room(
        &mut self,
        room: Position,
        at: Position,
        news: News,
        whom: Whom,
        woken: &mut HashSet<u32>,
    ) {
        for slot in self.members(room, whom) {
            if let Some(session) = self.sessions.get_mut(slot) {
                session.touch(room, at, news);
                woken.insert(slot);
            }
        }
    }

    /// What wakes those in these slots.
    pub(super) fn pulses(&self, slots: &HashSet<u32>) -> Vec<Arc<Pulse>> {
        slots
            .iter()
            .filter_map(|slot| Some(self.sessions.get(*slot)?.pulse.clone()))
            .collect()
    }
}

impl Follow {
    /// Follows the log until the store is gone, or everybody who could ask.
    pub(crate) async fn follow_log(follow: Weak<Self>, rooms: Rooms) {
        let mut visible = rooms.store().watch();
        loop {
            let to = *visible.borrow_and_update();
            match follow.upgrade() {
                Some(follow) => follow.catch_up(&rooms, to).await,
                None => return,
            }
            if visible.changed().await.is_err() {
                return;
            }
        }
    }

    /// Takes everything up to a position into the picture.
    async fn catch_up(&self, rooms: &Rooms, to: Position) {
        loop {
            let (at, sessions) = {
                let followed = self.read();
                (followed.at, followed.sessions())
            };
            metrics::gauge!("orvale_delivery_sessions").set(sessions as f64);
            metrics::gauge!("orvale_delivery_follower_lag").set(to.0.saturating_sub(at.0) as f64);
            if at >= to {
                return;
            }
            match self.step(rooms, at, to) {
                Ok(()) => tokio::task::consume_budget().await,
                Err(error) => {
                    // The disk refused to be read. Nobody can be told anything until it does not.
                    tracing::error!(%error, "the log cannot be followed");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }

    fn step(&self, rooms: &Rooms, at: Position, to: Position) -> Result<()> {
        let entries = rooms.store().log(at, BATCH)?;
        let end = match entries.last() {
            Some((last, _)) if entries.len() == BATCH => *last,
            // Positions that were reserved and not used are holes.
            Some((last, _)) => to.max(*last),
            None => to,
        };
        let mut changes = Vec::with_capacity(entries.len());
        for (at, entry) in entries {
            match Change::of(rooms, at, entry) {
                Ok(change) => changes.extend(change.map(|change| (at, change))),
                Err(error) => {
                    metrics::counter!("orvale_delivery_unreadable_entries").increment(1);
                    tracing::error!(%error, position = at.0, "an entry of the log is passed over: it cannot be read");
                }
            }
        }
        let mut woken = HashSet::new();
        let pulses = {
            let mut followed = self.followed.write();
            for (at, change) in &changes {
                followed.apply(*at, change, Whom::All, &mut woken);
            }
            followed.at = end;
            followed.pulses(&woken)
        };
        self.at.send_replace(end);
        for pulse in pulses {
            pulse.news.notify_waiters();
        }
        Ok(())
    }
}
