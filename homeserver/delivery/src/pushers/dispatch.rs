//! The follower of the log that finds out who is notified of what.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use orvale_rooms::{StoredEvent, membership};
use orvale_storage::{
    Batch, Entry, Follower, Position,
    trees::delivery::{OWED, Owed},
};
use ruma::{OwnedUserId, UserId, events::TimelineEventType};
use tokio::time::{Instant, sleep_until};

use super::{PusherKey, Shared, roster::Roster};
use crate::{
    Result,
    delivery::Inner,
    entries,
    push::{evaluate::Evaluator, facts::Facts},
};

/// The name of the cursor.
const CURSOR: &str = "push";
/// How many entries are looked at at once.
const BATCH: usize = 256;
/// How long after the first entry since the last time the cursor is kept.
const KEEP: Duration = Duration::from_secs(5);

/// Follows the log, the first time from `start`, until the last handle on delivery or the store is gone.
pub(crate) async fn follow(inner: Weak<Inner>, start: Position) {
    let started = |shared: &Arc<Inner>| Dispatch::start(shared, start);
    let started = entries::begin(&inner, "push gateways", started).await;
    let Some((mut dispatch, mut follower)) = started else {
        return;
    };
    let mut keep_at = None;
    loop {
        let entries = tokio::select! {
            entries = entries::next(&mut follower, BATCH) => entries,
            () = sleep_until(keep_at.unwrap_or_else(Instant::now)), if keep_at.is_some() => {
                let Some(shared) = inner.upgrade() else { return };
                keep_at = None;
                if let Err(error) = shared.keep_pushes(&follower, dispatch.at).await {
                    tracing::error!(%error, "what push gateways were told cannot be kept");
                    keep_at = Some(Instant::now() + KEEP);
                }
                continue;
            }
        };
        let (Some(entries), Some(shared)) = (entries, inner.upgrade()) else {
            return;
        };
        for (at, entry) in entries {
            if let Err(error) = dispatch.take(&shared, at, entry) {
                tracing::error!(%error, position = at.0, "nobody is notified of an entry of the log");
            }
            dispatch.at = at;
            tokio::task::consume_budget().await;
        }
        keep_at = keep_at.or_else(|| Some(Instant::now() + KEEP));
    }
}

impl Inner {
    /// Keeps the cursor, and what is still to be told of what comes before it.
    async fn keep_pushes(&self, follower: &Follower, at: Position) -> Result<()> {
        let changes = self.pushers.queues.take_changes();
        let mut batch = Batch::new();
        for (key, owed) in &changes {
            let place = (key.user_id.localpart(), &key.app_id, &key.pushkey);
            match owed {
                Some(owed) => batch.put(&OWED, place, owed),
                None => batch.delete(&OWED, place),
            };
        }
        follower.done_in(&mut batch, at);
        let kept = self.rooms.store().commit(batch).await;
        if kept.is_err() {
            self.pushers.queues.keep_changes(&changes);
        }
        kept?;
        Ok(())
    }
}

/// Who is notified of what.
struct Dispatch {
    roster: Roster,
    /// Up to where the log was looked at.
    at: Position,
}

impl Dispatch {
    fn start(shared: &Shared, start: Position) -> Result<(Self, Follower)> {
        let store = shared.rooms.store();
        let follower = store.follower(CURSOR, start)?;
        let mut roster = Roster::default();
        for user_id in shared.users.users_with_pushers()? {
            roster.add(&shared.rooms, user_id)?;
        }
        for ((localpart, app_id, pushkey), Owed { events, badge }) in
            store.prefix(&OWED, (), usize::MAX)?
        {
            let user_id = UserId::parse(format!("@{localpart}:{}", shared.users.server_name()));
            if let Ok(user_id) = user_id {
                shared.owe(
                    &PusherKey {
                        user_id,
                        app_id,
                        pushkey,
                    },
                    &events,
                    badge,
                );
            }
        }
        let at = follower.position();
        Ok((Self { roster, at }, follower))
    }

    fn take(&mut self, shared: &Shared, at: Position, entry: Entry) -> Result<()> {
        let known = |user_id: String| {
            UserId::parse(user_id)
                .ok()
                .filter(|user_id| self.roster.has(user_id))
        };
        match entry {
            Entry::Pushers { user_id } => {
                if let Ok(user_id) = UserId::parse(user_id) {
                    self.roster.add(&shared.rooms, user_id)?;
                }
            }
            Entry::Event(record) if !self.roster.is_empty() && record.is_live() => {
                let event = shared.rooms.load(at, record)?;
                self.take_event(shared, &event)?;
            }
            Entry::Membership { room, user_id } => {
                if let Some(user_id) = known(user_id) {
                    let known = shared.rooms.get_number(room)?;
                    if let Some(now) = shared.rooms.find_membership(&known, &user_id)? {
                        self.take_event(shared, &shared.rooms.event(now.event)?)?;
                    }
                }
            }
            Entry::Receipt { room, user_id, .. } => {
                if let Some(user_id) = known(user_id) {
                    read_in(shared, &user_id, room)?;
                }
            }
            Entry::SessionEnded { user_id, .. } => {
                if let Some(user_id) = known(user_id)
                    && shared.users.pushers(&user_id)?.is_empty()
                {
                    self.roster.remove(&user_id);
                    shared.pushers.badges.forget(&user_id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_event(&mut self, shared: &Shared, event: &Arc<StoredEvent>) -> Result<()> {
        let pdu = &event.pdu;
        let mut readers: Vec<OwnedUserId> = self.roster.in_room(event.room).cloned().collect();
        if pdu.kind == TimelineEventType::RoomMember
            && let Some(target) = pdu
                .state_key
                .as_deref()
                .and_then(|key| UserId::parse(key).ok())
            && self.roster.has(&target)
            && let Some(membership) = membership(pdu)
        {
            self.roster.set_membership(&target, event.room, membership);
            read_in(shared, &target, event.room)?;
            if !readers.contains(&target) {
                readers.push(target);
            }
        }
        if readers.is_empty() {
            return Ok(());
        }
        let facts = shared.unread.facts().of(event);
        for reader in readers {
            shared.pushers.badges.changed(&reader, event.room);
            if pdu.sender == reader || pdu.redacts.is_some() {
                read_in(shared, &reader, event.room)?;
            } else if notifies(shared, &reader, &facts)? {
                let sent = u64::from(pdu.origin_server_ts.get());
                for pusher in shared
                    .users
                    .pushers(&reader)?
                    .iter()
                    .filter(|pusher| pusher.set_at <= sent)
                {
                    let ids = &pusher.pusher.ids;
                    let key = PusherKey {
                        user_id: reader.clone(),
                        app_id: ids.app_id.clone(),
                        pushkey: ids.pushkey.clone(),
                    };
                    shared.owe(&key, &[event.position], false);
                }
            }
        }
        Ok(())
    }
}

/// Whether a reader's rules want them told of an event.
fn notifies(shared: &Shared, user_id: &UserId, facts: &Facts) -> Result<bool> {
    let rules = shared.users.push_rules(user_id)?;
    let evaluator = Evaluator {
        rooms: &shared.rooms,
        user_id,
        rules: &rules,
    };
    Ok(evaluator
        .evaluate(facts)?
        .is_some_and(|verdict| verdict.notifies()))
}

/// A user may have less to read in a room than before.
fn read_in(shared: &Shared, user_id: &UserId, room: Position) -> Result<()> {
    shared.pushers.badges.changed(user_id, room);
    for pusher in shared.users.pushers(user_id)?.iter() {
        let ids = &pusher.pusher.ids;
        let key = PusherKey {
            user_id: user_id.to_owned(),
            app_id: ids.app_id.clone(),
            pushkey: ids.pushkey.clone(),
        };
        shared.owe(&key, &[], true);
    }
    Ok(())
}
