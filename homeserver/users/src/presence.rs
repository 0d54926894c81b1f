//! Presence: who is online. In memory, with a stream of changes of its own; only the status message is kept.
//!
//! Each client of a user says how it is (by its syncs, or by setting presence), and counts as connected for a while after.
//! The user is what the most present client is, but idle when nothing was done for some minutes. Who is busy is so everywhere (MSC3026).
//!
//! What the user has chosen, in the profile field `com.orvale.status`, comes before all that as long as any client is connected: clients say
//! how they are by themselves, and a phone in a pocket must not undo "away" said at the desk.

mod weighing;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use orvale_storage::{
    Batch, Store,
    trees::users::{PRESENCE, PROFILES},
};
use parking_lot::Mutex;
use ruma::{DeviceId, OwnedServerName, OwnedUserId, ServerName, UserId, presence::PresenceState};
use tokio::sync::watch;

use self::weighing::{BUSY, Client, User, is_known};
use crate::{Clock, Error, Result, clock::milliseconds, config, profiles};

/// Who is online. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct PresenceHub {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    server_name: OwnedServerName,
    config: config::Presence,
    clock: Clock,
    state: Mutex<State>,
    position: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    users: HashMap<OwnedUserId, User>,
    /// The last change of each user, by position: as many as there are users.
    changes: BTreeMap<u64, OwnedUserId>,
}

/// A user's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Whether the user is online.
    pub presence: PresenceState,
    /// What the user says of it.
    pub status_msg: Option<String>,
    /// How long ago the user last did something, in milliseconds.
    pub last_active_ago: Option<u64>,
    /// Whether the user is doing something just now.
    pub currently_active: bool,
}

/// How long another server's word about its user counts, in milliseconds. Servers say it again before.
const HEARD: u64 = 30 * 60_000;

impl PresenceHub {
    pub(crate) fn new(
        store: Store,
        server_name: OwnedServerName,
        config: config::Presence,
        clock: Clock,
    ) -> Self {
        // Positions begin with the time, so that those of a run come after those of the run before it.
        let position = watch::Sender::new(clock.now());
        let inner = Inner {
            store,
            server_name,
            config,
            clock,
            state: Mutex::default(),
            position,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Whether presence is told at all. If not, everybody is offline and nothing changes.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.inner.config.enabled
    }

    /// The last position of the stream of changes.
    #[must_use]
    pub fn position(&self) -> u64 {
        *self.inner.position.borrow()
    }

    /// Tells when the stream moves.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.position.subscribe()
    }

    /// The users whose presence changed after a position, by the place of their last change; up to `limit`.
    #[must_use]
    pub fn changes_since(&self, after: u64, limit: usize) -> Vec<(u64, OwnedUserId)> {
        let state = self.inner.state.lock();
        let changed = state.changes.range(after.saturating_add(1)..).take(limit);
        changed
            .map(|(at, user_id)| (*at, user_id.clone()))
            .collect()
    }

    /// A client syncs and says how it is. (A client that says it is offline wants its sync not to count.)
    pub fn synced(&self, user_id: &UserId, device_id: &DeviceId, presence: &PresenceState) {
        if !self.is_enabled() || *presence == PresenceState::Offline || !is_known(presence) {
            return;
        }
        self.update(user_id, |user, now| {
            let client = Client {
                state: presence.clone(),
                last_request: now,
            };
            let before = user.clients.insert(device_id.to_owned(), client);
            // To come online is to do something; to stay online is not.
            if *presence == PresenceState::Online
                && before.is_none_or(|before| before.state != *presence)
            {
                user.last_active = now;
            }
        });
    }

    /// The user did something: sent, read, typed.
    pub fn active(&self, user_id: &UserId, device_id: &DeviceId) {
        if !self.is_enabled() {
            return;
        }
        self.update(user_id, |user, now| {
            user.last_active = now;
            if let Some(client) = user.clients.get_mut(device_id) {
                // Who is busy or wants not to be seen stays so, whatever they do.
                if client.state == PresenceState::Unavailable {
                    client.state = PresenceState::Online;
                }
                client.last_request = now;
            }
        });
    }

    /// Sets how a client is and what the user says of it.
    ///
    /// # Errors
    /// [`Error::InvalidParam`]; storage.
    pub async fn set(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        presence: PresenceState,
        status_msg: Option<String>,
    ) -> Result<()> {
        if !is_known(&presence) {
            return Err(Error::InvalidParam(format!(
                "presence is online, unavailable, offline or {BUSY}"
            )));
        }
        let status_msg = status_msg.filter(|text| !text.is_empty());
        if let Some(text) = &status_msg {
            self.inner.config.check_status_message(text)?;
        }
        if !self.is_enabled() {
            return Ok(());
        }
        let kept = self.kept(user_id)?;
        if kept.status_msg != status_msg {
            let record = orvale_storage::trees::users::Presence {
                status_msg: status_msg.clone(),
                last_active: self.now(),
            };
            let mut batch = Batch::new();
            batch.put(&PRESENCE, (user_id.localpart(),), &record);
            self.inner.store.commit(batch).await?;
        }
        self.update(user_id, |user, now| {
            if presence == PresenceState::Online {
                user.last_active = now;
            }
            user.clients.insert(
                device_id.to_owned(),
                Client {
                    state: presence.clone(),
                    last_request: now,
                },
            );
            user.status_msg.clone_from(&status_msg);
        });
        Ok(())
    }

    /// What the user says of themselves in their profile has changed.
    pub(crate) fn chose(&self, user_id: &UserId) {
        if self.is_enabled() {
            self.update(user_id, |user, _| user.chosen = self.chosen(user_id));
        }
    }

    /// Another server says how its user is.
    pub fn hear(&self, user_id: &UserId, heard: &Presence) {
        if !self.is_enabled() || !is_known(&heard.presence) {
            return;
        }
        self.update(user_id, |user, now| {
            user.status_msg = heard.status_msg.clone().filter(|text| text.len() <= 1024);
            user.last_active = heard
                .last_active_ago
                .map_or(0, |ago| now.saturating_sub(ago));
            user.heard_until = now.saturating_add(HEARD);
            let client = Client {
                state: heard.presence.clone(),
                last_request: user.heard_until,
            };
            user.clients.insert("".into(), client);
        });
    }

    /// The users of this server who are not offline.
    #[must_use]
    pub fn present(&self) -> Vec<OwnedUserId> {
        let now = self.now();
        let state = self.inner.state.lock();
        let local = state.users.iter().filter(|(_, user)| user.heard_until == 0);
        local
            .filter(|(_, user)| {
                user.shown(&self.inner.config, now).presence != PresenceState::Offline
            })
            .map(|(user_id, _)| user_id.clone())
            .collect()
    }

    /// A user's presence.
    ///
    /// # Errors
    /// Storage.
    pub fn get(&self, user_id: &UserId) -> Result<Presence> {
        let now = self.now();
        let state = self.inner.state.lock();
        if let Some(user) = state.users.get(user_id) {
            return Ok(user.shown(&self.inner.config, now));
        }
        drop(state);
        let kept = self.kept(user_id)?;
        let last_active_ago = (kept.last_active > 0).then(|| now.saturating_sub(kept.last_active));
        let presence = PresenceState::Offline;
        Ok(Presence {
            presence,
            status_msg: kept.status_msg,
            last_active_ago,
            currently_active: false,
        })
    }

    /// Lets time pass: clients not heard of are gone, users who do nothing are idle. Called every few seconds.
    pub(crate) fn tick(&self) {
        let now = self.now();
        let gone = milliseconds(self.inner.config.offline_after());
        let mut state = self.inner.state.lock();
        let State { users, changes } = &mut *state;
        for (user_id, user) in users {
            if user.clients.is_empty() {
                continue;
            }
            user.clients
                .retain(|_, client| now < client.last_request.saturating_add(gone));
            self.tell(changes, user_id, user, now);
        }
    }

    /// A device is gone.
    pub(crate) fn disconnected(&self, user_id: &UserId, device_id: &DeviceId) {
        let now = self.now();
        let mut state = self.inner.state.lock();
        let State { users, changes } = &mut *state;
        if let Some(user) = users.get_mut(user_id) {
            user.clients.remove(device_id);
            self.tell(changes, user_id, user, now);
        }
    }

    /// A user is gone for good.
    pub(crate) fn forget(&self, user_id: &UserId) {
        let mut state = self.inner.state.lock();
        if let Some(user) = state.users.remove(user_id) {
            state.changes.remove(&user.at);
        }
    }

    fn update(&self, user_id: &UserId, change: impl FnOnce(&mut User, u64)) {
        let now = self.now();
        let mut state = self.inner.state.lock();
        let State { users, changes } = &mut *state;
        let user = match users.get_mut(user_id) {
            Some(user) => user,
            None => {
                let kept = self.kept(user_id).unwrap_or_default();
                let user = User {
                    status_msg: kept.status_msg,
                    last_active: kept.last_active,
                    chosen: self.chosen(user_id),
                    ..User::default()
                };
                users.entry(user_id.to_owned()).or_insert(user)
            }
        };
        change(user, now);
        self.tell(changes, user_id, user, now);
    }

    /// Puts a user into the stream if what others see has changed.
    fn tell(
        &self,
        changes: &mut BTreeMap<u64, OwnedUserId>,
        user_id: &UserId,
        user: &mut User,
        now: u64,
    ) {
        let shown = user.shown(&self.inner.config, now);
        let told = Some((shown.presence, shown.status_msg));
        if user.told == told {
            return;
        }
        user.told = told;
        changes.remove(&user.at);
        // The lock on the state is held, so positions are given out in order.
        user.at = *self.inner.position.borrow() + 1;
        changes.insert(user.at, user_id.to_owned());
        self.inner.position.send_replace(user.at);
    }

    fn kept(&self, user_id: &UserId) -> Result<orvale_storage::trees::users::Presence> {
        if user_id.server_name() != ServerName::as_str(&self.inner.server_name) {
            return Ok(orvale_storage::trees::users::Presence::default());
        }
        Ok(self
            .inner
            .store
            .get(&PRESENCE, (user_id.localpart(),))?
            .unwrap_or_default())
    }

    /// What a user of this server says they are. What cannot be read counts as nothing.
    fn chosen(&self, user_id: &UserId) -> Option<PresenceState> {
        if user_id.server_name() != ServerName::as_str(&self.inner.server_name) {
            return None;
        }
        let profile = self.inner.store.get(&PROFILES, (user_id.localpart(),));
        let status = profile.ok().flatten()?.fields.remove(profiles::STATUS)?;
        let status: serde_json::Value = status.parse().ok()?;
        match status.get("state")?.as_str()? {
            "away" => Some(PresenceState::Unavailable),
            "busy" => Some(PresenceState::from(BUSY)),
            "offline" => Some(PresenceState::Offline),
            "online" => Some(PresenceState::Online),
            _ => None,
        }
    }

    fn now(&self) -> u64 {
        self.inner.clock.now()
    }
}

#[cfg(test)]
mod tests;
