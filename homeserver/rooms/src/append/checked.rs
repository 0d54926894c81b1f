//! Events that a policy server signs before they become part of the room.

use std::sync::Arc;

use orvale_events::PolicyServer;
use ruma::OwnedEventId;

use super::write::{Before, Made};
use crate::{
    Rooms,
    error::Result,
    foreign::forbidden,
    moderate, redaction,
    room::{Head, Room},
    state::StateId,
};

/// Events that are made, and the place in the room that they are made for.
pub(super) struct Unchecked {
    server: PolicyServer,
    made: Vec<Made>,
    extremities: Vec<OwnedEventId>,
    state: StateId,
}

impl Unchecked {
    pub(super) fn new(head: &Head, server: PolicyServer, made: Vec<Made>) -> Self {
        Self {
            server,
            made,
            extremities: head.extremities.clone(),
            state: head.state,
        }
    }
}

impl Rooms {
    /// The policy server that has to sign some of these events first.
    pub(super) fn checker_of(
        &self,
        room: &Room,
        head: &mut Head,
        made: &[Made],
    ) -> Result<Option<PolicyServer>> {
        if !made.iter().any(|made| PolicyServer::must_sign(&made.pdu)) {
            return Ok(None);
        }
        self.policy_server(room, head)
    }

    /// Has events signed and takes them into the room, all or none. Resolves when they are durable.
    pub(super) async fn write_checked(&self, room: &Arc<Room>, unchecked: Unchecked) -> Result<()> {
        let Unchecked {
            server,
            mut made,
            extremities,
            state,
        } = unchecked;
        for made in &mut made {
            if PolicyServer::must_sign(&made.pdu) {
                made.json = self
                    .ask_policy_server(&server, &room.rules, &made.json)
                    .await?;
            }
        }
        let permit = self.inner.store.permit().await?;
        let pending = {
            let mut head = room.lock();
            let now = self.policy_server(room, &mut head)?;
            if now.is_some_and(|now| now != server) {
                let changed = "the room's policy server changed meanwhile: send it again";
                return Err(moderate::forbidden(changed));
            }
            if head.extremities != extremities || head.state != state {
                self.stand_beside(room, &head, &mut made)?;
            }
            self.write(room, &mut head, made, permit)?
        };
        pending.await?;
        Ok(())
    }

    /// Lets events stand beside what other servers appended since they were made, if the room as it is allows them still.
    fn stand_beside(&self, room: &Room, head: &Head, made: &mut [Made]) -> Result<()> {
        for made in made {
            self.judge_by(room, head, &made.pdu, head.state)?
                .map_err(|refused| forbidden(&refused))?;
            made.before = Before::Prev;
            if let (Some(_), Some(id)) = (&made.redacts, &made.pdu.redacts) {
                made.redacts = redaction::target(self, room, id)?;
            }
        }
        Ok(())
    }
}
