//! What other servers are shown of rooms.

use std::{cmp::Reverse, sync::Arc};

use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedRoomId, OwnedServerName, RoomId, ServerName, api::Direction,
    room::JoinRuleKind,
};

use crate::{
    Room, RoomSummary, Rooms, SpaceRoom, StoredEvent,
    error::{Error, Result},
    summary::Outside,
};

/// The most rooms of a space that are shown.
const MOST_CHILDREN: usize = 1000;

/// A space as another server is shown it.
#[derive(Debug)]
pub struct SpaceForServer {
    /// The space itself.
    pub room: SpaceRoom,
    /// The rooms in it that the server may know of.
    pub children: Vec<RoomSummary>,
    /// The rooms in it that are here and of which it may not.
    pub inaccessible: Vec<OwnedRoomId>,
}

impl Rooms {
    /// The servers by which a room can be reached, this one first, then those with most members.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_servers(&self, room: &Room, limit: usize) -> Result<Vec<OwnedServerName>> {
        let servers = self.servers(room)?;
        let mut servers: Vec<_> = servers.iter().collect();
        servers.sort_by_key(|(name, joined)| (*name != self.server_name(), Reverse(**joined)));
        let names = servers
            .into_iter()
            .take(limit)
            .map(|(name, _)| name.clone());
        Ok(names.collect())
    }

    /// Whether a server may know of a room: somebody of it is in there, may join or knock, or may read it.
    ///
    /// <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid>
    fn server_may_know(&self, server: &ServerName, room: &Room, outside: &Outside) -> Result<bool> {
        let summary = &outside.summary;
        if !self.acl_allows(room, server)? {
            return Ok(false);
        }
        if summary.world_readable || self.is_server_in(room, server)? {
            return Ok(true);
        }
        let rules = &room.rules.authorization;
        match summary.join_rule {
            JoinRuleKind::Public => return Ok(true),
            JoinRuleKind::Knock if rules.knocking => return Ok(true),
            JoinRuleKind::KnockRestricted if rules.knock_restricted_join_rule => return Ok(true),
            JoinRuleKind::Restricted if rules.restricted_join_rule => {}
            _ => return Ok(false),
        }
        for allowed in &summary.allowed_room_ids {
            if let Some(allowed) = self.find(allowed)?
                && self.is_server_in(&allowed, server)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A space and the rooms in it, as a server may know them.
    ///
    /// # Errors
    /// [`Error::UnknownRoom`], also if the server may not know of the space.
    pub fn space_for_server(
        &self,
        server: &ServerName,
        id: &RoomId,
        suggested_only: bool,
    ) -> Result<SpaceForServer> {
        let unknown = || Error::UnknownRoom(id.to_owned());
        let room = self.find(id)?.ok_or_else(unknown)?;
        let outside = self.outside(&room)?;
        if !self.server_may_know(server, &room, &outside)? {
            return Err(unknown());
        }
        let wanted: Vec<_> = outside
            .children
            .iter()
            .filter(|child| child.is_suggested || !suggested_only)
            .take(MOST_CHILDREN)
            .collect();
        let (mut children, mut inaccessible) = (Vec::new(), Vec::new());
        for child in &wanted {
            // Of rooms that are not here, others know more.
            let Some(room) = self.find(&child.room_id)? else {
                continue;
            };
            let outside = self.outside(&room)?;
            if self.server_may_know(server, &room, &outside)? {
                children.push(self.summary_now(&room, &outside)?);
            } else if self.count_joined(room.number)? > 0 {
                inaccessible.push(child.room_id.clone());
            }
        }
        Ok(SpaceForServer {
            room: SpaceRoom {
                summary: self.summary_now(&room, &outside)?,
                children: wanted.iter().map(|child| child.json.clone()).collect(),
            },
            children,
            inaccessible,
        })
    }

    /// The event closest to a moment, from it on in one direction, that a server in the room may see.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::NoEventThen`].
    pub fn find_moment_for_server(
        &self,
        server: &ServerName,
        id: &RoomId,
        moment: MilliSecondsSinceUnixEpoch,
        direction: Direction,
    ) -> Result<Arc<StoredEvent>> {
        let room = self.room_for_server(server, id)?;
        let sees = |event: &StoredEvent| self.server_sees(server, event);
        self.find_moment_where(&room, None, moment, direction, sees)
    }
}

#[cfg(test)]
mod tests {
    use ruma::{RoomVersionId, server_name};
    use serde_json::json;

    use super::*;
    use crate::{
        NewRoom, Preset,
        testing::{rooms, state, user},
    };

    #[tokio::test]
    async fn space_is_shown_to_servers_as_far_as_each_may_know_its_rooms() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let create = async |name: &str, preset, space: bool| {
            let creation = json!({ "type": "m.space" });
            let new = NewRoom {
                name: Some(name.to_owned()),
                preset,
                creation_content: space.then(|| crate::json::raw(&creation)),
                ..NewRoom::default()
            };
            rooms.create(&alice, new).await.unwrap()
        };
        let space = create("space", Preset::Public, true).await;
        let open = create("open", Preset::Public, false).await;
        let private = create("private", Preset::Private, false).await;
        let members = create("members", Preset::Private, false).await;
        let allow = json!([{ "type": "m.room_membership", "room_id": space.id }]);
        let rule = json!({ "join_rule": "restricted", "allow": allow });
        let rule = state(&alice, "m.room.join_rules", "", &rule);
        rooms.did(&members, rule).await.unwrap();
        for (room, suggested) in [(&open, true), (&private, false), (&members, false)] {
            let content = json!({ "via": ["orvale.test"], "suggested": suggested });
            let child = state(&alice, "m.space.child", room.id.as_str(), &content);
            rooms.did(&space, child).await.unwrap();
        }
        let far = json!({ "via": ["far.test"] });
        let far = state(&alice, "m.space.child", "!far:far.test", &far);
        rooms.did(&space, far).await.unwrap();

        let shown = |server: &ServerName, suggested_only| {
            let shown = rooms
                .space_for_server(server, &space.id, suggested_only)
                .unwrap();
            let names = shown.children.into_iter().filter_map(|child| child.name);
            (
                names.collect::<Vec<_>>().join(" "),
                shown.inaccessible,
                shown.room.children.len(),
            )
        };
        let (stranger, us) = (server_name!("far.test"), rooms.server_name().to_owned());
        let hidden = vec![private.id.clone(), members.id.clone()];
        assert_eq!(shown(stranger, false), ("open".to_owned(), hidden, 4));
        assert_eq!(shown(stranger, true), ("open".to_owned(), vec![], 1));
        let all = "open private members".to_owned();
        assert_eq!(shown(&us, false), (all, vec![], 4));

        let refused = rooms.space_for_server(stranger, &private.id, false);
        assert!(matches!(refused, Err(Error::UnknownRoom(_))));
        let shut = json!({ "allow": ["*"], "deny": ["far.test"] });
        let shut = state(&alice, "m.room.server_acl", "", &shut);
        rooms.did(&space, shut).await.unwrap();
        let refused = rooms.space_for_server(stranger, &space.id, false);
        assert!(matches!(refused, Err(Error::UnknownRoom(_))));
    }

    #[tokio::test]
    async fn moments_are_found_for_servers_in_the_room_alone() {
        let rooms = rooms();
        let room = rooms.public_room(RoomVersionId::V12).await;
        let start = MilliSecondsSinceUnixEpoch(ruma::UInt::MIN);
        let find =
            |server| rooms.find_moment_for_server(server, &room.id, start, Direction::Forward);
        let first = find(rooms.server_name()).unwrap();
        assert_eq!(first.pdu.kind, "m.room.create".into());
        assert_eq!(first.pdu.sender, user("alice"));
        assert!(matches!(
            find(server_name!("far.test")),
            Err(Error::NotJoined)
        ));
        assert_eq!(rooms.list_servers(&room, 5).unwrap(), [rooms.server_name()]);
    }
}
