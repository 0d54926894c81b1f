//! The task that follows what is not in the log: typing and presence.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
    time::Duration,
};

use orvale_rooms::{Membership, Rooms};
use orvale_storage::Position;
use orvale_users::Users;
use ruma::OwnedUserId;

use super::{Follow, Pulse, log::Whom};
use crate::Result;

/// How often whoever waits is told of presence at most. In the morning everybody comes online, and everybody is told of everybody: taken
/// together, that is one answer a second for each and not one for each of them.
const PRESENCE_PACE: Duration = Duration::from_secs(1);

/// How many changes of presence are looked at at once.
const BATCH: usize = 1000;

impl Follow {
    /// Follows typing and presence until everybody who could ask is gone.
    pub(crate) async fn follow_hubs(follow: Weak<Self>, rooms: Rooms, users: Users) {
        let mut typing = rooms.typing().watch();
        let mut presence = users.presence().watch();
        let (mut typed, mut seen) = (rooms.typing().position(), users.presence().position());
        let mut not_before = tokio::time::Instant::now();
        let mut waits = false;
        loop {
            tokio::select! {
                changed = typing.changed() => {
                    let Some(follow) = follow.upgrade() else { return };
                    if changed.is_err() {
                        return;
                    }
                    let to = *typing.borrow_and_update();
                    follow.typed(&rooms.typing().changed_since(typed), to);
                    typed = to;
                }
                changed = presence.changed(), if !waits => {
                    if changed.is_err() {
                        return;
                    }
                    waits = true;
                }
                () = tokio::time::sleep_until(not_before), if waits => {
                    let Some(follow) = follow.upgrade() else { return };
                    waits = false;
                    presence.borrow_and_update();
                    let changes = users.presence().changes_since(seen, BATCH);
                    if changes.len() == BATCH {
                        presence.mark_changed();
                    }
                    if let Some((to, _)) = changes.last() {
                        let to = *to;
                        if let Err(error) = follow.seen(&rooms, changes.into_iter().map(|(_, user_id)| user_id), to) {
                            tracing::error!(%error, "presence cannot be told");
                        }
                        seen = to;
                    }
                    not_before = tokio::time::Instant::now() + PRESENCE_PACE;
                }
            }
        }
    }

    /// Somebody began or stopped typing in these rooms.
    fn typed(&self, rooms: &[Position], to: u64) {
        let pulses = {
            let mut followed = self.followed.write();
            let mut woken = HashSet::new();
            for slot in rooms
                .iter()
                .flat_map(|room| followed.members(*room, Whom::All))
            {
                woken.insert(slot);
            }
            for slot in &woken {
                if let Some(session) = followed.sessions.get_mut(*slot) {
                    session.typing = to;
                }
            }
            followed.pulses(&woken)
        };
        wake(pulses);
    }

    /// The presence of these users changed.
    fn seen(&self, rooms: &Rooms, users: impl Iterator<Item = OwnedUserId>, to: u64) -> Result<()> {
        let mut shared: HashSet<Position> = HashSet::new();
        let mut themselves = Vec::new();
        for user_id in users {
            let known = self
                .read()
                .session(&user_id)
                .map(|session| session.joined().collect::<Vec<_>>());
            match known {
                Some(known) => shared.extend(known),
                None => {
                    let memberships = rooms.list_memberships(&user_id)?.into_iter();
                    let joined =
                        memberships.filter(|(_, record)| record.membership == Membership::Join);
                    shared.extend(joined.map(|(room, _)| room));
                }
            }
            themselves.push(user_id);
        }
        let pulses = {
            let mut followed = self.followed.write();
            let mut told: HashSet<u32> = shared
                .iter()
                .flat_map(|room| followed.members(*room, Whom::All))
                .collect();
            told.extend(
                themselves
                    .iter()
                    .filter_map(|user_id| followed.by_user.get(user_id)),
            );
            for slot in &told {
                if let Some(session) = followed.sessions.get_mut(*slot) {
                    session.presence = to;
                }
            }
            followed.pulses(&told)
        };
        wake(pulses);
        Ok(())
    }
}

fn wake(pulses: Vec<Arc<Pulse>>) {
    for pulse in pulses {
        pulse.news.notify_waiters();
    }
}
