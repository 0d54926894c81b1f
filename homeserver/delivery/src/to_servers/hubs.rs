//! Typing and presence, which are told in passing.
//!
//! Presence changes for many at once, and concerns many servers each time. So it is told in rounds: who changed is noted for each server, and in
//! each round some of the servers are told of all who changed since they last were.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Weak},
    time::Duration,
};

use orvale_storage::Position;
use ruma::{OwnedServerName, OwnedUserId};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    Result,
    delivery::{Inner, blocking},
};

/// Who types on is told again, as others forget it.
const TYPING_AGAIN: Duration = Duration::from_secs(20);
/// Who is there is told again, as others forget it.
const PRESENCE_AGAIN: Duration = Duration::from_secs(25 * 60);
/// How many changes of presence are looked at at once.
const AT_ONCE: usize = 1_000;
/// How long a round of presence takes.
const ROUND: Duration = Duration::from_secs(1);
/// Within how many rounds every server is told.
const ROUNDS: usize = 5;
/// How many servers are told in a round, if there are as many.
const LEAST: usize = 20;
/// How many users are noted for a server; of more, the rest is not told.
const MOST_NOTED: usize = 1_000;

/// The local users typing in a room, as others were told.
type Told = HashMap<Position, BTreeSet<OwnedUserId>>;

/// Whose presence servers are to be told of.
#[derive(Debug, Default)]
struct Noted {
    users: HashMap<OwnedServerName, BTreeSet<OwnedUserId>>,
    /// The servers, the one that waits longest first.
    order: VecDeque<OwnedServerName>,
}

impl Noted {
    fn note(&mut self, server: &OwnedServerName, user: &OwnedUserId) {
        let users = self.users.entry(server.clone()).or_insert_with(|| {
            self.order.push_back(server.clone());
            BTreeSet::new()
        });
        if users.len() < MOST_NOTED {
            users.insert(user.clone());
        }
    }

    /// Those whose turn it is in this round.
    fn round(&mut self) -> Vec<(OwnedServerName, BTreeSet<OwnedUserId>)> {
        let count = LEAST.max(self.order.len().div_ceil(ROUNDS));
        let count = count.min(self.order.len());
        let servers: Vec<_> = self.order.drain(..count).collect();
        let told = servers
            .into_iter()
            .filter_map(|server| self.users.remove_entry(&server));
        told.collect()
    }
}

/// Follows typing and presence until the last handle on delivery is gone.
pub(crate) async fn follow_hubs(inner: Weak<Inner>) {
    let Some(shared) = inner.upgrade() else {
        return;
    };
    let (typing, presence) = (
        shared.rooms.typing().clone(),
        shared.users.presence().clone(),
    );
    drop(shared);
    let (mut types, mut shows) = (typing.watch(), presence.watch());
    let (mut typed, mut shown) = (typing.position(), presence.position());
    let mut told = Told::new();
    let mut noted = Noted::default();
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut typing_again = interval(TYPING_AGAIN);
    let mut presence_again = interval(PRESENCE_AGAIN);
    for again in [&mut typing_again, &mut presence_again] {
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        again.reset();
    }
    loop {
        let mut rooms = Vec::new();
        let mut users = Vec::new();
        let mut again = false;
        let mut due = Vec::new();
        tokio::select! {
            changed = types.changed() => {
                if changed.is_err() { return }
                let now = *types.borrow_and_update();
                rooms = typing.changed_since(typed);
                typed = now;
            }
            changed = shows.changed() => {
                if changed.is_err() { return }
                shows.borrow_and_update();
                loop {
                    let changes = presence.changes_since(shown, AT_ONCE);
                    let Some((at, _)) = changes.last() else { break };
                    shown = *at;
                    users.extend(changes.into_iter().map(|(_, user)| user));
                }
            }
            _ = typing_again.tick() => {
                rooms = told.keys().copied().collect();
                again = true;
            }
            _ = presence_again.tick() => users = presence.present(),
            _ = round.tick(), if !noted.order.is_empty() => due = noted.round(),
        }
        let Some(shared) = inner.upgrade() else {
            return;
        };
        let done = blocking(|| {
            shared.tell_typing(&rooms, again, &mut told)?;
            shared.note_presence(users, &mut noted)
        });
        for (server, users) in due {
            shared.tell_in_passing(&server, |queue| queue.presence.extend(users));
        }
        if let Err(error) = done {
            tracing::error!(%error, "other servers cannot be told who types or is there");
        }
    }
}

impl Inner {
    fn tell_typing(
        self: &Arc<Self>,
        rooms: &[Position],
        again: bool,
        told: &mut Told,
    ) -> Result<()> {
        for number in rooms {
            let mut now = self.rooms.typing().list(*number);
            now.retain(|user| self.users.is_local(user));
            let before = told.remove(number).unwrap_or_default();
            if now.is_empty() && before.is_empty() {
                continue;
            }
            let room = self.rooms.get_number(*number)?;
            let servers = self.rooms.servers(&room)?;
            let stopped = before.difference(&now).map(|user| (user, false));
            let started = now
                .iter()
                .filter(|user| again || !before.contains(*user))
                .map(|user| (user, true));
            for (user, typing) in stopped.chain(started) {
                for server in self.others(servers.keys()) {
                    self.tell_in_passing(server, |queue| {
                        let key = (room.id.clone(), user.clone());
                        queue.typing.insert(key, typing);
                    });
                }
            }
            if !now.is_empty() {
                told.insert(*number, now);
            }
        }
        Ok(())
    }

    fn note_presence(&self, users: Vec<OwnedUserId>, noted: &mut Noted) -> Result<()> {
        for user in users {
            if !self.users.is_local(&user) {
                continue;
            }
            let servers = self.rooms.servers_with(&user, None)?;
            for server in self.others(&servers) {
                // Who cannot be reached is not told later either.
                if self.is_reached(server) {
                    noted.note(server, &user);
                }
            }
        }
        Ok(())
    }

    fn others<'a>(
        &'a self,
        servers: impl IntoIterator<Item = &'a OwnedServerName>,
    ) -> impl Iterator<Item = &'a OwnedServerName> {
        let own = self.rooms.server_name();
        servers.into_iter().filter(move |server| *server != own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(n: usize) -> OwnedServerName {
        OwnedServerName::try_from(format!("s{n}.example")).unwrap()
    }

    #[test]
    fn presence_is_told_to_each_server_once_for_all_who_changed_and_not_to_all_at_once() {
        let mut noted = Noted::default();
        let user = |n| OwnedUserId::try_from(format!("@u{n}:example.org")).unwrap();
        for n in 0..500 {
            for changed in 0..3 {
                noted.note(&server(n), &user(changed));
                noted.note(&server(n), &user(changed));
            }
        }
        let first = noted.round();
        assert_eq!(first.len(), 100);
        assert_eq!(first[0], (server(0), (0..3).map(user).collect()));
        // Who changes again does not keep others from their turn.
        noted.note(&server(0), &user(7));
        let mut told = Vec::new();
        while !noted.order.is_empty() {
            let round = noted.round();
            assert!(round.len() <= 100, "{}", round.len());
            told.extend(round);
        }
        assert_eq!(told.len(), 401);
        assert_eq!(told.last().unwrap(), &(server(0), [user(7)].into()));
        assert!(noted.users.is_empty());
    }

    #[test]
    fn what_is_noted_for_a_server_is_bounded() {
        let mut noted = Noted::default();
        for n in 0..MOST_NOTED + 50 {
            let user = OwnedUserId::try_from(format!("@u{n}:example.org")).unwrap();
            noted.note(&server(1), &user);
        }
        assert_eq!(noted.round()[0].1.len(), MOST_NOTED);
    }
}
