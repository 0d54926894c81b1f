//! The whole state of a room, fetched behind the join from the servers in it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Weak},
    time::Duration,
};

use orvale_storage::{Batch, Standing, trees::rooms::Membership};
use rand::seq::SliceRandom as _;
use ruma::{OwnedEventId, OwnedServerName, ServerName, UserId, events::TimelineEventType};

use super::{Partial, flat::Known};
use crate::{
    Room, Rooms,
    append::membership,
    error::{Error, Result},
    rooms::Inner,
    state::StateHash,
};

/// How many servers are asked, one after the other, before it is waited a while.
const SERVERS: usize = 4;
/// How long it is waited until the first servers begin to answer; twice as long in each round, up to [`MOST_PATIENCE`].
const PATIENCE: Duration = Duration::from_secs(45);
/// How long it is waited for all of an answer.
const MOST_PATIENCE: Duration = Duration::from_secs(600);
/// How long it is waited after the first round; twice as long after each, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// In so many rounds a state is passed over in which servers are missing that were in the room as was said on joining: whoever said so
/// may have counted otherwise.
const STRICT: u32 = 4;

impl Rooms {
    /// Has the rooms made whole that an earlier process left as they were.
    ///
    /// # Errors
    /// Storage's.
    pub fn resume_partial(&self) -> Result<()> {
        for room in self.inner.partial.all() {
            self.make_whole(self.get_number(room)?);
        }
        Ok(())
    }

    /// Has all members of a room found out, in a task that ends when they are known or nobody of this server is there any more.
    pub(crate) fn make_whole(&self, room: Arc<Room>) {
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            for round in 0.. {
                if is_done(&inner, &room, round).await {
                    return;
                }
                let pause = PAUSE.saturating_mul(2_u32.saturating_pow(round));
                tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
            }
        });
    }

    /// Asks some servers of a room for its state. True if there is nothing left to be done.
    pub(super) async fn resync(&self, room: &Arc<Room>, round: u32) -> Result<bool> {
        let Some(partial) = self.inner.partial.get(room.number) else {
            return Ok(true);
        };
        if !self.has_local_member(room)? {
            self.leave_partial(room).await?;
            return Ok(true);
        }
        let patience = PATIENCE.saturating_mul(2_u32.saturating_pow(round));
        for server in self.whom_to_ask(room, &partial)? {
            let patience = patience.min(MOST_PATIENCE);
            let whole = self.whole_state(&server, room, &partial, (patience, round < STRICT));
            let error = match tokio::time::timeout(MOST_PATIENCE, whole).await {
                Ok(Ok(_)) if !self.has_local_member(room)? => {
                    self.leave_partial(room).await?;
                    return Ok(true);
                }
                Ok(Ok(whole)) => {
                    self.mend(room, whole).await?;
                    tracing::info!(server_name = %server, room_id = %room.id, "all members of a room are known");
                    return Ok(true);
                }
                Ok(Err(Error::Storage(error))) => return Err(error.into()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it takes too long".to_owned(),
            };
            tracing::info!(error, server_name = %server, room_id = %room.id, "a server does not give the state of a room");
        }
        Ok(false)
    }

    /// The server that let this one in, and some others.
    fn whom_to_ask(&self, room: &Room, partial: &Partial) -> Result<Vec<OwnedServerName>> {
        let own = self.server_name();
        let servers = self.servers(room)?;
        let others = servers.keys().filter(|server| *server != own);
        let mut others: Vec<_> = others
            .filter(|server| **server != partial.via)
            .cloned()
            .collect();
        others.shuffle(&mut rand::rng());
        others.truncate(SERVERS - 1);
        others.insert(0, partial.via.clone());
        Ok(others)
    }

    /// The state before the join as a server gives it, if it may be right. Its events are kept.
    async fn whole_state(
        &self,
        server: &ServerName,
        room: &Arc<Room>,
        partial: &Partial,
        (patience, is_strict): (Duration, bool),
    ) -> Result<Vec<Known>> {
        let join = self.event(partial.join)?;
        let named = self
            .fetch_state_ids(server, room, join.event_id(), patience)
            .await?;
        let known = self.list_state_at(join.state_before())?;
        let mut expected: HashMap<StateHash, OwnedEventId> = HashMap::new();
        for event in &known {
            let place = event.state_hash();
            expected.extend(place.map(|place| (place, event.event_id().to_owned())));
        }
        let mut servers: BTreeSet<&ServerName> =
            partial.servers.iter().map(|server| &**server).collect();
        let mut found: HashMap<StateHash, Known> = HashMap::with_capacity(named.len());
        for id in &named {
            tokio::task::consume_budget().await;
            let event = self
                .find_event(id)?
                .filter(|event| event.room == room.number)
                .ok_or_else(|| Error::BadContent(format!("{id} of the state cannot be had")))?;
            if event.record.standing == Standing::Rejected {
                continue;
            }
            let (Some(key), Some(entry)) = (&event.pdu.state_key, Known::of(&event)) else {
                return Err(lie("an event of it is no state event"));
            };
            let place = entry.place;
            let is_member = event.pdu.kind == TimelineEventType::RoomMember;
            match expected.remove(&place) {
                Some(was) if was != *id => return Err(lie("it is not as it was on joining")),
                None if !is_member => return Err(lie("it has what there was not on joining")),
                _ => {}
            }
            if is_member
                && membership(&event.pdu) == Some(Membership::Join)
                && let Ok(user) = <&UserId>::try_from(key.as_str())
            {
                servers.remove(user.server_name());
            }
            if found.insert(place, entry).is_some() {
                return Err(lie("it has two events in one place"));
            }
        }
        if !expected.is_empty() {
            return Err(lie("it lacks what there was on joining"));
        }
        if let (Some(server), true) = (servers.first(), is_strict) {
            return Err(lie(&format!("nobody of {server} is in it")));
        }
        Ok(found.into_values().collect())
    }

    /// Nobody of this server is in a room any more: it stays as it is known.
    async fn leave_partial(&self, room: &Arc<Room>) -> Result<()> {
        // What is on its way is noted by then.
        let latest = room.lock().latest;
        self.settled(latest).await?;
        let permit = self.inner.store.permit().await?;
        let pending = {
            let mut head = room.lock();
            if !head.is_partial || self.has_local_member(room)? {
                return Ok(());
            }
            let mut batch = Batch::new();
            self.unmark_partial(room, &mut head, &mut batch)?;
            self.inner.partial.is_over(room.number, None);
            let reserved = self.store().reserve(permit, 0);
            self.store().submit(reserved, batch)
        };
        pending.await?;
        Ok(())
    }
}

/// One round. True if there is to be no other.
async fn is_done(inner: &Weak<Inner>, room: &Arc<Room>, round: u32) -> bool {
    let Some(inner) = inner.upgrade() else {
        return true;
    };
    match (Rooms { inner }).resync(room, round).await {
        Ok(is_done) => is_done,
        Err(Error::Storage(orvale_storage::Error::Closed)) => true,
        Err(error) => {
            tracing::error!(%error, room_id = %room.id, "a room cannot be made whole");
            false
        }
    }
}

fn lie(what: &str) -> Error {
    Error::BadContent(format!("the state it gives cannot be right: {what}"))
}
