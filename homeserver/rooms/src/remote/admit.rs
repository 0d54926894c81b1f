//! Users of other servers come and go through this one.

use std::{collections::HashSet, sync::Arc};

use orvale_events::Foreign;
use orvale_storage::trees::rooms::Membership;
use ruma::{
    CanonicalJsonValue, EventId, OwnedServerName, RoomId, RoomVersionId, ServerName, UserId,
    events::StateEventType, room::JoinRule,
};
use serde_json::value::RawValue;

use super::ask::raw;
use crate::{
    Room, Rooms, StoredEvent,
    error::{Error, Result},
    foreign::{Accepted, StateGiven, Wanted},
    moderate::forbidden,
};

/// What a server is given whose user came in.
#[derive(Debug)]
pub struct Admitted {
    /// The room.
    pub room: Arc<Room>,
    /// The event by which they did.
    pub event: Arc<StoredEvent>,
}

/// With so many members, past ones included, a room is told whole to whoever comes in.
const SMALL_ROOM: usize = 20;

/// The state that a server is given whose user came in.
#[derive(Debug)]
pub struct GivenOnJoin {
    /// The state before the join, and its auth chain and that of the join.
    pub given: StateGiven,
    /// Whether there are members whom the state leaves out.
    pub members_omitted: bool,
    /// The servers that were in the room before the join.
    pub servers_in_room: Vec<OwnedServerName>,
}

impl Rooms {
    /// The unsigned event by which a user of another server joins, leaves or knocks, for their server.
    ///
    /// # Errors
    /// [`Error::UnknownRoom`]; [`Error::IncompatibleRoomVersion`]; as [`Rooms::member_template`].
    pub fn propose(
        &self,
        origin: &ServerName,
        id: &RoomId,
        user: &UserId,
        membership: Membership,
        versions: Option<&[RoomVersionId]>,
    ) -> Result<(RoomVersionId, Box<RawValue>)> {
        if user.server_name() != origin {
            return Err(forbidden("a server asks for its own users"));
        }
        let room = self.room_for(origin, id, membership)?;
        if versions.is_some_and(|versions| !versions.contains(&room.version)) {
            return Err(Error::IncompatibleRoomVersion(room.version.to_string()));
        }
        let template = self.member_template(&room, user, membership)?;
        Ok((room.version.clone(), template))
    }

    /// The room that a user of another server wants to come into, out of or to the door of.
    fn room_for(
        &self,
        origin: &ServerName,
        id: &RoomId,
        membership: Membership,
    ) -> Result<Arc<Room>> {
        let unknown = || Error::UnknownRoom(id.to_owned());
        let room = self.find(id)?.ok_or_else(unknown)?;
        // Whether they may come in cannot be said before all members are known; another server can say it.
        let needs_all = membership != Membership::Leave && self.is_partial(room.number);
        if needs_all || !self.is_resident(&room)? {
            return Err(unknown());
        }
        if !self.acl_allows(&room, origin)? {
            return Err(forbidden("the room does not let your server take part"));
        }
        Ok(room)
    }

    /// Takes the event by which a user of another server joins, leaves or knocks.
    ///
    /// # Errors
    /// [`Error::BadContent`] if it is anything else; [`Error::Forbidden`] if the room does not let them.
    pub async fn admit(
        &self,
        origin: &ServerName,
        (id, event_id): (&RoomId, &EventId),
        event: &RawValue,
        membership: Membership,
    ) -> Result<Admitted> {
        let room = self.room_for(origin, id, membership)?;
        let mut event = Foreign::read(event.get().as_bytes(), &room.rules)?;
        if event.event_id() != event_id {
            return Err(Error::BadContent("the event has another ID".to_owned()));
        }
        let sender = match event.object().get("sender") {
            Some(CanonicalJsonValue::String(sender)) => UserId::parse(sender).ok(),
            _ => None,
        };
        let user = sender
            .filter(|sender| sender.server_name() == origin)
            .ok_or_else(|| Error::BadContent("a server sends its own users' events".to_owned()))?;
        let wanted = Wanted {
            room_id: id,
            user: &user,
            membership,
        };
        wanted.check(event.object())?;
        if membership == Membership::Join && self.lets_in(&room, &user, &event)? {
            event.sign(&room.rules, &self.inner.key)?;
        }
        let arrival = self.believe_one(id, &room.rules, event).await?;
        let id = arrival.pdu.event_id.clone();
        if arrival.pdu.content_field::<String>("membership").as_deref() != Some(membership.as_str())
        {
            return Err(Error::BadContent(
                "its content is not what was signed".to_owned(),
            ));
        }
        // The other servers in the room hear of it from this one.
        match self.accept_for(&room, arrival, origin).await? {
            Accepted::Live => {}
            Accepted::Known => {
                let is_shown = self.find_event(&id)?.is_some_and(|event| event.is_shown());
                if !is_shown {
                    return Err(forbidden("the room does not let them"));
                }
            }
            Accepted::SoftFailed(reason) | Accepted::Rejected(reason) => {
                return Err(Error::Forbidden(reason));
            }
            Accepted::Missing(_) => {
                return Err(Error::BadContent("it stands on unknown events".to_owned()));
            }
        }
        let event = self
            .find_event(&id)?
            .ok_or_else(|| Error::Internal("an accepted event is missing".to_owned()))?;
        Ok(Admitted { room, event })
    }

    /// Whether a join names one of our users as who lets them in, and that is right; so that we sign it.
    fn lets_in(&self, room: &Arc<Room>, user: &UserId, event: &Foreign) -> Result<bool> {
        let Some(CanonicalJsonValue::Object(content)) = event.object().get("content") else {
            return Ok(false);
        };
        let Some(CanonicalJsonValue::String(by)) = content.get("join_authorised_via_users_server")
        else {
            return Ok(false);
        };
        let by = UserId::parse(by)
            .map_err(|_| Error::BadContent("who lets them in is no user".to_owned()))?;
        if !self.is_local(&by) {
            return Ok(false);
        }
        if !self.is_joined(&by, room)? || !self.power_levels(room)?.user_can_invite(&by) {
            return Err(Error::UnableToGrantJoin);
        }
        let rules = self.find_state(room, &StateEventType::RoomJoinRules, "")?;
        match rules.and_then(|rules| rules.pdu.content_as::<JoinRule>().ok()) {
            Some(JoinRule::Restricted(restricted) | JoinRule::KnockRestricted(restricted)) => {
                self.check_allowed(user, &restricted)?;
                Ok(true)
            }
            _ => Err(forbidden("nobody has to let them in here")),
        }
    }

    /// The state that a server is given whose user came in: that before their join. Of a room of many it gets `few` members at first
    /// if it can do with that: who is joined, and those by whom a room is called that has no name. That costs the same however many
    /// there are.
    ///
    /// # Errors
    /// Storage's.
    pub fn state_for_admitted(&self, admitted: &Admitted, few: bool) -> Result<GivenOnJoin> {
        let Admitted { room, event } = admitted;
        let before = event.state_before();
        // To be told of some more costs less than to ask for them.
        let members_omitted = few && self.has_more_members(room, SMALL_ROOM)?;
        let state = match members_omitted {
            true => self.state_of_few(room, event)?,
            false => self.list_state_at(before)?,
        };
        let ids = state.iter().map(|event| event.event_id().to_owned());
        let ids: Vec<_> = ids.chain([event.event_id().to_owned()]).collect();
        let mut auth_chain = self.auth_chain(room, ids)?;
        if few {
            let given: HashSet<_> = state.iter().map(|event| event.position).collect();
            auth_chain.retain(|event| !given.contains(&event.position));
        }
        let servers = self.servers_at(room, before)?;
        Ok(GivenOnJoin {
            given: StateGiven { state, auth_chain },
            members_omitted,
            servers_in_room: servers.keys().cloned().collect(),
        })
    }

    /// The state before a join with just the members that the other server needs at once.
    fn state_of_few(&self, room: &Room, join: &StoredEvent) -> Result<Vec<Arc<StoredEvent>>> {
        let before = join.state_before();
        let mut state = Vec::new();
        for (kind, key) in self.list_state_keys_but_members(room)? {
            state.extend(self.find_state_at(before, &kind.into(), &key)?);
        }
        let user = join.pdu.state_key.as_deref().map(UserId::parse);
        if let Some(Ok(user)) = user {
            let heroes = self.summary(room, &user)?.heroes.unwrap_or_default();
            for user in heroes.into_iter().chain([user]) {
                let kind = StateEventType::RoomMember;
                state.extend(self.find_state_at(before, &kind, user.as_str())?);
            }
        }
        Ok(state)
    }

    /// What is shown of a room to those who knock: its state from outside, as events.
    ///
    /// # Errors
    /// Storage's.
    pub fn shown_from_outside(&self, room: &Room) -> Result<Vec<Box<RawValue>>> {
        let mut shown = Vec::new();
        for kind in &crate::news::STRIPPED {
            if let Some(event) = self.find_state(room, kind, "")? {
                shown.push(raw(&event.record.pdu)?);
            }
        }
        Ok(shown)
    }
}
