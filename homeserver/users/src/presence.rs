//! Presence: who is online. In memory, with a stream of changes of its own; only the status message is kept.
//!
//! Each client of a user says how it is (by its syncs, or by setting presence), and counts as connected for a while after.
//! The user is what the most present client is, but idle when nothing was done for some minutes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use orvale_storage::{Batch, Store, trees::users::PRESENCE};
use parking_lot::Mutex;
use ruma::{
    DeviceId, OwnedDeviceId, OwnedServerName, OwnedUserId, ServerName, UserId,
    presence::PresenceState,
};
use tokio::sync::watch;

use crate::{Clock, Error, Result, clock::milliseconds, config};

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

#[derive(Default)]
struct User {
    clients: HashMap<OwnedDeviceId, Client>,
    last_active: u64,
    status_msg: Option<String>,
    /// What was last told of the user, and where in the stream.
    told: Option<(PresenceState, Option<String>)>,
    at: u64,
}

struct Client {
    state: PresenceState,
    last_request: u64,
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

/// Below this, in milliseconds, a user is active just now.
const ACTIVE: u64 = 60_000;

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
        if !self.is_enabled() || *presence == PresenceState::Offline {
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
                client.state = PresenceState::Online;
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
        if !matches!(
            presence,
            PresenceState::Online | PresenceState::Offline | PresenceState::Unavailable
        ) {
            return Err(Error::InvalidParam(
                "presence is online, unavailable or offline".to_owned(),
            ));
        }
        if status_msg.as_ref().is_some_and(|text| text.len() > 1024) {
            return Err(Error::InvalidParam(
                "a status message has at most 1024 bytes".to_owned(),
            ));
        }
        if !self.is_enabled() {
            return Ok(());
        }
        let status_msg = status_msg.filter(|text| !text.is_empty());
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

    /// A user's presence.
    ///
    /// # Errors
    /// Storage.
    pub fn get(&self, user_id: &UserId) -> Result<Presence> {
        let now = self.now();
        let state = self.inner.state.lock();
        if let Some(user) = state.users.get(user_id) {
            return Ok(self.shown(user, now));
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
        let shown = self.shown(user, now);
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

    fn shown(&self, user: &User, now: u64) -> Presence {
        let gone = milliseconds(self.inner.config.offline_after());
        let connected = user
            .clients
            .values()
            .filter(|client| now < client.last_request.saturating_add(gone));
        let ago = now.saturating_sub(user.last_active);
        let presence = connected.fold(PresenceState::Offline, |most, client| {
            match (&most, &client.state) {
                (PresenceState::Online, _) | (_, PresenceState::Offline) => most,
                (_, state) => state.clone(),
            }
        });
        let idle = presence == PresenceState::Online
            && ago >= milliseconds(self.inner.config.idle_after());
        let presence = if idle {
            PresenceState::Unavailable
        } else {
            presence
        };
        Presence {
            currently_active: presence == PresenceState::Online && ago < ACTIVE,
            presence,
            status_msg: user.status_msg.clone(),
            last_active_ago: (user.last_active > 0).then_some(ago),
        }
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

    fn now(&self) -> u64 {
        self.inner.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ruma::{device_id, user_id};

    use super::*;
    use crate::{
        Config,
        testing::{users, users_with},
    };

    const ALICE: &str = "@alice:example.org";

    fn alice() -> OwnedUserId {
        UserId::parse(ALICE).unwrap()
    }

    #[tokio::test]
    async fn a_user_comes_online_idles_and_goes() {
        let users = users();
        let hub = users.presence();
        let (alice, phone) = (alice(), device_id!("PHONE"));
        let is = |expected: PresenceState| assert_eq!(hub.get(&alice).unwrap().presence, expected);
        is(PresenceState::Offline);
        let start = hub.position();
        hub.synced(&alice, phone, &PresenceState::Online);
        is(PresenceState::Online);
        assert!(hub.get(&alice).unwrap().currently_active);
        for _ in 0..10 {
            users.clock().advance(Duration::from_secs(30));
            hub.synced(&alice, phone, &PresenceState::Online);
            hub.tick();
        }
        is(PresenceState::Unavailable);
        hub.active(&alice, phone);
        is(PresenceState::Online);
        users.clock().advance(Duration::from_secs(45));
        hub.tick();
        is(PresenceState::Offline);
        assert_eq!(
            hub.changes_since(start, 10).len(),
            1,
            "one place in the stream, the last"
        );
        assert_eq!(hub.position(), start + 4);
    }

    #[tokio::test]
    async fn the_most_present_client_counts() {
        let users = users();
        let hub = users.presence();
        let alice = alice();
        hub.synced(&alice, device_id!("A"), &PresenceState::Unavailable);
        assert_eq!(
            hub.get(&alice).unwrap().presence,
            PresenceState::Unavailable
        );
        hub.synced(&alice, device_id!("B"), &PresenceState::Online);
        assert_eq!(hub.get(&alice).unwrap().presence, PresenceState::Online);
        hub.synced(&alice, device_id!("C"), &PresenceState::Offline);
        hub.disconnected(&alice, device_id!("B"));
        assert_eq!(
            hub.get(&alice).unwrap().presence,
            PresenceState::Unavailable
        );
    }

    #[tokio::test]
    async fn changes_are_told_once_and_in_order() {
        let users = users();
        let hub = users.presence();
        let (alice, bob) = (alice(), user_id!("@bob:example.org"));
        let start = hub.position();
        let mut watch = hub.watch();
        watch.mark_unchanged();
        hub.synced(&alice, device_id!("A"), &PresenceState::Online);
        hub.synced(bob, device_id!("B"), &PresenceState::Online);
        hub.synced(&alice, device_id!("A"), &PresenceState::Online);
        assert!(watch.has_changed().unwrap());
        let changed = hub.changes_since(start, 10);
        assert_eq!(
            changed
                .iter()
                .map(|(_, user)| user.as_str())
                .collect::<Vec<_>>(),
            [ALICE, bob.as_str()]
        );
        assert_eq!(hub.changes_since(changed[0].0, 10).len(), 1);
        assert_eq!(hub.changes_since(start, 1).len(), 1);
    }

    #[tokio::test]
    async fn the_status_message_outlives_the_process() {
        let users = users();
        let alice = users.account("alice").await;
        let hub = users.presence();
        let status = Some("in a meeting".to_owned());
        hub.set(
            &alice,
            device_id!("A"),
            PresenceState::Unavailable,
            status.clone(),
        )
        .await
        .unwrap();
        assert_eq!(
            hub.get(&alice).unwrap().presence,
            PresenceState::Unavailable
        );
        let config = config::Presence::default();
        let name = users.server_name().to_owned();
        let restarted =
            PresenceHub::new(users.store().clone(), name, config, users.clock().clone());
        let found = restarted.get(&alice).unwrap();
        assert_eq!(
            (found.presence, found.status_msg),
            (PresenceState::Offline, status)
        );
        hub.set(&alice, device_id!("A"), PresenceState::Online, None)
            .await
            .unwrap();
        assert_eq!(hub.get(&alice).unwrap().status_msg, None);
        let bad = hub
            .set(&alice, device_id!("A"), PresenceState::from("busy"), None)
            .await;
        assert!(matches!(bad, Err(Error::InvalidParam(_))));
    }

    #[tokio::test]
    async fn switched_off_nobody_is_online_and_nothing_changes() {
        let config = Config {
            presence: config::Presence {
                enabled: false,
                ..Default::default()
            },
            ..Config::default()
        };
        let users = users_with(config);
        let hub = users.presence();
        let start = hub.position();
        hub.synced(&alice(), device_id!("A"), &PresenceState::Online);
        hub.set(
            &alice(),
            device_id!("A"),
            PresenceState::Online,
            Some("here".to_owned()),
        )
        .await
        .unwrap();
        assert_eq!(hub.get(&alice()).unwrap().presence, PresenceState::Offline);
        assert_eq!(hub.position(), start);
    }
}
