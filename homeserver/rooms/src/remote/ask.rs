//! Whom to ask about a room, and what to believe of the answers.

use std::collections::HashSet;

use orvale_events::Foreign;
use orvale_federation_client::FederationClient;
use ruma::{
    OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, RoomOrAliasId, ServerName, UserId,
    api::federation::query::get_room_information, room_version_rules::RoomVersionRules,
};
use serde_json::value::RawValue;

use crate::{
    Room, Rooms,
    error::{Error, Result},
    foreign::Arrival,
};

/// How many servers are asked for one thing.
pub(super) const MAX_SERVERS: usize = 8;
/// How many events are verified at once.
const AT_ONCE: usize = 1_000;

impl Rooms {
    /// Lets rooms ask other servers.
    pub fn federate(&self, client: FederationClient) {
        let _ = self.inner.federation.set(client);
    }

    /// The way to other servers.
    ///
    /// # Errors
    /// [`Error::Unreachable`] without federation.
    pub(crate) fn federation(&self) -> Result<&FederationClient> {
        self.inner
            .federation
            .get()
            .filter(|client| client.is_enabled())
            .ok_or(Error::Unreachable)
    }

    /// Who verifies what other servers signed; that needs nobody to be asked whose keys are known.
    pub(super) fn verifier(&self) -> Result<&FederationClient> {
        self.inner.federation.get().ok_or(Error::Unreachable)
    }

    /// Whether other servers can be asked.
    pub(crate) fn is_federated(&self) -> bool {
        self.federation().is_ok()
    }

    /// The room that an ID or alias stands for, and servers that know it.
    ///
    /// # Errors
    /// [`Error::UnknownAlias`]; [`Error::Unreachable`] and what the alias's server answers.
    pub async fn locate(
        &self,
        id_or_alias: &RoomOrAliasId,
        via: &[OwnedServerName],
    ) -> Result<(OwnedRoomId, Vec<OwnedServerName>)> {
        let alias = match <&RoomAliasId>::try_from(id_or_alias) {
            Ok(alias) => alias,
            Err(id) => return Ok((id.to_owned(), via.to_vec())),
        };
        if alias.server_name() == self.server_name() {
            return Ok((self.get_alias(alias)?.id.clone(), via.to_vec()));
        }
        let request = get_room_information::v1::Request::new(alias.to_owned());
        let found = self
            .federation()?
            .send(alias.server_name(), request)
            .await?;
        let mut servers = via.to_vec();
        servers.push(alias.server_name().to_owned());
        servers.extend(found.servers);
        Ok((found.room_id, servers))
    }

    /// The servers to ask about a room, the likeliest first.
    pub(super) fn candidates(
        &self,
        id: &RoomId,
        user: &UserId,
        via: &[OwnedServerName],
    ) -> Result<Vec<OwnedServerName>> {
        let mut servers = Vec::new();
        let room = self.find(id)?;
        if let Some(room) = &room
            && let Some(record) = self.find_membership(room, user)?
        {
            // Who invited them knows the room.
            let member = self.event(record.event)?;
            servers.push(member.pdu.sender.server_name().to_owned());
        }
        servers.extend_from_slice(via);
        servers.extend(id.server_name().map(ToOwned::to_owned));
        if let Some(room) = &room {
            servers.extend(self.servers(room)?.keys().cloned());
        }
        Ok(self.distinct(servers))
    }

    /// The servers in a room that this server is in, `first` first.
    pub(super) fn servers_to_ask(
        &self,
        room: &Room,
        first: Option<&ServerName>,
    ) -> Result<Vec<OwnedServerName>> {
        let mut others: Vec<_> = self
            .servers(room)?
            .iter()
            .map(|(s, n)| (s.clone(), *n))
            .collect();
        others.sort_by_key(|(_, users)| std::cmp::Reverse(*users));
        let others = others.into_iter().map(|(server, _)| server);
        let servers = first.map(ToOwned::to_owned).into_iter().chain(others);
        Ok(self.distinct(servers.collect()))
    }

    fn distinct(&self, servers: Vec<OwnedServerName>) -> Vec<OwnedServerName> {
        let mut seen = HashSet::from([self.server_name_owned()]);
        servers
            .into_iter()
            .filter(|server| seen.insert(server.clone()))
            .take(MAX_SERVERS)
            .collect()
    }

    /// Those of some events that are well-formed, of this room, and validly signed.
    pub(super) async fn believe(
        &self,
        room: &RoomId,
        rules: &RoomVersionRules,
        events: &[Box<RawValue>],
    ) -> Result<Vec<Arrival>> {
        let mut believed = Vec::with_capacity(events.len());
        // Parsed they are large: some at once.
        for events in events.chunks(AT_ONCE) {
            let read = events.iter().filter_map(|event| {
                let read = Foreign::read(event.get().as_bytes(), rules);
                let read = read.inspect_err(|error| tracing::debug!(%error, "an event is dropped"));
                read.ok().filter(|event| event.room_id() == room)
            });
            believed.extend(self.verified(rules, read.collect()).await?);
        }
        Ok(believed)
    }

    /// Those events that are validly signed.
    pub(super) async fn verified(
        &self,
        rules: &RoomVersionRules,
        events: Vec<Foreign>,
    ) -> Result<Vec<Arrival>> {
        let verified = self.verifier()?.verify(events, rules).await;
        tokio::task::consume_budget().await;
        let verified = verified.into_iter().filter_map(|verified| {
            let verified =
                verified.inspect_err(|error| tracing::debug!(%error, "an event is dropped"));
            verified.ok().map(Arrival::from)
        });
        Ok(verified.collect())
    }

    /// One event, well-formed, of this room, and validly signed.
    pub(super) async fn believe_one(
        &self,
        room: &RoomId,
        rules: &RoomVersionRules,
        event: Foreign,
    ) -> Result<Arrival> {
        if event.room_id() != room {
            return Err(Error::BadContent("the event is of another room".to_owned()));
        }
        let mut verified = self.verifier()?.verify(vec![event], rules).await;
        let verified = verified
            .pop()
            .ok_or_else(|| Error::Internal("nothing was verified".to_owned()))?;
        Ok(verified?.into())
    }
}

/// JSON that was made here.
pub(crate) fn raw(json: &[u8]) -> Result<Box<RawValue>> {
    let text = String::from_utf8(json.to_vec()).map_err(|e| Error::Internal(e.to_string()))?;
    RawValue::from_string(text).map_err(|e| Error::Internal(e.to_string()))
}

/// Whether asking another server may help where this one failed.
pub(super) fn may_help(error: &Error) -> bool {
    match error {
        Error::Remote(error) => error
            .answered()
            .is_none_or(|answered| answered.errcode != "M_FORBIDDEN"),
        Error::BadContent(_) | Error::Event(_) | Error::UnsupportedRoomVersion(_) => true,
        _ => false,
    }
}
