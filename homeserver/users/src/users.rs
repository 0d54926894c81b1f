//! The handle that everything else of this crate hangs on.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use orvale_storage::{Batch, Position, Reserved, Store};
use quick_cache::sync::Cache;
use ruma::{
    DeviceId, OwnedDeviceId, OwnedServerName, OwnedUserId, ServerName, UserId,
    api::client::filter::FilterDefinition, push::Ruleset,
};

use crate::{
    Clock, Config, Error, PresenceHub, Result,
    accounts::{
        appservices::Appservices, erased::Erased, passwords::Hasher, shared_secret::Nonces,
    },
    cache::FreshCache,
    keys::KeyCounts,
    push::pushers::StoredPusher,
    sessions::{Session, jwt::JwtVerifier, last_seen::LastSeen, tokens::Hash},
    uia::UiaSessions,
};

/// The accounts of this server and what belongs to them. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Users {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) server_name: OwnedServerName,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) hasher: Hasher,
    pub(crate) jwt: Option<JwtVerifier>,
    pub(crate) appservices: Appservices,
    pub(crate) erased: Erased,
    pub(crate) nonces: Nonces,
    pub(crate) sessions: FreshCache<Hash, Arc<Session>>,
    pub(crate) last_seen: LastSeen,
    pub(crate) rulesets: FreshCache<OwnedUserId, Arc<Ruleset>>,
    pub(crate) pushers: FreshCache<OwnedUserId, Arc<[StoredPusher]>>,
    pub(crate) key_counts: FreshCache<(OwnedUserId, OwnedDeviceId), Arc<KeyCounts>>,
    pub(crate) filters: FreshCache<(OwnedUserId, String), Arc<FilterDefinition>>,
    pub(crate) ignored: FreshCache<OwnedUserId, Arc<BTreeSet<OwnedUserId>>>,
    pub(crate) waiting: Cache<(OwnedUserId, OwnedDeviceId), Arc<AtomicUsize>>,
    pub(crate) uia: UiaSessions,
    pub(crate) presence: PresenceHub,
    pub(crate) federates: AtomicBool,
}

impl Users {
    /// The accounts in `store` of the server called `server_name`.
    ///
    /// # Errors
    /// [`Error::Config`] if a setting is impossible.
    pub fn new(
        store: Store,
        server_name: &ServerName,
        config: Config,
        clock: Clock,
    ) -> Result<Self> {
        let inner = Inner {
            hasher: Hasher::new(&config.passwords)?,
            jwt: config
                .jwt
                .as_ref()
                .map(|jwt| JwtVerifier::new(jwt, clock.clone()))
                .transpose()?,
            appservices: Appservices::new(&config.appservices, server_name)?,
            erased: Erased::open(&store)?,
            nonces: Nonces::default(),
            sessions: FreshCache::new(config.tokens.cached_sessions),
            last_seen: LastSeen::default(),
            // A ruleset takes some ten kilobytes.
            rulesets: FreshCache::new(2_000),
            pushers: FreshCache::new(10_000),
            key_counts: FreshCache::new(20_000),
            filters: FreshCache::new(5_000),
            ignored: FreshCache::new(10_000),
            waiting: Cache::new(50_000),
            uia: UiaSessions::default(),
            presence: PresenceHub::new(
                store.clone(),
                server_name.to_owned(),
                config.presence.clone(),
                clock.clone(),
            ),
            federates: AtomicBool::new(false),
            server_name: server_name.to_owned(),
            store,
            config,
            clock,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The server's name.
    #[must_use]
    pub fn server_name(&self) -> &ServerName {
        &self.inner.server_name
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Who is online.
    #[must_use]
    pub fn presence(&self) -> &PresenceHub {
        &self.inner.presence
    }

    /// From now on somebody sends on what is for other servers.
    pub fn set_federates(&self) {
        self.inner.federates.store(true, Ordering::Relaxed);
    }

    pub(crate) fn federates(&self) -> bool {
        self.inner.federates.load(Ordering::Relaxed)
    }

    /// Whether a user ID is of this server, whether or not there is such an account.
    #[must_use]
    pub fn is_local(&self, user_id: &UserId) -> bool {
        user_id.server_name() == self.inner.server_name
    }

    /// The localpart of a user of this server.
    pub(crate) fn localpart<'a>(&self, user_id: &'a UserId) -> Result<&'a str> {
        if self.is_local(user_id) {
            Ok(user_id.localpart())
        } else {
            Err(Error::NotLocal(user_id.to_owned()))
        }
    }

    pub(crate) fn user_id(&self, localpart: &str) -> Result<OwnedUserId> {
        let user_id = UserId::parse(format!("@{localpart}:{}", self.inner.server_name));
        user_id.map_err(|_| Error::InvalidUsername("this is not a user ID"))
    }

    pub(crate) fn now(&self) -> u64 {
        self.inner.clock.now()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Reads, decides and writes; reads again if what was read had changed by then.
    pub(crate) async fn write<T>(&self, decide: impl FnMut() -> Result<(Batch, T)>) -> Result<T> {
        let mut decide = decide;
        loop {
            let (batch, answer) = decide()?;
            if batch.is_empty() {
                return Ok(answer);
            }
            match self.store().commit(batch).await {
                Ok(_) => return Ok(answer),
                // Somebody else's write happened, so there is progress and this loop ends.
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// As [`Users::write`], where the records hold positions of the batch's own entries. `entries` is how many `fill` will
    /// most likely make; if it makes another number, it is asked again with as many positions.
    pub(crate) async fn write_at<T>(
        &self,
        entries: u64,
        fill: impl FnMut(&Places<'_>) -> Result<(Batch, T)>,
    ) -> Result<T> {
        let (mut entries, mut fill) = (entries, fill);
        loop {
            let permit = self.store().permit().await?;
            let (written, answer) = {
                let reserved = self.store().reserve(permit, entries);
                let (batch, answer) = fill(&Places {
                    reserved: &reserved,
                    count: entries,
                })?;
                match batch.entries() {
                    0 => (Err(batch), answer),
                    made if made != entries => {
                        entries = made;
                        continue;
                    }
                    _ => (Ok(self.store().submit(reserved, batch)), answer),
                }
            };
            let written = match written {
                Ok(pending) => pending.await,
                Err(batch) if batch.is_empty() => Ok(()),
                Err(batch) => self.store().commit(batch).await.map(drop),
            };
            match written {
                Ok(()) => return Ok(answer),
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The positions of a batch about to be written.
pub(crate) struct Places<'a> {
    reserved: &'a Reserved,
    count: u64,
}

impl Places<'_> {
    /// The position of its n-th entry, from 0. (Beyond what was set aside any will do: that batch is made again.)
    pub(crate) fn at(&self, n: u64) -> Position {
        if n < self.count {
            self.reserved.at(n)
        } else {
            Position::END
        }
    }
}

/// Whether a device ID that a client chose is one we keep.
pub(crate) fn check_device_id(device_id: &DeviceId) -> Result<()> {
    if device_id.as_str().is_empty() || device_id.as_str().len() > 255 {
        return Err(Error::InvalidParam(
            "a device ID has 1 to 255 bytes".to_owned(),
        ));
    }
    Ok(())
}
