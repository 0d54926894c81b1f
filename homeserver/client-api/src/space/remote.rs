//! Rooms that are not here, as other servers tell of them; kept for a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use orvale_federation_client::{Bounds, FederationClient};
use orvale_rooms::{Elsewhere, Others};
use quick_cache::sync::Cache;
use ruma::{
    OwnedRoomId, OwnedServerName, RoomId, api::federation::space::get_hierarchy::v1, serde::Raw,
};

/// How long a room is told of as it was.
const LIFETIME: Duration = Duration::from_secs(300);
/// How many servers are asked for one room.
const MOST_ASKED: usize = 3;
/// How many rooms are asked for at once.
const AT_ONCE: usize = 16;
const BOUNDS: Bounds = Bounds {
    timeout: Duration::from_secs(8),
    max_bytes: 512 << 10,
};

type Known = Option<Arc<Elsewhere>>;

/// Rooms that are not here.
#[derive(Clone)]
pub struct RemoteRooms {
    client: FederationClient,
    kept: Arc<Cache<OwnedRoomId, (Instant, Known)>>,
}

impl RemoteRooms {
    /// Asks by this client.
    #[must_use]
    pub fn new(client: FederationClient) -> Self {
        Self {
            client,
            kept: Arc::new(Cache::new(500)),
        }
    }

    /// A room, as the first server tells of it that does.
    pub(crate) async fn get(&self, room: &RoomId, via: &[OwnedServerName]) -> Known {
        if let Some((until, known)) = self.kept.get(room)
            && Instant::now() < until
        {
            return known;
        }
        let us = self.client.server_name();
        let others = via.iter().filter(|server| **server != us);
        let mut known = None;
        for server in others.take(MOST_ASKED) {
            let request = v1::Request::new(room.to_owned());
            match self.client.send_within(server, request, BOUNDS).await {
                Ok(answer) if answer.room.summary.room_id == room => {
                    let children = answer.room.children_state.iter().map(Raw::json);
                    let summary = answer.room.summary.clone().into();
                    known = Some(Arc::new(Elsewhere::new(summary, children)));
                    break;
                }
                Ok(_) | Err(_) => {}
            }
        }
        let until = Instant::now() + LIFETIME;
        self.kept.insert(room.to_owned(), (until, known.clone()));
        known
    }

    /// Finds out about rooms, as many as are asked for at once.
    pub(crate) async fn learn(
        &self,
        missing: Vec<(OwnedRoomId, Vec<OwnedServerName>)>,
        others: &mut Others,
    ) {
        let asking = missing.into_iter().map(|(room, via)| async move {
            let known = self.get(&room, &via).await;
            (room, known)
        });
        let asking: Vec<_> = asking.collect();
        let found: Vec<_> = stream::iter(asking)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        others.extend(found);
    }
}
