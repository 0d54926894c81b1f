//! The keys of other servers' users: kept for those with whom a room is shared, asked for the others each time.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::future::join_all;
use orvale_federation_client::FederationClient;
use orvale_users::ClaimedKeys;
use parking_lot::Mutex;
use ruma::{
    OwnedDeviceId, OwnedServerName, OwnedUserId, ServerName, UserId,
    api::federation::{
        device::get_devices,
        keys::{claim_keys, get_keys},
    },
    encryption::{CrossSigningKey, DeviceKeys},
    serde::Raw,
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{Delivery, Error, Result, delivery::Inner};

/// Of so many users of one server that are not followed yet, the lists are fetched one by one and kept; of more, all are asked for in one
/// request and not kept.
const FEW: usize = 20;
/// How long a server may take to tell of one user, when nobody waits for it.
const LONGEST: Duration = Duration::from_secs(60);

/// Users by their server.
type ByServer<T> = BTreeMap<OwnedServerName, T>;
/// Devices by their user; none named means all.
type Wanted = BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>;
/// Algorithms by device, by user.
type Claim = BTreeMap<OwnedUserId, BTreeMap<OwnedDeviceId, ruma::OneTimeKeyAlgorithm>>;

/// The keys of other servers' users, and which servers could not be asked.
#[derive(Debug, Clone, Default)]
pub struct ForeignAnswer {
    /// Device keys by user and device.
    pub device_keys: BTreeMap<OwnedUserId, BTreeMap<OwnedDeviceId, Raw<DeviceKeys>>>,
    /// Master keys.
    pub master_keys: BTreeMap<OwnedUserId, Raw<CrossSigningKey>>,
    /// Self-signing keys.
    pub self_signing_keys: BTreeMap<OwnedUserId, Raw<CrossSigningKey>>,
    /// Servers that could not be asked.
    pub failures: BTreeMap<String, Value>,
}

/// Whose lists are being fetched; whether something changed meanwhile.
#[derive(Default)]
pub(crate) struct Fetching(Mutex<HashMap<OwnedUserId, bool>>);

impl Delivery {
    /// The keys of devices of other servers' users, as somebody here sees them.
    ///
    /// # Errors
    /// Storage's.
    pub async fn foreign_keys(
        &self,
        reader: &UserId,
        wanted: &Wanted,
        patience: Duration,
    ) -> Result<ForeignAnswer> {
        let mut answer = ForeignAnswer::default();
        let mut unknown: ByServer<(Wanted, Wanted)> = ByServer::new();
        for (user_id, device_ids) in wanted {
            if self.inner.users.is_local(user_id) {
                continue;
            }
            let shares = self.inner.rooms.shares_a_room(user_id)?;
            if shares && self.add_known(reader, user_id, device_ids, &mut answer)? {
                continue;
            }
            let of_server = unknown.entry(user_id.server_name().to_owned()).or_default();
            let place = if shares {
                &mut of_server.0
            } else {
                &mut of_server.1
            };
            place.insert(user_id.clone(), device_ids.clone());
        }
        let asked = unknown
            .iter()
            .map(|(server, (shared, others))| self.ask_server(server, shared, others, patience));
        for (server, asked) in unknown.keys().zip(join_all(asked).await) {
            match asked {
                Ok(more) => {
                    answer.device_keys.extend(more.device_keys);
                    answer.master_keys.extend(more.master_keys);
                    answer.self_signing_keys.extend(more.self_signing_keys);
                }
                Err(reason) => {
                    tracing::info!(server_name = %server, reason, "a server cannot be asked for keys");
                    answer.failures.insert(server.to_string(), failure(&reason));
                }
            }
        }
        // What was fetched is known now, and shown with the reader's own signatures.
        for (user_id, device_ids) in unknown.values().flat_map(|(shared, _)| shared) {
            self.add_known(reader, user_id, device_ids, &mut answer)?;
        }
        Ok(answer)
    }

    /// Claims one-time keys of other servers' devices. Besides the keys, the servers that could not be asked.
    ///
    /// # Errors
    /// Storage's.
    pub async fn claim_foreign_keys(
        &self,
        wanted: &Claim,
        patience: Duration,
    ) -> Result<(ClaimedKeys, BTreeMap<String, Value>)> {
        let mut by_server: ByServer<Claim> = ByServer::new();
        for (user_id, devices) in wanted {
            if !self.inner.users.is_local(user_id) {
                let of_server = by_server.entry(user_id.server_name().to_owned());
                of_server
                    .or_default()
                    .insert(user_id.clone(), devices.clone());
            }
        }
        let asked = by_server.iter().map(|(server, claim)| async move {
            let client = self.client().ok_or_else(no_federation)?;
            let request = claim_keys::v1::Request::new(claim.clone());
            within(patience, client.send(server, request)).await
        });
        let (mut keys, mut failures) = (ClaimedKeys::new(), BTreeMap::new());
        for ((server, claim), asked) in by_server.iter().zip(join_all(asked).await) {
            match asked {
                Ok(response) => {
                    let mut given = response.one_time_keys;
                    given.retain(|user_id, _| claim.contains_key(user_id));
                    keys.extend(given);
                }
                Err(reason) => {
                    tracing::info!(server_name = %server, reason, "a server cannot be asked for one-time keys");
                    failures.insert(server.to_string(), failure(&reason));
                }
            }
        }
        Ok((keys, failures))
    }

    /// Fetches the list of a user's devices, unless somebody does; then once more.
    pub(super) fn fetch_devices(&self, user_id: &UserId) {
        {
            let mut fetching = self.inner.fetching.0.lock();
            if let Some(again) = fetching.get_mut(user_id) {
                *again = true;
                return;
            }
            fetching.insert(user_id.to_owned(), false);
        }
        let (delivery, user_id) = (self.clone(), user_id.to_owned());
        tokio::spawn(async move {
            let mut pause = Duration::from_secs(1);
            loop {
                // Where it fails, the list stays stale, and who asks for it next fetches it.
                if let Err(reason) = delivery.inner.fetch(&user_id, LONGEST).await {
                    tracing::info!(%user_id, reason, "the devices of a user cannot be fetched");
                }
                // A server that only ever leaves gaps is not asked for each of them.
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
                let mut fetching = delivery.inner.fetching.0.lock();
                match fetching.get_mut(&user_id) {
                    Some(again) if *again => *again = false,
                    _ => {
                        fetching.remove(&user_id);
                        return;
                    }
                }
            }
        });
    }

    /// Adds what is known of a followed user's keys; whether it is.
    fn add_known(
        &self,
        reader: &UserId,
        user_id: &UserId,
        device_ids: &[OwnedDeviceId],
        answer: &mut ForeignAnswer,
    ) -> Result<bool> {
        let Some(mut known) = self.inner.users.foreign_keys(user_id, reader)? else {
            return Ok(false);
        };
        if !device_ids.is_empty() {
            known.devices.retain(|id, _| device_ids.contains(id));
        }
        answer.device_keys.insert(user_id.to_owned(), known.devices);
        let keys = known.cross_signing;
        answer
            .master_keys
            .extend(keys.master.map(|key| (user_id.to_owned(), key)));
        answer
            .self_signing_keys
            .extend(keys.self_signing.map(|key| (user_id.to_owned(), key)));
        Ok(true)
    }

    /// Asks a server for the lists of those with whom rooms are shared, which are kept, and for the keys of others.
    async fn ask_server(
        &self,
        server: &ServerName,
        shared: &Wanted,
        others: &Wanted,
        patience: Duration,
    ) -> Result<get_keys::v1::Response, String> {
        let mut others = others.clone();
        if shared.len() > FEW {
            others.extend(shared.clone());
        } else {
            let each = shared
                .keys()
                .map(|user_id| self.inner.fetch(user_id, patience));
            for fetched in join_all(each).await {
                fetched?;
            }
        }
        if others.is_empty() {
            return Ok(get_keys::v1::Response::new(BTreeMap::new()));
        }
        let client = self.client().ok_or_else(no_federation)?;
        let request = get_keys::v1::Request::new(others.clone());
        let mut response = within(patience, client.send(server, request)).await?;
        response
            .device_keys
            .retain(|user_id, _| others.contains_key(user_id));
        response
            .master_keys
            .retain(|user_id, _| others.contains_key(user_id));
        response
            .self_signing_keys
            .retain(|user_id, _| others.contains_key(user_id));
        Ok(response)
    }

    fn client(&self) -> Option<&FederationClient> {
        self.inner.client()
    }
}

impl Inner {
    fn client(&self) -> Option<&FederationClient> {
        self.to_servers.as_ref().map(|queues| &queues.client)
    }

    /// Fetches the list of a user's devices and keeps it.
    async fn fetch(&self, user_id: &UserId, patience: Duration) -> Result<(), String> {
        let client = self.client().ok_or_else(no_federation)?;
        let told = |error: Error| error.to_string();
        // First, so that no update is overheard that comes before the answer.
        self.users
            .follow(user_id)
            .await
            .map_err(|e| told(e.into()))?;
        let request = get_devices::v1::Request::new(user_id.to_owned());
        let list = within(patience, client.send(user_id.server_name(), request)).await?;
        if list.user_id != user_id {
            return Err("it told of another user".to_owned());
        }
        let kept = self.users.keep_foreign_devices(user_id, &list).await;
        kept.map_err(|e| told(e.into()))
    }
}

async fn within<T, E: std::fmt::Display>(
    patience: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match timeout(patience, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("it did not answer in time".to_owned()),
    }
}

fn no_federation() -> String {
    "this server does not speak to others".to_owned()
}

fn failure(reason: &str) -> Value {
    json!({ "status": 503, "message": reason })
}
