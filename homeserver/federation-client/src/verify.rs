//! Many events of other servers at once, each verified by the keys of its time.

use std::{collections::VecDeque, thread::available_parallelism};

use orvale_events::{Error, Foreign, PublicKeyMap, Verified};
use ruma::{
    CanonicalJsonValue, MilliSecondsSinceUnixEpoch, UInt, room_version_rules::RoomVersionRules,
    serde::Base64,
};
use tokio::task::spawn_blocking;

use crate::{FederationClient, Wanted};

/// The most signatures of one server on an event that are looked at.
const MOST_SIGNATURES: usize = 8;
/// From this many on, verifying is work for threads of its own.
const MANY: usize = 16;

impl FederationClient {
    /// Verifies events: signatures of all servers that must have signed each, by keys valid at its `origin_server_ts`, and its content hash.
    /// The results are in the order of the events.
    pub async fn verify(
        &self,
        events: Vec<Foreign>,
        rules: &RoomVersionRules,
    ) -> Vec<Result<Verified, Error>> {
        let wanted: Vec<Vec<Wanted>> = events.iter().map(|event| wanted(event, rules)).collect();
        let all: Vec<Wanted> = wanted.iter().flatten().cloned().collect();
        self.fetch_missing(&all).await;
        let mut events: VecDeque<_> = events.into_iter().zip(wanted).collect();
        if all.len() < MANY {
            return self.verify_all(events, rules);
        }
        let processors = available_parallelism().map_or(1, usize::from);
        let share = events.len().div_ceil(processors).max(MANY / 2);
        let mut parts = Vec::with_capacity(processors);
        while !events.is_empty() {
            let rest = events.split_off(share.min(events.len()));
            let part = std::mem::replace(&mut events, rest);
            let (client, rules) = (self.clone(), rules.clone());
            parts.push(spawn_blocking(move || client.verify_all(part, &rules)));
        }
        let mut verified = Vec::new();
        for part in parts {
            let part = part.await;
            verified.extend(part.expect("verifying does not panic, and the runtime outlives it"));
        }
        verified
    }

    fn verify_all(
        &self,
        events: VecDeque<(Foreign, Vec<Wanted>)>,
        rules: &RoomVersionRules,
    ) -> Vec<Result<Verified, Error>> {
        let events = events.into_iter();
        events
            .map(|(event, wanted)| event.verify(rules, &self.keys_now(&wanted)))
            .collect()
    }

    /// Those of the keys that are there already and valid.
    fn keys_now(&self, wanted: &[Wanted]) -> PublicKeyMap {
        let mut map = PublicKeyMap::new();
        for Wanted { server, key_id, at } in wanted {
            match self.inner.keys.valid(server, key_id, *at) {
                Ok(Some(key)) => {
                    let of_server = map.entry(server.to_string()).or_default();
                    of_server.insert(key_id.clone(), Base64::new(key));
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a key cannot be read"),
            }
        }
        map
    }
}

/// The keys an event is to be verified by.
fn wanted(event: &Foreign, rules: &RoomVersionRules) -> Vec<Wanted> {
    let at = match event.object().get("origin_server_ts") {
        Some(CanonicalJsonValue::Integer(at)) => UInt::try_from(i64::from(*at)).ok(),
        _ => None,
    };
    let (Some(at), Ok(signers)) = (at, event.signers(rules)) else {
        return Vec::new();
    };
    let at = MilliSecondsSinceUnixEpoch(at);
    let mut wanted = Vec::new();
    for server in signers {
        for key_id in event.key_ids(&server).into_iter().take(MOST_SIGNATURES) {
            wanted.push(Wanted {
                server: server.clone(),
                key_id: key_id.to_owned(),
                at,
            });
        }
    }
    wanted
}
