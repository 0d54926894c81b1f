//! What this server tells of keys: of its own, and, as a notary, of others'.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use orvale_events::canonical;
use orvale_storage::trees::federation::{KeyRecord, SERVER_KEYS};
use ruma::{CanonicalJsonObject, OwnedServerName, ServerName};
use serde_json::json;

use super::answer;
use crate::{FederationClient, Result};

/// How long others may go by what this server tells of its keys.
const OWN_LIFETIME: u64 = 24 * 3600 * 1000;
/// The most servers that are told of in one answer.
const MOST_SERVERS: usize = 100;
/// The most keys of one server.
const MOST_KEYS: usize = 100;

/// Which keys somebody wants to know of a notary: until when each must be valid at least, by key ID; all keys if there are none.
pub type Criteria = BTreeMap<String, Option<u64>>;

impl FederationClient {
    /// This server's own keys, as it publishes them.
    ///
    /// # Errors
    /// If they cannot be signed, which is a fault of ours.
    pub fn own_keys(&self) -> Result<String, orvale_events::Error> {
        let key = self.key();
        let old = key.old().iter().map(|old| {
            let told = json!({ "key": old.public_key, "expired_ts": old.expired_ts });
            (old.key_id.clone(), told)
        });
        let keys = json!({
            "server_name": key.server_name(),
            "verify_keys": { key.key_id(): { "key": key.public_key() } },
            "old_verify_keys": old.collect::<serde_json::Map<_, _>>(),
            "valid_until_ts": self.inner.keys.now() + OWN_LIFETIME,
        });
        let object = canonical::parse_object(keys.to_string().as_bytes(), canonical::Reading::PDU)?;
        self.signed(object)
    }

    /// The keys of other servers, as they told of them, signed by this one too.
    ///
    /// # Errors
    /// The store's.
    pub async fn notarised(
        &self,
        wanted: BTreeMap<OwnedServerName, Criteria>,
    ) -> Result<Vec<String>> {
        let found: Vec<_> = stream::iter(wanted.into_iter().take(MOST_SERVERS))
            .map(|(server, criteria)| async move { self.notarised_of(&server, &criteria).await })
            .buffered(8)
            .collect()
            .await;
        let mut answers = Vec::new();
        for found in found {
            answers.extend(found?);
        }
        Ok(answers)
    }

    async fn notarised_of(&self, server: &ServerName, criteria: &Criteria) -> Result<Vec<String>> {
        if server == self.server_name() {
            return Ok(self.own_keys().into_iter().collect());
        }
        let known = self.known_keys(server, criteria)?;
        if self.is_stale(&known, criteria) {
            // Whoever does not answer is told of as it last was.
            self.ask_server(server).await;
        }
        let known = self.known_keys(server, criteria)?;
        let mut answers: Vec<&str> = known
            .iter()
            .map(|(_, record)| record.answer.0.as_str())
            .collect();
        answers.sort_unstable();
        answers.dedup();
        let objects = answers
            .into_iter()
            .filter_map(|json| answer::object(json).ok());
        Ok(objects
            .filter_map(|object| self.signed(object).ok())
            .collect())
    }

    fn known_keys(
        &self,
        server: &ServerName,
        criteria: &Criteria,
    ) -> Result<Vec<(String, KeyRecord)>> {
        let found = self
            .inner
            .keys
            .store
            .prefix(&SERVER_KEYS, (server.as_str(),), MOST_KEYS)?;
        let found = found
            .into_iter()
            .map(|((_, key_id), record)| (key_id, record));
        Ok(found
            .filter(|(key_id, _)| criteria.is_empty() || criteria.contains_key(key_id))
            .collect())
    }

    /// Whether the server is to be asked anew: what it told has lived half its life, or is not what is wanted.
    fn is_stale(&self, known: &[(String, KeyRecord)], criteria: &Criteria) -> bool {
        let now = self.inner.keys.now();
        let half_past = |record: &KeyRecord| {
            let life = record.valid_until.saturating_sub(record.fetched_at);
            now > record.fetched_at + life / 2
        };
        let unmet = |(key_id, until): (&String, &Option<u64>)| {
            let record = known.iter().find(|(id, _)| id == key_id);
            // A key that is over has no more to be told of it.
            record.is_none_or(|(_, record)| {
                let over = record.valid_until < record.fetched_at;
                !over && record.valid_until < until.unwrap_or(now)
            })
        };
        let current = known
            .iter()
            .filter(|(_, record)| record.valid_until >= record.fetched_at);
        let newest = current.max_by_key(|(_, record)| record.fetched_at);
        criteria.iter().any(unmet)
            || criteria.is_empty() && newest.is_none_or(|(_, record)| half_past(record))
    }

    fn signed(&self, mut object: CanonicalJsonObject) -> Result<String, orvale_events::Error> {
        self.key().sign_json(&mut object)?;
        Ok(String::from_utf8(canonical::to_vec(&object)).expect("canonical JSON is UTF-8"))
    }
}
