//! What others see of a user, weighed from how each of their clients is and what they chose.

use std::collections::HashMap;

use ruma::{OwnedDeviceId, presence::PresenceState};

use super::Presence;
use crate::{clock::milliseconds, config::Presence as Config};

/// Online, but not to be disturbed: what the specification has no word for yet.
///
/// <https://github.com/matrix-org/matrix-spec-proposals/pull/3026>
pub(super) const BUSY: &str = "org.matrix.msc3026.busy";

/// Whether this is a state that clients can be in.
pub(super) fn is_known(state: &PresenceState) -> bool {
    matches!(
        state,
        PresenceState::Online | PresenceState::Offline | PresenceState::Unavailable
    ) || state.as_str() == BUSY
}

/// How much a client's state counts among those of the user's clients.
fn weight(state: &PresenceState) -> u8 {
    match state {
        PresenceState::Unavailable => 1,
        PresenceState::Online => 2,
        state if state.as_str() == BUSY => 3,
        _ => 0,
    }
}

/// Below this, in milliseconds, a user is active just now.
const ACTIVE: u64 = 60_000;

/// What is known of how a user is.
#[derive(Default)]
pub(super) struct User {
    pub(super) clients: HashMap<OwnedDeviceId, Client>,
    pub(super) last_active: u64,
    pub(super) status_msg: Option<String>,
    /// What the user says they are, whatever their clients say.
    pub(super) chosen: Option<PresenceState>,
    /// Of another server's user: until when its word counts.
    pub(super) heard_until: u64,
    /// What was last told of the user, and where in the stream.
    pub(super) told: Option<(PresenceState, Option<String>)>,
    pub(super) at: u64,
}

pub(super) struct Client {
    pub(super) state: PresenceState,
    pub(super) last_request: u64,
}

impl User {
    /// What others see of it at a time.
    pub(super) fn shown(&self, config: &Config, now: u64) -> Presence {
        let gone = milliseconds(config.offline_after());
        let connected = self
            .clients
            .values()
            .filter(|client| now < client.last_request.saturating_add(gone));
        let ago = now.saturating_sub(self.last_active);
        let presence = connected.fold(PresenceState::Offline, |most, client| {
            if weight(&client.state) > weight(&most) {
                client.state.clone()
            } else {
                most
            }
        });
        // Who says that they are back is, though another client of theirs has not heard of it yet.
        let is_back = self.chosen == Some(PresenceState::Online);
        let presence = match presence {
            busy if is_back && busy.as_str() == BUSY => PresenceState::Online,
            presence => presence,
        };
        // Other servers say themselves who is idle.
        let idle = self.heard_until == 0
            && presence == PresenceState::Online
            && ago >= milliseconds(config.idle_after());
        let presence = match &self.chosen {
            Some(chosen) if !is_back && presence != PresenceState::Offline => chosen.clone(),
            _ if idle => PresenceState::Unavailable,
            _ => presence,
        };
        Presence {
            currently_active: presence == PresenceState::Online && ago < ACTIVE,
            presence,
            status_msg: self.status_msg.clone(),
            last_active_ago: (self.last_active > 0).then_some(ago),
        }
    }
}
