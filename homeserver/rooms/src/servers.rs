//! Which servers are in a room, and whom its access list lets in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orvale_events::ServerAcl;
use orvale_storage::{
    Position,
    trees::rooms::{CURRENT_STATE, HEADS, Membership},
};
use ruma::{
    OwnedServerName, RoomId, ServerName, UserId,
    events::{StateEventType, TimelineEventType},
};

use crate::{
    Room, Rooms, StoredEvent,
    append::membership,
    error::Result,
    state::{StateId, Unwritten},
};

/// How many users of each server are joined to a room.
pub type Servers = BTreeMap<OwnedServerName, u64>;

/// How often the current state is read again that changed while it was read.
const ATTEMPTS: usize = 8;

impl Rooms {
    /// The servers in a room now, and how many users of each.
    ///
    /// # Errors
    /// Storage's.
    pub fn servers(&self, room: &Room) -> Result<Arc<Servers>> {
        let head = self.store().get(&HEADS, (room.number,))?;
        self.servers_at(room, StateId(head.unwrap_or_default().state))
    }

    /// The servers in a room in one of its states. It costs what changed since it was last asked for.
    ///
    /// # Errors
    /// Storage's.
    pub fn servers_at(&self, room: &Room, state: StateId) -> Result<Arc<Servers>> {
        let known = self.known_servers_at(room, state)?;
        let Some(partial) = self.inner.partial.get(room.number) else {
            return Ok(known);
        };
        // Who is there of the others is not known yet; that they are is.
        let mut servers = (*known).clone();
        for server in &partial.servers {
            servers.entry(server.clone()).or_default();
        }
        Ok(Arc::new(servers))
    }

    /// The servers whose members a state has.
    fn known_servers_at(&self, room: &Room, state: StateId) -> Result<Arc<Servers>> {
        let known = self.inner.servers.get(&room.number);
        let (from, before) = match known {
            Some((at, servers)) if at == state => return Ok(servers),
            Some(known) => known,
            None => self.servers_now(room, state)?,
        };
        let servers = if from == state {
            before
        } else {
            let mut servers = (*before).clone();
            for changed in self.inner.states.diff(from, state, &Unwritten::default())? {
                if let Some(server) = self.joined_by(changed.a)? {
                    leave(&mut servers, &server);
                }
                if let Some(server) = self.joined_by(changed.b)? {
                    *servers.entry(server).or_default() += 1;
                }
            }
            Arc::new(servers)
        };
        self.inner
            .servers
            .insert(room.number, (state, servers.clone()));
        Ok(servers)
    }

    /// Whether a server has users in a room now.
    ///
    /// # Errors
    /// Storage's.
    pub fn is_server_in(&self, room: &Room, server: &ServerName) -> Result<bool> {
        Ok(self.servers(room)?.contains_key(server))
    }

    /// Whether a room's access list lets a server take part.
    ///
    /// # Errors
    /// Storage's.
    pub fn acl_allows(&self, room: &Room, server: &ServerName) -> Result<bool> {
        let acl = self.find_state(room, &StateEventType::RoomServerAcl, "")?;
        Ok(acl.is_none_or(|acl| ServerAcl::parse(&acl.pdu.content).is_allowed(server)))
    }

    /// The room in which a server says something of a user of its own, if it may: the user is in it, and the access list lets the server
    /// take part.
    pub(crate) fn heard_in(
        &self,
        origin: &ServerName,
        user: &UserId,
        room: &RoomId,
    ) -> Result<Option<Arc<Room>>> {
        if user.server_name() != origin {
            return Ok(None);
        }
        let Some(room) = self.find(room)? else {
            return Ok(None);
        };
        let membership = self.find_membership(&room, user)?;
        let is_in = match membership {
            Some(found) => found.membership == Membership::Join,
            None => self.is_partial(room.number) && self.is_server_in(&room, origin)?,
        };
        Ok((is_in && self.acl_allows(&room, origin)?).then_some(room))
    }

    /// Whether a user of another server is in a room with somebody of this one.
    ///
    /// # Errors
    /// Storage's.
    pub fn shares_a_room(&self, user: &UserId) -> Result<bool> {
        self.shares_a_room_since(user, None)
    }

    /// Whether a user of another server is in a room with somebody of this one, and was before a position already.
    ///
    /// # Errors
    /// Storage's.
    pub fn shares_a_room_since(&self, user: &UserId, before: Option<Position>) -> Result<bool> {
        for (room, record) in self.list_memberships(user)? {
            let is_in = record.membership == Membership::Join
                && before.is_none_or(|before| record.event < before);
            if is_in && self.is_server_in(&*self.get_number(room)?, self.server_name())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The servers that are in a room with a user now; not asked of one room.
    ///
    /// # Errors
    /// Storage's.
    pub fn servers_with(
        &self,
        user: &UserId,
        but: Option<Position>,
    ) -> Result<BTreeSet<OwnedServerName>> {
        let mut all = BTreeSet::new();
        for (room, record) in self.list_memberships(user)? {
            if record.membership == Membership::Join && but != Some(room) {
                let servers = self.servers(&*self.get_number(room)?)?;
                all.extend(servers.keys().cloned());
            }
        }
        Ok(all)
    }

    /// The servers in a room in its current state, and which state that is; in `otherwise` if the room does not keep still.
    fn servers_now(&self, room: &Room, otherwise: StateId) -> Result<(StateId, Arc<Servers>)> {
        let state = || -> Result<StateId> {
            let head = self.store().get(&HEADS, (room.number,))?;
            Ok(StateId(head.unwrap_or_default().state))
        };
        let kind = StateEventType::RoomMember.to_string();
        for _ in 0..ATTEMPTS {
            let before = state()?;
            let members = self
                .store()
                .prefix(&CURRENT_STATE, (room.number, &kind), usize::MAX)?;
            if state()? != before {
                continue;
            }
            let mut servers = Servers::new();
            for ((_, _, user), record) in members {
                if record.membership == Some(Membership::Join)
                    && let Ok(user) = <&UserId>::try_from(user.as_str())
                {
                    *servers.entry(user.server_name().to_owned()).or_default() += 1;
                }
            }
            return Ok((before, Arc::new(servers)));
        }
        let mut servers = Servers::new();
        for event in self.list_state_at(otherwise)? {
            if let Some(server) = server_joined_by(&event) {
                *servers.entry(server).or_default() += 1;
            }
        }
        Ok((otherwise, Arc::new(servers)))
    }

    fn joined_by(&self, event: Option<Position>) -> Result<Option<OwnedServerName>> {
        let event = event.map(|at| self.event(at)).transpose()?;
        Ok(event.and_then(|event| server_joined_by(&event)))
    }
}

/// The server of the user who is joined by a state event.
fn server_joined_by(event: &StoredEvent) -> Option<OwnedServerName> {
    let pdu = &event.pdu;
    if pdu.kind != TimelineEventType::RoomMember || membership(pdu) != Some(Membership::Join) {
        return None;
    }
    let user = <&UserId>::try_from(pdu.state_key.as_deref()?).ok()?;
    Some(user.server_name().to_owned())
}

fn leave(servers: &mut Servers, server: &ServerName) {
    if let Some(count) = servers.get_mut(server) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            servers.remove(server);
        }
    }
}

#[cfg(test)]
mod tests {
    use ruma::{RoomVersionId, server_name};
    use serde_json::json;

    use super::*;
    use crate::testing::{member, rooms, state, user};

    fn named(servers: &Servers) -> Vec<(&str, u64)> {
        let named = servers.iter();
        named.map(|(name, count)| (name.as_str(), *count)).collect()
    }

    #[tokio::test]
    async fn servers_are_counted_in_any_state_of_a_room() {
        let rooms = rooms();
        let (alice, bob) = (user("alice"), user("bob"));
        let room = rooms.public_room(RoomVersionId::V12).await;
        let own = rooms.server_name().as_str();
        assert_eq!(named(&rooms.servers(&room).unwrap()), [(own, 1)]);
        let joined = rooms.did(&room, member(&bob, &bob, "join")).await.unwrap();
        assert_eq!(named(&rooms.servers(&room).unwrap()), [(own, 2)]);
        let before = rooms.servers_at(&room, joined.state_before()).unwrap();
        assert_eq!(named(&before), [(own, 1)]);
        rooms
            .did(&room, member(&alice, &alice, "leave"))
            .await
            .unwrap();
        rooms.did(&room, member(&bob, &bob, "leave")).await.unwrap();
        assert_eq!(named(&rooms.servers(&room).unwrap()), []);
        let then = rooms.servers_at(&room, joined.state_after()).unwrap();
        assert_eq!(named(&then), [(own, 2)]);
    }

    #[tokio::test]
    async fn an_access_list_keeps_servers_out() {
        let rooms = rooms();
        let alice = user("alice");
        let room = rooms.public_room(RoomVersionId::V12).await;
        let evil = server_name!("evil.example");
        assert!(rooms.acl_allows(&room, evil).unwrap());
        let acl = json!({ "allow": ["*"], "deny": ["EVIL.*"] });
        rooms
            .did(&room, state(&alice, "m.room.server_acl", "", &acl))
            .await
            .unwrap();
        assert!(!rooms.acl_allows(&room, evil).unwrap());
        assert!(rooms.acl_allows(&room, rooms.server_name()).unwrap());
    }
}
