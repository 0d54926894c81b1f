//! Rooms whose members are not all known here yet: a room of many can be used as soon as somebody joined it, and is made whole
//! behind that.
//!
//! | file | holds |
//! |---|---|
//! | this one | which rooms these are; waiting until one is whole |
//! | `learn.rs` | what is known all the same: of members by what their events name, and of the state before the join |
//! | `resync.rs` | the whole state, fetched from the servers in the room |
//! | `flat.rs` | the members in it, made ready beside the room's lock |
//! | `mend.rs` | the room set right by it, in one batch |
//! | `redacted.rs` | what redactions took that may turn out to have been forbidden |
//!
//! How a room that is not whole differs: `Head::is_partial` says so under its lock, and each event that takes a place is noted in
//! [`PARTIAL_EVENTS`]. Whoever needs all members waits ([`Rooms::await_whole`]).

mod flat;
mod learn;
mod mend;
mod redacted;
mod resync;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use orvale_storage::{
    Batch, Position, Store,
    trees::rooms::{
        Membership, PARTIAL_EVENTS, PARTIAL_REDACTED, PARTIAL_ROOMS, PartialRecord, WHOLE_SINCE,
    },
};
use parking_lot::RwLock;
use ruma::{OwnedServerName, RoomId, ServerName, UserId, events::StateEventType};
use tokio::sync::watch;

use crate::{
    Room, Rooms,
    error::{Error, Result},
    room::Head,
};

/// How long whoever needs a whole room waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The rooms whose members are not all known, and since when those are whole that were such: few, and every reader asks.
#[derive(Debug, Default)]
pub(crate) struct PartialRooms {
    now: RwLock<HashMap<Position, Arc<Partial>>>,
    whole_since: RwLock<HashMap<Position, Position>>,
}

/// A room whose members are not all known.
#[derive(Debug)]
pub(crate) struct Partial {
    /// The number of the join by which this server came in.
    pub(crate) join: Position,
    /// The server that let it in.
    pub(crate) via: OwnedServerName,
    /// The other servers that were in the room then.
    pub(crate) servers: BTreeSet<OwnedServerName>,
    is_over: watch::Sender<bool>,
}

impl Partial {
    pub(crate) fn new(
        join: Position,
        via: OwnedServerName,
        servers: BTreeSet<OwnedServerName>,
    ) -> Self {
        Self {
            join,
            via,
            servers,
            is_over: watch::Sender::new(false),
        }
    }

    fn read(room: Position, record: &PartialRecord) -> Result<Self> {
        let read = |name: &String| {
            ServerName::parse(name).map_err(|error| orvale_storage::Error::Corrupt {
                tree: "partial_rooms",
                reason: format!("room {room}: {name:?} is no server's name: {error}"),
            })
        };
        let servers = record.servers.iter().map(read);
        let servers = servers.collect::<std::result::Result<_, _>>()?;
        Ok(Self::new(record.join, read(&record.via)?, servers))
    }

    fn record(&self) -> PartialRecord {
        PartialRecord {
            join: self.join,
            via: self.via.to_string(),
            servers: self.servers.iter().map(ToString::to_string).collect(),
        }
    }
}

impl PartialRooms {
    pub(crate) fn of(store: &Store) -> Result<Self> {
        let mut now = HashMap::new();
        for ((room,), record) in store.prefix(&PARTIAL_ROOMS, (), usize::MAX)? {
            // Passed over, it would be taken for whole.
            now.insert(room, Arc::new(Partial::read(room, &record)?));
        }
        let whole = store.prefix(&WHOLE_SINCE, (), usize::MAX)?.into_iter();
        Ok(Self {
            now: RwLock::new(now),
            whole_since: RwLock::new(whole.map(|((room,), at)| (room, at)).collect()),
        })
    }

    pub(crate) fn get(&self, room: Position) -> Option<Arc<Partial>> {
        self.now.read().get(&room).cloned()
    }

    fn all(&self) -> Vec<Position> {
        self.now.read().keys().copied().collect()
    }

    /// Tells whoever asks from now on that a room is partial.
    pub(crate) fn begin(&self, room: Position, partial: Partial) {
        self.now.write().insert(room, Arc::new(partial));
    }

    /// Tells whoever waits, and whoever asks from now on, that a room is not partial any more.
    pub(crate) fn is_over(&self, room: Position, whole_since: Option<Position>) {
        if let Some(at) = whole_since {
            self.whole_since.write().insert(room, at);
        }
        if let Some(partial) = self.now.write().remove(&room) {
            partial.is_over.send_replace(true);
        }
    }
}

impl Rooms {
    /// Whether not all members of a room are known here yet.
    #[must_use]
    pub fn is_partial(&self, room: Position) -> bool {
        self.inner.partial.now.read().contains_key(&room)
    }

    /// The position at which all members of a room came to be known, if that was later than the join.
    #[must_use]
    pub fn whole_since(&self, room: Position) -> Option<Position> {
        self.inner.partial.whole_since.read().get(&room).copied()
    }

    /// Waits a while until all members of a room are known here.
    ///
    /// # Errors
    /// [`Error::PartialState`] if they are not then.
    pub async fn await_whole(&self, room: &Room) -> Result<()> {
        self.await_whole_for(room, PATIENCE).await
    }

    /// As [`Rooms::await_whole`], of the room of this ID, for a user who reads it.
    ///
    /// # Errors
    /// [`Error::NotJoined`]; [`Error::PartialState`].
    pub async fn await_members(&self, user: &UserId, room: &RoomId) -> Result<()> {
        let reading = self.read(user, room)?;
        self.await_whole(&reading.room).await
    }

    /// Waits until it can be said how a user of this server stands in a room: where not all its members are known, and the user was asked
    /// in or knocked before this server came in, that is not part of what is known of its state.
    pub(crate) async fn await_standing(&self, user: &UserId, room: &Room) -> Result<()> {
        if !self.is_partial(room.number) {
            return Ok(());
        }
        let stands = self.find_membership(room, user)?;
        let is_asked = stands.is_some_and(|stands| {
            matches!(stands.membership, Membership::Invite | Membership::Knock)
        });
        if !is_asked {
            return Ok(());
        }
        let member = self.find_state(room, &StateEventType::RoomMember, user.as_str())?;
        match member {
            Some(_) => Ok(()),
            None => self.await_whole(room).await,
        }
    }

    pub(crate) async fn await_whole_for(&self, room: &Room, patience: Duration) -> Result<()> {
        let Some(partial) = self.inner.partial.get(room.number) else {
            return Ok(());
        };
        let mut is_over = partial.is_over.subscribe();
        let over = tokio::time::timeout(patience, is_over.wait_for(|over| *over));
        match over.await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::PartialState),
        }
    }

    /// Refuses what cannot be answered of a room whose members are not all known.
    pub(crate) fn must_be_whole(&self, room: &Room) -> Result<()> {
        match self.is_partial(room.number) {
            true => Err(Error::PartialState),
            false => Ok(()),
        }
    }

    /// Notes that not all members of a room are known, in the batch of the join.
    pub(crate) fn mark_partial(
        &self,
        room: &Room,
        head: &mut Head,
        partial: &Partial,
        batch: &mut Batch,
    ) {
        head.is_partial = true;
        batch.put(&PARTIAL_ROOMS, (room.number,), &partial.record());
    }

    /// Takes the note back, under the room's lock: nobody of this server is in it any more, or all of its state came.
    pub(crate) fn unmark_partial(
        &self,
        room: &Room,
        head: &mut Head,
        batch: &mut Batch,
    ) -> Result<()> {
        let noted = self
            .store()
            .prefix(&PARTIAL_EVENTS, (room.number,), usize::MAX)?;
        let redacted = self.kept_redacted(room, head)?;
        head.is_partial = false;
        batch.delete(&PARTIAL_ROOMS, (room.number,));
        let flying = head.flight.placed().map(|(at, _)| at);
        for at in noted.into_iter().map(|((_, at), _)| at).chain(flying) {
            batch.delete(&PARTIAL_EVENTS, (room.number, at));
        }
        for (number, _) in redacted {
            batch.delete(&PARTIAL_REDACTED, (room.number, number));
        }
        head.redacted.clear();
        Ok(())
    }
}

/// Runs what takes long, not between other tasks' turns where there are several threads.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    let flavor = tokio::runtime::Handle::try_current().map(|handle| handle.runtime_flavor());
    if matches!(flavor, Ok(tokio::runtime::RuntimeFlavor::MultiThread)) {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
