//! Rooms whose events a policy server checks: which one that is, and asking it.
//!
//! Events of local users are made, signed by it, and only then appended; those of other servers that it does not sign are soft-failed.
//! <https://spec.matrix.org/v1.19/server-server-api/#policy-servers>

use std::{collections::HashMap, sync::Arc, time::Duration};

use orvale_events::PolicyServer;
use parking_lot::Mutex;
use ruma::{
    OwnedServerName, ServerName, api::federation::policy::sign_event, events::StateEventType,
    room_version_rules::RoomVersionRules,
};
use tokio::{sync::OwnedMutexGuard, time::Instant};

use crate::{
    Room, Rooms,
    append::known_state,
    error::{Error, Result},
    remote::raw,
    room::Head,
    state::StateId,
};

/// How long a policy server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one is left alone that was not reached. Until then, whatever needs it fails at once.
const REST: Duration = Duration::from_secs(15);
/// The most bytes of its answer.
const MAX_ANSWER: usize = 64 << 10;

/// Policy servers that were not reached of late, and since when.
#[derive(Debug, Default)]
pub(crate) struct Silent(Mutex<HashMap<OwnedServerName, Instant>>);

impl Silent {
    fn has(&self, server: &ServerName) -> bool {
        let mut silent = self.0.lock();
        silent.retain(|_, since| since.elapsed() < REST);
        silent.contains_key(server)
    }

    fn insert(&self, server: &ServerName) {
        self.0.lock().insert(server.to_owned(), Instant::now());
    }
}

/// The right to make events of a room with a policy server.
pub(crate) type PolicyTurn = OwnedMutexGuard<()>;

impl Rooms {
    /// The policy server of a room as it stands, if it uses one: it names one that has a user in it.
    pub(crate) fn policy_server(
        &self,
        room: &Room,
        head: &mut Head,
    ) -> Result<Option<PolicyServer>> {
        if head.state == StateId::EMPTY {
            return Ok(None);
        }
        let named = known_state(self, room, head, &StateEventType::RoomPolicy, "")?;
        match named.and_then(|event| PolicyServer::parse(&event.content)) {
            Some(server) if self.is_server_in(room, server.name())? => Ok(Some(server)),
            _ => Ok(None),
        }
    }

    /// Waits until nobody else of this server has the room's policy server look at an event: what is decided on the room as it is then
    /// still holds when the answer comes, but for what other servers do. `None` if the room uses none.
    pub(crate) async fn policy_turn(&self, room: &Arc<Room>) -> Result<Option<PolicyTurn>> {
        let server = self.policy_server(room, &mut room.lock())?;
        if server.is_none() {
            return Ok(None);
        }
        let turn = self.inner.inboxes.of_policy_server(&room.id);
        let turn = turn.ok_or(Error::PolicyServerBusy)?;
        Ok(Some(turn.lock_owned().await))
    }

    /// Asks a policy server to sign an event; gives the event with its signature. No lock is held meanwhile.
    ///
    /// # Errors
    /// [`Error::PolicyServer`] if it refuses; [`Error::Remote`] if it cannot be reached, or signs by another key than the room names.
    pub(crate) async fn ask_policy_server(
        &self,
        server: &PolicyServer,
        rules: &RoomVersionRules,
        json: &[u8],
    ) -> Result<Vec<u8>> {
        use orvale_federation_client::Error as Failed;
        let name = server.name();
        let client = self.federation()?;
        if self.inner.silent.has(name) {
            let reason = format!("{name} has not answered of late");
            return Err(Failed::NotReached(reason).into());
        }
        let mut bounds = client.bounds();
        bounds.timeout = bounds.timeout.min(PATIENCE);
        bounds.max_bytes = bounds.max_bytes.min(MAX_ANSWER);
        let request = sign_event::v1::Request::new(raw(json)?);
        let answer = match client.send_within(name, request, bounds).await {
            Ok(answer) => answer,
            Err(Failed::Matrix(answered)) => return Err(Error::PolicyServer(answered)),
            Err(error) => {
                if matches!(error, Failed::NotReached(_)) {
                    self.inner.silent.insert(name);
                }
                return Err(error.into());
            }
        };
        let unsigned = || Failed::BadAnswer(format!("{name} did not sign the event"));
        let signature = answer.ed25519_signature(name).ok_or_else(unsigned)?;
        let signed = server.add_signature(json, signature)?;
        if !server.has_signed(&signed, rules) {
            return Err(unsigned().into());
        }
        Ok(signed)
    }
}

#[cfg(test)]
mod tests;
