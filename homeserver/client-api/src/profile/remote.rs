//! Profiles of other servers' users, as their servers tell them; kept for a while.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use orvale_federation_client::{Bounds, FederationClient};
use orvale_http::MatrixError;
use quick_cache::sync::Cache;
use ruma::{OwnedUserId, UserId, api::federation::query::get_profile_information::v1::Request};
use serde_json::Value;

use crate::Error;

/// How long a profile is told on.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long it is told on that there is none, or that its server cannot be reached.
const FAILURE_LIFETIME: Duration = Duration::from_secs(60);
/// A profile is smaller than 64 KiB; escapes may make its JSON longer.
const BOUNDS: Bounds = Bounds {
    timeout: Duration::from_secs(10),
    max_bytes: 256 << 10,
};

/// The fields of a profile.
pub(crate) type Fields = Arc<BTreeMap<String, Value>>;

/// What a server said of a profile, and until when that is told on.
type Kept = (Instant, Result<Fields, MatrixError>);

/// Profiles of other servers' users.
#[derive(Clone)]
pub struct RemoteProfiles {
    client: FederationClient,
    kept: Arc<Cache<OwnedUserId, Kept>>,
}

impl RemoteProfiles {
    /// Asks by this client.
    #[must_use]
    pub fn new(client: FederationClient) -> Self {
        Self {
            client,
            kept: Arc::new(Cache::new(10_000)),
        }
    }

    /// The profile of a user of another server.
    pub(crate) async fn get(&self, user: &UserId) -> Result<Fields, Error> {
        if let Some((until, kept)) = self.kept.get(user)
            && Instant::now() < until
        {
            return kept.map_err(Into::into);
        }
        let request = Request::new(user.to_owned());
        let answer = self.client.send_within(user.server_name(), request, BOUNDS);
        let fields = match answer.await {
            Ok(response) => Ok(Arc::new(response.into_iter().collect())),
            Err(error) => Err(MatrixError::from(Error::from(error))),
        };
        let lifetime = match &fields {
            Ok(_) => LIFETIME,
            Err(_) => FAILURE_LIFETIME,
        };
        self.kept
            .insert(user.to_owned(), (Instant::now() + lifetime, fields.clone()));
        fields.map_err(Into::into)
    }
}
