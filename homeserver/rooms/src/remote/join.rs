//! Our users join rooms through other servers.

use std::sync::Arc;

use orvale_events::{Foreign, SUPPORTED_ROOM_VERSIONS};
use ruma::{
    OwnedServerName, RoomId, RoomVersionId, ServerName, UserId,
    api::federation::membership::{create_join_event, prepare_join_event},
};

use super::{
    ask::raw,
    fetch::{MAX_STATE_BYTES, STATE_TIMEOUT},
    through::{Signed, Step, Wish},
};
use crate::{
    Room, Rooms,
    error::{Error, Result},
    foreign::{Entrance, LeftOut},
};

impl Rooms {
    /// Joins a room, through other servers if this one is not in it or has nobody who could let the user in.
    ///
    /// # Errors
    /// As of [`Rooms::join`]; [`Error::Unreachable`] and [`Error::Remote`] if no server helps.
    pub async fn join_anywhere(
        &self,
        user: &UserId,
        id: &RoomId,
        via: &[OwnedServerName],
        reason: Option<&str>,
    ) -> Result<Arc<Room>> {
        let room = self.find(id)?;
        let ask = || match self.is_federated() {
            true => self.candidates(id, user, via),
            false => Ok(Vec::new()),
        };
        let servers = match &room {
            Some(room) if !self.is_federated() || self.is_resident(room)? => {
                match self.join(user, room, reason).await {
                    // Another server may know the rooms whose members may join, or have somebody who can let them in.
                    Err(error @ (Error::UnableToAuthoriseJoin | Error::UnableToGrantJoin)) => {
                        let servers = ask()?;
                        if servers.is_empty() {
                            return Err(error);
                        }
                        servers
                    }
                    joined => return joined.map(|()| room.clone()),
                }
            }
            known => {
                let servers = ask()?;
                if let (Some(room), true) = (known, servers.is_empty()) {
                    // Nobody else was ever in it.
                    return self.join(user, room, reason).await.map(|()| room.clone());
                }
                servers
            }
        };
        if self.users().is_guest(user)? {
            return Err(Error::GuestsForbidden);
        }
        let room = self
            .step_through(servers, (user, id), Step::Join, reason)
            .await?;
        self.carry_over(user, &room).await;
        Ok(room)
    }

    pub(super) async fn join_through(
        &self,
        server: &ServerName,
        wish: &Wish<'_>,
    ) -> Result<Arc<Room>> {
        let (user, id) = (wish.user, wish.room_id);
        let client = self.federation()?;
        if let Some(room) = self.find(id)?.filter(|room| self.is_partial(room.number)) {
            self.await_whole(&room).await?;
        }
        let mut request = prepare_join_event::v1::Request::new(id.to_owned(), user.to_owned());
        request.ver = SUPPORTED_ROOM_VERSIONS.to_vec();
        let proposed = client.send(server, request).await?;
        let version = proposed.room_version.unwrap_or(RoomVersionId::V1);
        let Signed {
            event: mut join,
            version,
            rules,
        } = self.sign(wish, version, &proposed.event)?;

        // What others send as soon as they know of the join has to wait until it is known here.
        let inbox = self.inner.inboxes.of(id).ok_or(Error::Unreachable)?;
        let _turn = inbox.lock().await;
        let known = self.find(id)?;
        if let Some(room) = known.as_ref().filter(|room| self.is_partial(room.number)) {
            // Somebody else of this server came in meanwhile.
            self.join(user, room, None).await?;
            return Ok(room.clone());
        }
        let event_id = join.pdu.event_id.clone();
        let mut request =
            create_join_event::v2::Request::new(id.to_owned(), event_id.clone(), raw(&join.json)?);
        // Who comes back is told all: it knows another state.
        request.omit_members = known.is_none_or(|room| room.lock().depth == 0);
        let mut bounds = client.bounds();
        bounds.max_bytes = MAX_STATE_BYTES;
        bounds.timeout = bounds.timeout.max(STATE_TIMEOUT);
        let given = client
            .send_within(server, request, bounds)
            .await?
            .room_state;
        // Where another server's user lets ours in, that server signs too.
        if let Some(signed) = given.event {
            let signed = Foreign::read(signed.get().as_bytes(), &rules)?;
            if signed.event_id() != event_id {
                return Err(Error::BadContent(
                    "the event came back as another".to_owned(),
                ));
            }
            join = self.believe_one(id, &rules, signed).await?;
        }
        let state = self.believe(id, &rules, &given.state).await?;
        let auth_chain = self.believe(id, &rules, &given.auth_chain).await?;
        let names_version = |arrival: &crate::Arrival| {
            let named = arrival.pdu.content_field::<String>("room_version");
            named.as_deref().unwrap_or("1") == version.as_str()
        };
        let create = state
            .iter()
            .find(|arrival| arrival.pdu.kind.to_string() == "m.room.create");
        if !create.is_some_and(names_version) {
            return Err(Error::BadContent(
                "the room is not of the version named".to_owned(),
            ));
        }
        let room = self.find_or_note(id, &version).await?;
        let partial = given.members_omitted.then(|| {
            let servers = given.servers_in_room.iter().flatten();
            let servers = servers.filter_map(|name| ServerName::parse(name).ok());
            LeftOut {
                via: server.to_owned(),
                servers: servers.collect(),
            }
        });
        let entrance = Entrance {
            event: join,
            state,
            auth_chain,
            partial,
        };
        self.enter(&room, entrance).await?;
        if self.is_partial(room.number) {
            self.make_whole(room.clone());
        }
        Ok(room)
    }
}
