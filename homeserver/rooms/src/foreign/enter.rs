//! A room that this server comes to know, or comes back to, with the state that another server gives.

use std::{collections::HashSet, sync::Arc};

use orvale_storage::{
    Batch, Entry, Position, Standing,
    trees::rooms::{HEADS, MEMBERSHIPS, Membership, ROOM_NUMBERS, ROOMS, RoomRecord},
};
use ruma::{OwnedEventId, OwnedServerName, RoomId, RoomVersionId, UserId};

use super::{Arrival, judge::forbidden};
use crate::{
    Rooms,
    append::{Before, Made, membership},
    error::{Error, Result},
    event::StoredEvent,
    partial::Partial,
    room::{Head, Room},
    state::Nodes,
    stood::moved,
};

/// What another server gives of a room to a server that has somebody come in.
#[derive(Debug)]
pub struct Entrance {
    /// The event by which they come in, or did something else that the state lets them do.
    pub event: Arrival,
    /// The room's state before it.
    pub state: Vec<Arrival>,
    /// The auth chain of that.
    pub auth_chain: Vec<Arrival>,
    /// Where the state leaves members out.
    pub partial: Option<LeftOut>,
}

/// What a server says of a room whose members it left out of the state.
#[derive(Debug)]
pub struct LeftOut {
    /// The server.
    pub via: OwnedServerName,
    /// The servers that were in the room.
    pub servers: Vec<OwnedServerName>,
}

impl Rooms {
    /// The room of this ID, which is noted if it is not known here.
    ///
    /// # Errors
    /// [`Error::UnsupportedRoomVersion`]; [`Error::BadContent`] if it is known as one of another version.
    pub(crate) async fn find_or_note(
        &self,
        id: &RoomId,
        version: &RoomVersionId,
    ) -> Result<Arc<Room>> {
        loop {
            if let Some(room) = self.find(id)? {
                if room.version != *version {
                    let known = &room.version;
                    return Err(Error::BadContent(format!("the room is of version {known}")));
                }
                return Ok(room);
            }
            orvale_events::rules(version)
                .map_err(|_| Error::UnsupportedRoomVersion(version.to_string()))?;
            let permit = self.inner.store.permit().await?;
            let (room, pending) = {
                let reserved = self.inner.store.reserve(permit, 1);
                let room = Room::new(
                    reserved.at(0),
                    id.to_owned(),
                    version.clone(),
                    Head::default(),
                )?;
                let record = RoomRecord {
                    room_id: id.to_string(),
                    version: version.to_string(),
                };
                let mut batch = Batch::new();
                batch
                    .expect::<_, Position>(&ROOM_NUMBERS, (id,), None)
                    .put(&ROOMS, (room.number,), &record)
                    .put(&ROOM_NUMBERS, (id,), &room.number)
                    .put(&HEADS, (room.number,), &Head::default().record())
                    .log(Entry::Room {
                        room_id: id.to_string(),
                    });
                (room, self.inner.store.submit(reserved, batch))
            };
            match pending.await {
                // It is read from the store, so that there is one value of it, whoever asks first.
                Ok(()) => return self.get_number(room.number),
                // Somebody else noted it meanwhile.
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Comes into a room by an event that another server took, with the state that it gives. Nothing of that is believed that the
    /// auth rules do not allow. Resolves when it is durable.
    ///
    /// # Errors
    /// [`Error::BadContent`] if what is given is not a room's state; [`Error::Forbidden`] if it does not allow the event.
    pub async fn enter(&self, room: &Arc<Room>, entrance: Entrance) -> Result<()> {
        let Entrance {
            event,
            state,
            auth_chain,
            partial,
        } = entrance;
        let state_ids: Vec<OwnedEventId> = state
            .iter()
            .map(|arrival| arrival.pdu.event_id.clone())
            .collect();
        let outliers = auth_chain.into_iter().chain(state).collect();
        self.keep_outliers(room, outliers).await?;

        let permit = self.inner.store.permit().await?;
        let pending = {
            let mut head = room.lock();
            let head = &mut *head;
            if self
                .here(head, &event.pdu.event_id)?
                .is_some_and(|known| known.has_state())
            {
                // A transaction brought it meanwhile.
                return Ok(());
            }
            // Who comes back may have missed something.
            let comes_back = head.depth > 0;
            if comes_back && partial.is_some() {
                return Err(bad("members are left out though they were wanted"));
            }
            if comes_back && !self.knows_all(room, head, &event.pdu.prev_events)? {
                self.leave_room_for_history();
            }
            let reserved = self.inner.store.reserve(permit, 1);
            let at = reserved.at(0);
            let mut nodes = Nodes::new(at);
            let mut entries = Vec::with_capacity(state_ids.len());
            let mut seen = HashSet::new();
            let mut has_create = false;
            for id in &state_ids {
                let Some(known) = self.here(head, id)? else {
                    continue;
                };
                if known.room != room.number || known.record.standing == Standing::Rejected {
                    continue;
                }
                let place = known
                    .state_hash()
                    .ok_or_else(|| bad("an event of the state is no state event"))?;
                if !seen.insert(place) {
                    return Err(bad("the state has two events in one place"));
                }
                has_create |= known.pdu.kind.to_string() == "m.room.create";
                let left = self.left_since(room, head, &known)?;
                entries.push((place, Some(left.unwrap_or(known.position))));
            }
            if !has_create {
                return Err(bad("the state has no m.room.create"));
            }
            let states = &self.inner.states;
            let mut before = states.change(
                crate::StateId::EMPTY,
                &entries,
                &mut nodes,
                &mut head.unwritten,
            )?;
            let pdu = &event.pdu;
            // What this server knows for itself counts too, if it is still in the room: whoever comes in besides others does not
            // bring them another state.
            let still_in = self.has_local_member(room)?;
            if still_in && self.knows_all(room, head, &pdu.prev_events)? {
                before = self.state_after_all(room, head, &pdu.prev_events, &mut nodes)?;
            }
            let trusted = match &partial {
                // Whoever lets the user in is among the members that were left out.
                Some(_) => Self::members_among(self.auth_events_here(room, head, pdu)?.0),
                None => Vec::new(),
            };
            self.judge_with(room, head, pdu, before, &trusted)?
                .map_err(|refused| forbidden(&refused))?;
            before = self.learn(head, before, &trusted, &mut nodes)?;
            let number = self.here(head, &pdu.event_id)?.map(|known| known.position);
            let partial = partial.map(|LeftOut { via, servers }| {
                let own = self.server_name();
                let servers = servers.into_iter().filter(|server| server != own);
                Partial::new(number.unwrap_or(at), via, servers.collect())
            });
            let was_partial = head.is_partial;
            let mut batch = Batch::new();
            moved(head, at, |head| {
                for id in &pdu.prev_events {
                    if !self.here(head, id)?.is_some_and(|known| known.has_state()) {
                        let depth = pdu.depth.saturating_sub(1);
                        self.note_gap(room, head, id, depth, !comes_back, at, &mut batch);
                        if comes_back {
                            self.note_break(room, id, at, &mut batch);
                        }
                    }
                }
                if !still_in {
                    // What was known of the room is of the past: it is as this event finds it.
                    Self::leave_behind(head);
                    if head.is_partial {
                        self.unmark_partial(room, head, &mut batch)?;
                    }
                }
                if let Some(partial) = &partial {
                    self.mark_partial(room, head, partial, &mut batch);
                }
                let made = Made {
                    nodes: Some(nodes),
                    number,
                    ..Made::new(pdu.clone(), event.json, Before::State(before))
                };
                self.fill(room, head, vec![made], &[at], &mut batch)
            })?;
            if was_partial && !still_in {
                self.inner.partial.is_over(room.number, None);
            }
            if let Some(partial) = partial {
                self.inner.partial.begin(room.number, partial);
            }
            self.inner.store.submit(reserved, batch)
        };
        pending.await?;
        Ok(())
    }

    /// The event by which one of our users is out again, where a state has them in the room still: who gave it had not heard of that.
    fn left_since(
        &self,
        room: &Room,
        head: &Head,
        member: &StoredEvent,
    ) -> Result<Option<Position>> {
        let user = member.pdu.state_key.as_deref().map(<&UserId>::try_from);
        let Some(Ok(user)) = user.filter(|_| membership(&member.pdu) == Some(Membership::Join))
        else {
            return Ok(None);
        };
        if !self.is_local(user) {
            return Ok(None);
        }
        let record = match head.membership(user.as_str()) {
            Some(record) => Some(record),
            None => self.inner.store.get(&MEMBERSHIPS, (user, room.number))?,
        };
        let Some(record) = record.filter(|record| record.membership == Membership::Leave) else {
            return Ok(None);
        };
        // Where they came back in between without the other server, the leave does not name this join. It is later all the same.
        Ok((member.position < record.event).then_some(record.event))
    }

    fn knows_all(&self, room: &Room, head: &Head, ids: &[OwnedEventId]) -> Result<bool> {
        for id in ids {
            let known = self.here(head, id)?;
            if !known.is_some_and(|known| known.room == room.number && known.has_state()) {
                return Ok(false);
            }
        }
        Ok(!ids.is_empty())
    }

    /// Lets the forks go that this server knew of a room that it was not in.
    fn leave_behind(head: &mut Head) {
        head.extremities.clear();
    }
}

fn bad(what: &str) -> Error {
    Error::BadContent(format!("what the other server gave cannot be used: {what}"))
}
