//! Keys by which other servers sign: kept in the store, fetched when they are missing or no longer valid.
//!
//! First from the server itself, then from the notaries of the settings. A server that does not answer is left alone for a while, longer each time, so that nobody can
//! make us ask on and on.

mod answer;
mod notary;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::Engine;
use futures_util::{StreamExt, stream};
use orvale_events::{OldKey, PublicKeyMap, ServerKey};
use orvale_storage::{
    Batch, Store,
    trees::federation::{KeyRecord, SERVER_KEYS},
};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName, UInt,
    api::federation::discovery::{get_remote_server_keys_batch, get_server_keys},
    serde::Base64,
};

pub use self::notary::Criteria;
use crate::{Bounds, FederationClient, Result, client::Clock, signing::BASE64};

/// A key as an event or a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose.
    pub server: OwnedServerName,
    /// Which: `ed25519:…`.
    pub key_id: String,
    /// When it must be valid: the event's `origin_server_ts`, or now.
    pub at: MilliSecondsSinceUnixEpoch,
}

/// How many servers are asked for their keys at once.
const AT_ONCE: usize = 32;
/// How long all asking for keys may take, so that a room full of dead servers does not hold up the rest.
const PATIENCE: Duration = Duration::from_secs(60);
/// Who just answered is not asked again for another key.
const PAUSE: Duration = Duration::from_secs(20);
/// How long a server that failed is left alone; twice as long each time.
const FAILURE: Duration = Duration::from_secs(30);
const LONGEST_FAILURE: Duration = Duration::from_secs(3600);
/// How long a key that notaries do not have is not asked for again.
const UNKNOWN: Duration = Duration::from_secs(600);

/// Answers with keys are small.
const BOUNDS: Bounds = Bounds {
    timeout: Duration::from_secs(15),
    max_bytes: 1 << 20,
};

type KeyName = (OwnedServerName, String);

/// What is known of keys.
pub(crate) struct Keys {
    store: Store,
    own: Arc<ServerKey>,
    clock: Clock,
    known: Cache<KeyName, Arc<KeyRecord>>,
    asked: Cache<OwnedServerName, Asked>,
    unknown: Cache<KeyName, Instant>,
    /// One question at a time to each server; who comes meanwhile waits for its answer.
    asking: Mutex<HashMap<OwnedServerName, Arc<tokio::sync::Mutex<()>>>>,
}

/// When a server was asked for its keys.
#[derive(Debug, Clone, Copy)]
struct Asked {
    not_before: Instant,
    failures: u32,
}

impl Keys {
    pub(crate) fn new(store: Store, own: Arc<ServerKey>, clock: Clock) -> Self {
        Self {
            store,
            own,
            clock,
            known: Cache::new(20_000),
            asked: Cache::new(20_000),
            unknown: Cache::new(20_000),
            asking: Mutex::default(),
        }
    }

    fn now(&self) -> u64 {
        (self.clock)().get().into()
    }

    /// What is known of a key, valid or not.
    fn find(&self, server: &ServerName, key_id: &str) -> Result<Option<Arc<KeyRecord>>> {
        let name = (server.to_owned(), key_id.to_owned());
        if let Some(known) = self.known.get(&name) {
            return Ok(Some(known));
        }
        let found = self.store.get(&SERVER_KEYS, (server.as_str(), key_id))?;
        let found = found.map(Arc::new);
        if let Some(found) = &found {
            self.known.insert(name, found.clone());
        }
        Ok(found)
    }

    /// The public key, if it is known and valid then.
    pub(crate) fn valid(
        &self,
        server: &ServerName,
        key_id: &str,
        at: MilliSecondsSinceUnixEpoch,
    ) -> Result<Option<Vec<u8>>> {
        if server == self.own.server_name() {
            let is_old = |old: &&OldKey| old.key_id == key_id && at <= old.expired_ts;
            let public = match key_id == self.own.key_id() {
                true => Some(self.own.public_key()),
                false => self
                    .own
                    .old()
                    .iter()
                    .find(is_old)
                    .map(|old| old.public_key.clone()),
            };
            return Ok(public.and_then(|public| BASE64.decode(public).ok()));
        }
        let found = self.find(server, key_id)?;
        let valid = found.filter(|record| u64::from(at.get()) <= record.valid_until);
        Ok(valid.map(|record| record.key.clone()))
    }

    /// Keeps what a server told of its keys.
    async fn keep(&self, server: &ServerName, told: Vec<(String, KeyRecord)>) -> Result<()> {
        let mut batch = Batch::new();
        let mut kept = Vec::new();
        for (key_id, mut record) in told {
            if let Some(before) = self.find(server, &key_id)?
                && before.key == record.key
                && record.valid_until >= record.fetched_at
            {
                // What a notary remembers may be older than what we do.
                record.valid_until = record.valid_until.max(before.valid_until);
            }
            batch.put(&SERVER_KEYS, (server.as_str(), key_id.as_str()), &record);
            kept.push(((server.to_owned(), key_id), Arc::new(record)));
        }
        self.store.commit(batch).await?;
        for (name, record) in kept {
            self.unknown.remove(&name);
            self.known.insert(name, record);
        }
        Ok(())
    }

    fn may_ask(&self, server: &ServerName) -> bool {
        let asked = self.asked.get(server);
        asked.is_none_or(|asked| asked.not_before <= Instant::now())
    }

    fn note_asked(&self, server: &ServerName, answered: bool) {
        let failures = match (answered, self.asked.get(server)) {
            (true, _) => 0,
            (false, before) => before.map_or(0, |before| before.failures) + 1,
        };
        let pause = match failures {
            0 => PAUSE,
            n => (FAILURE * 2_u32.pow((n - 1).min(7))).min(LONGEST_FAILURE),
        };
        let asked = Asked {
            not_before: Instant::now() + pause,
            failures,
        };
        self.asked.insert(server.to_owned(), asked);
    }
}

impl FederationClient {
    /// The keys, as far as they can be had, each valid at the time it is wanted for. One that is wanted for several times must be
    /// valid at all of them.
    pub async fn keys(&self, wanted: &[Wanted]) -> PublicKeyMap {
        self.fetch_missing(wanted).await;
        let mut last = BTreeMap::<(&ServerName, &str), MilliSecondsSinceUnixEpoch>::new();
        for wanted in wanted {
            let at = last
                .entry((&wanted.server, &wanted.key_id))
                .or_insert(wanted.at);
            *at = (*at).max(wanted.at);
        }
        let mut map = PublicKeyMap::new();
        for ((server, key_id), at) in last {
            match self.inner.keys.valid(server, key_id, at) {
                Ok(Some(key)) => {
                    map.entry(server.to_string())
                        .or_default()
                        .insert(key_id.to_owned(), Base64::new(key));
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a key cannot be read"),
            }
        }
        map
    }

    /// The public key by which a request is signed that arrives now.
    ///
    /// # Errors
    /// The store's.
    pub async fn key_of_request(
        &self,
        server: &ServerName,
        key_id: &str,
    ) -> Result<Option<Vec<u8>>> {
        let at = (self.inner.keys.clock)();
        let wanted = Wanted {
            server: server.to_owned(),
            key_id: key_id.to_owned(),
            at,
        };
        self.fetch_missing(&[wanted]).await;
        self.inner.keys.valid(server, key_id, at)
    }

    /// Fetches the keys that are not there, or not valid when they are wanted.
    pub(crate) async fn fetch_missing(&self, wanted: &[Wanted]) {
        let missing = self.missing(wanted);
        if missing.is_empty() || !self.is_enabled() {
            return;
        }
        let fetching = async {
            let servers: Vec<_> = missing.keys().cloned().collect();
            stream::iter(servers)
                .for_each_concurrent(
                    AT_ONCE,
                    |server| async move { self.ask_server(&server).await },
                )
                .await;
        };
        if tokio::time::timeout(PATIENCE, fetching).await.is_err() {
            tracing::debug!("some servers did not tell their keys in time");
        }
        for notary in &self.inner.config.trusted_notaries {
            let mut missing = self.missing(wanted);
            missing.retain(|server, _| server != notary);
            if missing.is_empty() {
                return;
            }
            if let Err(error) = self.ask_notary(notary, &missing).await {
                tracing::debug!(server_name = %notary, error, "a notary told no keys");
            }
        }
        let unknown = &self.inner.keys.unknown;
        for (server, keys) in self.missing(wanted) {
            for (key_id, _) in keys {
                unknown.insert((server.clone(), key_id), Instant::now() + UNKNOWN);
            }
        }
    }

    /// Which of these have to be fetched, and until when each must be valid.
    fn missing(&self, wanted: &[Wanted]) -> BTreeMap<OwnedServerName, BTreeMap<String, u64>> {
        let keys = &self.inner.keys;
        let mut missing = BTreeMap::<OwnedServerName, BTreeMap<String, u64>>::new();
        for Wanted { server, key_id, at } in wanted {
            let ours = server == self.server_name();
            let there = matches!(keys.valid(server, key_id, *at), Ok(Some(_)));
            if ours || there || !key_id.starts_with("ed25519:") {
                continue;
            }
            let until = missing
                .entry(server.clone())
                .or_default()
                .entry(key_id.clone())
                .or_default();
            *until = (*until).max(at.get().into());
        }
        missing
    }

    /// Asks a server for its keys, unless it was asked a moment ago.
    async fn ask_server(&self, server: &ServerName) {
        let keys = &self.inner.keys;
        let turn = keys
            .asking
            .lock()
            .entry(server.to_owned())
            .or_default()
            .clone();
        let turn_taken = turn.lock().await;
        if keys.may_ask(server) {
            let told = self.own_word(server).await;
            keys.note_asked(server, told.is_ok());
            if let Err(error) = told {
                tracing::debug!(server_name = %server, error, "a server told no keys");
            }
        }
        drop(turn_taken);
        let mut asking = keys.asking.lock();
        // Here and in the map: nobody else waits.
        if Arc::strong_count(&turn) <= 2 {
            asking.remove(server);
        }
    }

    async fn own_word(&self, server: &ServerName) -> Result<(), String> {
        let request = get_server_keys::v2::Request::new();
        let response = self.send_within(server, request, BOUNDS).await;
        let response = response.map_err(|error| error.to_string())?;
        let json = response.server_key.json().get();
        let (named, told) = answer::read(json, self.inner.keys.now())?;
        if named != *server {
            return Err(format!("it tells keys of {named}"));
        }
        let kept = self.inner.keys.keep(server, told).await;
        kept.map_err(|error| error.to_string())
    }

    /// Asks a notary for the keys of others.
    async fn ask_notary(
        &self,
        notary: &ServerName,
        missing: &BTreeMap<OwnedServerName, BTreeMap<String, u64>>,
    ) -> Result<(), String> {
        use get_remote_server_keys_batch::v2::{QueryCriteria, Request};
        let keys = &self.inner.keys;
        let now = Instant::now();
        let mut wanted = BTreeMap::new();
        for (server, key_ids) in missing {
            let mut criteria = BTreeMap::new();
            for (key_id, until) in key_ids {
                let unknown = keys.unknown.get(&(server.clone(), key_id.clone()));
                let Ok(id) = key_id.as_str().try_into() else {
                    continue;
                };
                if unknown.is_some_and(|until| now < until) {
                    continue;
                }
                let mut criterion = QueryCriteria::new();
                criterion.minimum_valid_until_ts =
                    UInt::new(*until).map(MilliSecondsSinceUnixEpoch);
                criteria.insert(id, criterion);
            }
            if !criteria.is_empty() {
                wanted.insert(server.clone(), criteria);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        // A notary speaks for others by its own key, which nobody but itself may tell.
        self.ask_server(notary).await;
        let bounds = Bounds {
            timeout: Duration::from_secs(30),
            max_bytes: 16 << 20,
        };
        let response = self.send_within(notary, Request::new(wanted), bounds).await;
        let response = response.map_err(|error| error.to_string())?;
        for told in response.server_keys {
            let json = told.json().get();
            let signed = answer::is_signed_by(json, notary, |key_id| {
                keys.valid(notary, key_id, (keys.clock)()).ok().flatten()
            });
            if !signed {
                return Err("it did not sign what it tells".to_owned());
            }
            match answer::read(json, keys.now()) {
                Ok((server, told)) if missing.contains_key(&server) => {
                    keys.keep(&server, told)
                        .await
                        .map_err(|error| error.to_string())?;
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(error, "a notary told what is not so"),
            }
        }
        Ok(())
    }
}
