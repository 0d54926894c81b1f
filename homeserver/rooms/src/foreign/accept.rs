//! Taking events in whose past is known: under the room's lock, as many as came together by one batch.

use std::{collections::HashMap, sync::Arc};

use orvale_events::PolicyServer;
use orvale_storage::{Batch, Pending};
use ruma::{OwnedEventId, ServerName};

use super::{Arrival, place::Placed};
use crate::{
    Rooms,
    error::{Error, Result},
    room::Room,
    stood::moved,
};

/// How many events are judged under the lock at once; who writes in the room waits for so many at most.
pub(crate) const AT_ONCE: usize = 16;

/// What became of an event of another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It was known before.
    Known,
    /// It is part of the room.
    Live,
    /// It was allowed where it stands, and is not by the room as it is or by its policy server: it is not shown.
    SoftFailed(String),
    /// The auth rules refuse it.
    Rejected(String),
    /// Other events have to be known first.
    Missing(Missing),
}

/// Events that have to be known before one can be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Of those before it.
    pub prev_events: Vec<OwnedEventId>,
    /// Of those that allow it.
    pub auth_events: Vec<OwnedEventId>,
}

/// What was begun with some events under the lock.
#[derive(Default)]
struct Begun {
    /// What became of the first of them.
    accepted: Vec<Accepted>,
    /// What of it is on its way to the disk.
    pending: Option<Pending>,
    /// Who has to be asked about the next one.
    unsigned: Option<PolicyServer>,
}

/// What an event is taken in with.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// The events before it that cannot be had.
    pub(super) bridge: &'a Bridge,
    /// The server that does not tell the others itself.
    pub(super) forward: Option<&'a ServerName>,
    /// Why the room's policy server does not sign it, once that was asked.
    pub(super) unsigned: Option<&'a str>,
}

impl<'a> Terms<'a> {
    fn over(bridge: &'a Bridge) -> Self {
        Self {
            bridge,
            forward: None,
            unsigned: None,
        }
    }
}

/// Events before one that cannot be had, and the state after each of them as another server gives it.
pub(crate) type Bridge = HashMap<OwnedEventId, Vec<OwnedEventId>>;

impl Rooms {
    /// Takes an event of another server in: judges it by the events it names, by the state before it and by the room as it is.
    /// Resolves when it is durable.
    ///
    /// # Errors
    /// Storage's; [`crate::Error::Event`] if forks cannot be resolved.
    pub async fn accept(&self, room: &Arc<Room>, arrival: Arrival) -> Result<Accepted> {
        self.accept_over(room, arrival, &Bridge::new()).await
    }

    /// As [`Rooms::accept`], where some of the events before it cannot be had.
    pub(crate) async fn accept_over(
        &self,
        room: &Arc<Room>,
        arrival: Arrival,
        bridge: &Bridge,
    ) -> Result<Accepted> {
        self.accept_on(room, arrival, Terms::over(bridge)).await
    }

    /// As [`Rooms::accept`], of an event that another server handed to this one to let it in: this one tells the other servers.
    pub(crate) async fn accept_for(
        &self,
        room: &Arc<Room>,
        arrival: Arrival,
        from: &ServerName,
    ) -> Result<Accepted> {
        let bridge = Bridge::new();
        let terms = Terms {
            forward: Some(from),
            ..Terms::over(&bridge)
        };
        self.accept_on(room, arrival, terms).await
    }

    async fn accept_on(
        &self,
        room: &Arc<Room>,
        arrival: Arrival,
        terms: Terms<'_>,
    ) -> Result<Accepted> {
        let (accepted, pending) = self.accept_ahead(room, arrival, terms).await?;
        if let Some(pending) = pending {
            pending.await?;
        }
        Ok(accepted)
    }

    /// As [`Rooms::accept`], of events that came together, without waiting for the disk: whoever is told of them has to. Gives what became of
    /// the first of them, at least one: the others may need what comes after that.
    pub(crate) async fn begin(
        &self,
        room: &Arc<Room>,
        arrivals: &[Arrival],
    ) -> Result<(Vec<Accepted>, Option<Pending>)> {
        let bridge = Bridge::new();
        let terms = Terms::over(&bridge);
        let most = arrivals.len().min(AT_ONCE);
        let begun = self.take(room, &arrivals[..most], terms).await?;
        match arrivals.first() {
            Some(first) if begun.unsigned.is_some() && begun.accepted.is_empty() => {
                let (accepted, pending) = self.accept_ahead(room, first.clone(), terms).await?;
                Ok((vec![accepted], pending))
            }
            _ => Ok((begun.accepted, begun.pending)),
        }
    }

    async fn accept_ahead(
        &self,
        room: &Arc<Room>,
        mut arrival: Arrival,
        terms: Terms<'_>,
    ) -> Result<(Accepted, Option<Pending>)> {
        let mut unsigned: Option<String> = None;
        loop {
            let terms = Terms {
                unsigned: unsigned.as_deref(),
                ..terms
            };
            let one = std::slice::from_ref(&arrival);
            let mut begun = self.take(room, one, terms).await?;
            if let Some(accepted) = begun.accepted.pop() {
                return Ok((accepted, begun.pending));
            }
            let server = begun.unsigned.expect("an event is taken, or to be signed");
            let asked = self.ask_policy_server(&server, &room.rules, &arrival.json);
            match asked.await {
                Ok(signed) => arrival.json = signed,
                Err(Error::Storage(error)) => return Err(error.into()),
                Err(error) => unsigned = Some(error.to_string()),
            }
        }
    }

    /// Takes the first of some events in, as far as they need nothing that is not here.
    async fn take(&self, room: &Room, arrivals: &[Arrival], terms: Terms<'_>) -> Result<Begun> {
        let permit = self.inner.store.permit().await?;
        let mut head = room.lock();
        let head = &mut *head;
        self.forget_looked_up(head);
        let mut before = arrivals.iter().flat_map(|event| &event.pdu.prev_events);
        if before.any(|id| terms.bridge.contains_key(id)) {
            self.leave_room_for_history();
        }
        // The second place of each is for telling the others.
        let places = 1 + u64::from(terms.forward.is_some());
        let reserved = self
            .inner
            .store
            .reserve(permit, places * arrivals.len() as u64);
        let mut batch = Batch::new();
        let mut begun = Begun::default();
        for arrival in arrivals {
            let at = reserved.at(batch.entries());
            let placed = moved(head, at, |head| self.place(room, head, arrival, terms, at));
            match placed {
                Ok(Placed::Not(accepted)) => {
                    let is_missing = matches!(accepted, Accepted::Missing(_));
                    begun.accepted.push(accepted);
                    if is_missing {
                        break;
                    }
                }
                Ok(Placed::By(placed, accepted)) => {
                    batch.append(placed);
                    begun.accepted.push(accepted);
                }
                Ok(Placed::Unsigned(server)) => {
                    begun.unsigned = Some(server);
                    break;
                }
                Err(error) if begun.accepted.is_empty() => return Err(error),
                // It is tried again, as the first, and fails alone.
                Err(_) => break,
            }
        }
        if !batch.is_empty() {
            self.put_head(room, head, &mut batch);
            begun.pending = Some(self.inner.store.submit(reserved, batch));
        }
        Ok(begun)
    }
}

/// Where an event that nobody waits for stands.
impl Accepted {
    /// The reason for which it was refused.
    #[must_use]
    pub fn refused(&self) -> Option<&str> {
        match self {
            Self::Rejected(reason) => Some(reason),
            Self::Known | Self::Live | Self::SoftFailed(_) | Self::Missing(_) => None,
        }
    }
}
