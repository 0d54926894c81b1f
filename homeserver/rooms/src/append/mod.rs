//! The one way in: every event that becomes part of a room goes through here, under the room's lock.
//!
//! First the events are made, each from the state that the one before it left: which events authorise it, what follows it
//! in the graph, its hashes and signature; and the auth rules of the room's version are asked. Then one batch takes all of
//! them with their indexes, the new state and the room's new head. The lock is let go as soon as the batch is on its
//! way: the next event of the room is made while the disk still works on this one, and shares its sync.
//!
//! `checked.rs` has them signed by the room's policy server, where there is one: that waits without the lock.
//!
//! `make.rs` makes the events of local users, [`crate::foreign`] judges those of others; `write.rs` takes both.

mod checked;
mod content;
mod make;
mod new_room;
mod write;

use std::sync::Arc;

use orvale_events::Pdu;
use orvale_storage::{
    Batch, Pending, Position,
    trees::rooms::{Membership, RelationRecord},
};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType},
};
use serde_json::value::RawValue;

use checked::Unchecked;
pub use content::membership;
pub(crate) use content::{relation, relation_in};
use make::appended;
pub(crate) use make::known_state;
pub(crate) use write::{Before, Made, follows_all, put_relation, rejected};

use crate::{
    Rooms,
    error::Result,
    room::{Head, Room},
};

/// An event that a local user wants to be part of a room.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Who sends it.
    pub sender: OwnedUserId,
    /// Its type.
    pub kind: TimelineEventType,
    /// Its state key, if it is a state event.
    pub state_key: Option<String>,
    /// Its content, as the sender wrote it.
    pub content: Box<RawValue>,
    /// The event it redacts, if it is a redaction.
    pub redacts: Option<OwnedEventId>,
    /// When it was sent, if that is not now.
    pub timestamp: Option<MilliSecondsSinceUnixEpoch>,
    /// What makes the same request again find this event.
    pub request: Option<Request>,
}

/// A request of a device, which happens once however often it is made.
#[derive(Debug, Clone)]
pub struct Request {
    /// The device.
    pub device_id: String,
    /// The transaction ID.
    pub transaction_id: String,
    /// What the ID is unique in: the endpoint and its path parameters.
    pub scope: String,
}

impl Draft {
    /// A message-like event.
    #[must_use]
    pub fn message(sender: &UserId, kind: TimelineEventType, content: Box<RawValue>) -> Self {
        let sender = sender.to_owned();
        Self {
            sender,
            kind,
            state_key: None,
            content,
            redacts: None,
            timestamp: None,
            request: None,
        }
    }

    /// A state event.
    #[must_use]
    pub fn state(
        sender: &UserId,
        kind: StateEventType,
        state_key: &str,
        content: Box<RawValue>,
    ) -> Self {
        Self {
            state_key: Some(state_key.to_owned()),
            ..Self::message(sender, kind.to_string().into(), content)
        }
    }
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The event's ID.
    pub event_id: OwnedEventId,
    /// Whether it had been there before: the request was made before, or the state was just so already.
    pub existed: bool,
}

/// A room as it stands under its lock, for deciding what to append.
pub struct View<'a> {
    pub(crate) rooms: &'a Rooms,
    pub(crate) room: &'a Room,
    pub(crate) head: &'a mut Head,
}

impl<'a> View<'a> {
    /// The state event of this type and key.
    ///
    /// # Errors
    /// Storage's.
    pub fn state(&mut self, kind: &StateEventType, state_key: &str) -> Result<Option<Arc<Pdu>>> {
        known_state(self.rooms, self.room, self.head, kind, state_key)
    }

    /// The membership of a user; `None` for a stranger.
    ///
    /// # Errors
    /// Storage's.
    pub fn membership(&mut self, user: &UserId) -> Result<Option<Membership>> {
        Ok(self
            .state(&StateEventType::RoomMember, user.as_str())?
            .and_then(|member| membership(&member)))
    }

    /// How many users are joined.
    #[must_use]
    pub fn joined(&self) -> u64 {
        self.head.joined
    }

    /// Whether the request of a draft was made before.
    pub(crate) fn has_request(&self, draft: &Draft) -> Result<bool> {
        Ok(self.rooms.find_request(self.head, draft)?.is_some())
    }

    /// The relations to an event that the store may not hold yet.
    pub(crate) fn unwritten_relations(
        &self,
        parent: &EventId,
        rel_type: &str,
    ) -> impl Iterator<Item = &RelationRecord> {
        let to =
            move |(_, to, by, _): &&(_, OwnedEventId, String, _)| to == parent && by == rel_type;
        self.head
            .relations
            .iter()
            .filter(to)
            .map(|(.., record)| record)
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> &'a Room {
        self.room
    }
}

/// What is left to do when the lock is let go.
enum Next {
    /// Nothing was made; what was there has to be durable.
    Settle(Position),
    /// It is on its way to the disk.
    Wait(Pending),
    /// A policy server has to sign it.
    Check(Box<Unchecked>),
}

impl Rooms {
    /// Appends what `decide` wants, seeing the room as it stands, all or nothing. Resolves when it is durable.
    ///
    /// # Errors
    /// Those of `decide`; [`Error::Forbidden`] if the auth rules refuse an event; [`Error::Event`] if
    /// what was sent cannot be one; [`Error::PolicyServer`] if the room's policy server refuses it.
    pub async fn append<F>(&self, room: &Arc<Room>, decide: F) -> Result<Vec<Appended>>
    where
        F: FnOnce(&mut View<'_>) -> Result<Vec<Draft>> + Send,
    {
        // What one of our users does while a policy server looks at another's event waits for that.
        let _turn = self.policy_turn(room).await?;
        let permit = self.inner.store.permit().await?;
        let (outcomes, ids, next) = {
            let mut head = room.lock();
            let drafts = decide(&mut View {
                rooms: self,
                room,
                head: &mut head,
            })?;
            let (outcomes, made) = self.make(room, &mut head, drafts)?;
            let ids: Vec<_> = made.iter().map(|m| m.pdu.event_id.clone()).collect();
            let next = if made.is_empty() {
                Next::Settle(head.latest)
            } else if let Some(server) = self.checker_of(room, &mut head, &made)? {
                Next::Check(Box::new(Unchecked::new(&head, server, made)))
            } else {
                Next::Wait(self.write(room, &mut head, made, permit)?)
            };
            (outcomes, ids, next)
        };
        match next {
            Next::Wait(pending) => pending.await?,
            // What existed may still be on its way to the disk, and an answer says that it is there to stay.
            Next::Settle(latest) => self.settled(latest).await?,
            Next::Check(unchecked) => self.write_checked(room, *unchecked).await?,
        }
        Ok(outcomes.into_iter().map(|o| appended(o, &ids)).collect())
    }

    /// Waits until everything up to a position is durable.
    pub(crate) async fn settled(&self, at: Position) -> Result<()> {
        if self.inner.store.visible() < at {
            // Batches are taken in order: once an empty one is through, so are those before it, or it fails as they did.
            self.inner.store.commit(Batch::new()).await?;
        }
        Ok(())
    }

    /// Appends one event.
    ///
    /// # Errors
    /// As [`Rooms::append`].
    pub async fn append_one(&self, room: &Arc<Room>, draft: Draft) -> Result<Appended> {
        let mut appended = self.append(room, |_| Ok(vec![draft])).await?;
        Ok(appended.pop().expect("one draft gives one outcome"))
    }
}
