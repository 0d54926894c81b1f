//! The follower of the log that finds out which servers an entry concerns.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    time::Duration,
};

use orvale_rooms::{Membership, StoredEvent, membership};
use orvale_storage::{
    Batch, Entry, Follower, Position,
    trees::delivery::{TO_SERVERS, ToServer},
};
use ruma::{OwnedServerName, ServerName, UserId, events::TimelineEventType};
use tokio::time::sleep;

use crate::{
    Result,
    delivery::{Inner, blocking},
    entries,
};

/// The name of the cursor.
const CURSOR: &str = "to_servers";
/// How many entries are looked at at once.
const BATCH: usize = 256;
/// After how many entries that concern nobody the cursor is kept all the same.
const KEEP: usize = 10_000;

type Concerned = BTreeMap<OwnedServerName, ToServer>;

/// Follows the log, the first time from `start`, until the last handle on delivery or the store is gone.
pub(crate) async fn follow(inner: Weak<Inner>, start: Position) {
    let follower = |shared: &Arc<Inner>| Ok(shared.rooms.store().follower(CURSOR, start)?);
    let Some(mut follower) = entries::begin(&inner, "other servers", follower).await else {
        return;
    };
    let mut seen = 0;
    while let Some(entries) = entries::next(&mut follower, BATCH).await {
        let Some(shared) = inner.upgrade() else {
            return;
        };
        seen += entries.len();
        let mut batch = Batch::new();
        let mut servers = BTreeSet::new();
        for (at, entry) in entries {
            match shared.take(at, entry).await {
                Ok(concerned) => {
                    for (server, what) in concerned {
                        batch.put(&TO_SERVERS, (&server, at), &what);
                        servers.insert(server);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, position = at.0, "no server is told of an entry of the log");
                }
            }
            tokio::task::consume_budget().await;
        }
        if batch.is_empty() && seen < KEEP {
            continue;
        }
        seen = 0;
        if !keep(&follower, &shared, batch).await {
            return;
        }
        for server in servers {
            shared.tell_server(&server);
        }
    }
}

/// Keeps what is to be told, and the cursor. False when the store is closed.
async fn keep(follower: &Follower, shared: &Inner, mut batch: Batch) -> bool {
    follower.done_in(&mut batch, follower.position());
    loop {
        match shared.rooms.store().commit(batch.clone()).await {
            Ok(_) => return true,
            Err(orvale_storage::Error::Closed) => return false,
            Err(error) => {
                tracing::error!(%error, "what servers are to be told cannot be kept");
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

impl Inner {
    /// The servers that an entry concerns.
    async fn take(&self, at: Position, entry: Entry) -> Result<Concerned> {
        let all = |servers: BTreeSet<OwnedServerName>| -> Concerned {
            let servers = servers.into_iter();
            servers.map(|server| (server, ToServer::Entry)).collect()
        };
        let local = |user_id: String| {
            UserId::parse(user_id)
                .ok()
                .filter(|user_id| self.users.is_local(user_id))
        };
        let mut concerned = match entry {
            Entry::Event(record) if record.is_live() => {
                let event = self.rooms.load(at, record)?;
                self.stop_following(&event).await?;
                if self.users.is_local(&event.pdu.sender) {
                    blocking(|| self.concerned_by_event(&event))?
                } else {
                    Concerned::new()
                }
            }
            Entry::Forward { event, from } => {
                let event = self.rooms.event(event)?;
                let mut servers = blocking(|| self.servers_around(&event))?;
                servers.retain(|server| *server != from);
                all(servers)
            }
            Entry::Receipt {
                room,
                user_id,
                private: false,
            } if local(user_id.clone()).is_some() => {
                let room = self.rooms.get_number(room)?;
                let servers = blocking(|| self.rooms.servers(&room))?;
                all(servers.keys().cloned().collect())
            }
            Entry::DeviceList { user_id } => match local(user_id) {
                Some(user_id) => all(blocking(|| self.rooms.servers_with(&user_id, None))?),
                None => Concerned::new(),
            },
            Entry::ToDeviceElsewhere { server } => {
                all(ServerName::parse(server).ok().into_iter().collect())
            }
            _ => Concerned::new(),
        };
        concerned.remove(self.rooms.server_name());
        Ok(concerned)
    }

    fn concerned_by_event(&self, event: &StoredEvent) -> Result<Concerned> {
        let servers = self.servers_around(event)?;
        let mut concerned: Concerned = servers
            .into_iter()
            .map(|server| (server, ToServer::Entry))
            .collect();
        let pdu = &event.pdu;
        let joins = pdu.kind == TimelineEventType::RoomMember
            && membership(pdu) == Some(Membership::Join)
            && pdu.state_key.as_deref() == Some(pdu.sender.as_str());
        if joins && concerned.len() > 1 {
            // Those that share no other room with the user do not follow their devices yet.
            let known = self.rooms.servers_with(&pdu.sender, Some(event.room))?;
            for (server, what) in &mut concerned {
                if !known.contains(server) {
                    *what = ToServer::EntryAndDevices;
                }
            }
        }
        Ok(concerned)
    }

    /// The servers in the room before an event or after it, and that of a user whom it is about.
    fn servers_around(&self, event: &StoredEvent) -> Result<BTreeSet<OwnedServerName>> {
        let room = self.rooms.get_number(event.room)?;
        let before = self.rooms.servers_at(&room, event.room_before())?;
        let after = self.rooms.servers_at(&room, event.room_after())?;
        let mut servers: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
        let pdu = &event.pdu;
        // Whose invite is taken back is in no room with us. (An invite itself goes another way.)
        let parts = matches!(membership(pdu), Some(Membership::Leave | Membership::Ban));
        if pdu.kind == TimelineEventType::RoomMember
            && parts
            && let Some(user) = pdu.state_key.as_deref()
            && let Ok(user) = <&UserId>::try_from(user)
        {
            servers.insert(user.server_name().to_owned());
        }
        Ok(servers)
    }

    /// After somebody left: does not follow those any more with whom no room is shared, or was not for a while.
    async fn stop_following(&self, event: &StoredEvent) -> Result<()> {
        let pdu = &event.pdu;
        if pdu.kind != TimelineEventType::RoomMember
            || matches!(membership(pdu), None | Some(Membership::Join))
        {
            return Ok(());
        }
        let Some(user) = pdu.state_key.as_deref() else {
            return Ok(());
        };
        let Ok(user) = UserId::parse(user) else {
            return Ok(());
        };
        let mut parted = Vec::new();
        if !self.users.is_local(&user) {
            parted.push(user);
        } else {
            let room = self.rooms.get_number(event.room)?;
            let own = self.rooms.server_name();
            let after = blocking(|| self.rooms.servers_at(&room, event.room_after()))?;
            if after.contains_key(own) || after.is_empty() {
                return Ok(());
            }
            let members = self
                .rooms
                .list_state_keys(&room, &ruma::events::StateEventType::RoomMember)?;
            let others = members
                .into_iter()
                .filter_map(|(user, _)| UserId::parse(user).ok());
            parted.extend(others.filter(|user| !self.users.is_local(user)));
        }
        for user in parted {
            let since = Some(event.position);
            if self.users.is_followed(&user)? && !self.rooms.shares_a_room_since(&user, since)? {
                self.users.unfollow(&user).await?;
            }
        }
        Ok(())
    }
}
