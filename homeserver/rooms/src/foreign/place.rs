//! Judging an event whose past is known, and giving it its place.

use std::sync::Arc;

use bytes::Bytes;
use orvale_events::{Pdu, PolicyServer};
use orvale_storage::{
    Batch, Entry, Position, Standing,
    trees::rooms::{GAPS, GapRecord, HELD_REDACTIONS, RELATIONS},
};
use ruma::{EventId, OwnedEventId};

use super::{
    Arrival,
    accept::{Accepted, Missing, Terms},
};
use crate::{
    Rooms,
    append::{Before, Made},
    error::Result,
    event::StoredEvent,
    redaction,
    room::{Head, Room},
    state::{Nodes, StateId},
};

/// Whether an event has its place.
pub(super) enum Placed {
    /// Nothing is to be written.
    Not(Accepted),
    /// By this batch.
    By(Batch, Accepted),
    /// The room's policy server has to be asked first.
    Unsigned(PolicyServer),
}

impl Rooms {
    /// Judges an event and gives it its place, at a position set aside for it. The batch has all that follows but the room's head.
    pub(super) fn place(
        &self,
        room: &Room,
        head: &mut Head,
        arrival: &Arrival,
        terms: Terms<'_>,
        at: Position,
    ) -> Result<Placed> {
        let bridge = terms.bridge;
        let pdu = arrival.pdu.clone();
        let known = self.here(head, &pdu.event_id)?;
        if known.as_ref().is_some_and(|known| known.has_state()) {
            return Ok(Placed::Not(Accepted::Known));
        }
        if pdu.prev_events.is_empty() {
            // A room begins once, and how it began is told with its state.
            return Ok(Placed::Not(match known {
                Some(_) => Accepted::Known,
                None => Accepted::Rejected("it begins the room anew".to_owned()),
            }));
        }
        let (auth_events, missing) = self.auth_events_here(room, head, &pdu)?;
        let mut missing = Missing {
            prev_events: Vec::new(),
            auth_events: missing,
        };
        let mut prev = Vec::with_capacity(pdu.prev_events.len());
        for id in &pdu.prev_events {
            match self.here(head, id)? {
                Some(event) if event.room != room.number => {
                    let reason = "it follows an event of another room".to_owned();
                    return Ok(Placed::Not(Accepted::Rejected(reason)));
                }
                Some(event) if event.has_state() => prev.push(event.state_after()),
                _ if bridge.contains_key(id) => {}
                _ => match self.state_before_join(room, head, id)? {
                    Some(state) => prev.push(state),
                    None => missing.prev_events.push(id.clone()),
                },
            }
        }
        if missing != Missing::default() {
            return Ok(Placed::Not(Accepted::Missing(missing)));
        }
        let create = self.create_here(room, head)?;
        let mut verdict = self.judge_alone(room, &pdu, create.as_ref(), &auth_events);
        let trusted = Self::trusted(head, &auth_events);
        let checker = self.policy_server(room, head)?.filter(|server| {
            PolicyServer::must_sign(&pdu) && !server.has_signed(&arrival.json, &room.rules)
        });
        if let (Some(server), None) = (&checker, terms.unsigned)
            && verdict.is_ok()
            && self
                .judge_with(room, head, &pdu, head.state, &trusted)?
                .is_ok()
        {
            return Ok(Placed::Unsigned(server.clone()));
        }

        let mut nodes = Nodes::new(at);
        let mut batch = Batch::new();
        for id in pdu.prev_events.iter().filter(|id| bridge.contains_key(*id)) {
            prev.push(self.bridged(room, head, &bridge[id], &mut nodes)?);
            let depth = pdu.depth.saturating_sub(1);
            self.note_gap(room, head, id, depth, false, at, &mut batch);
            self.note_break(room, id, at, &mut batch);
        }
        let mut state_before = self.meet(room, head, &prev, &mut nodes)?;
        if verdict.is_ok() {
            verdict = self.judge_with(room, head, &pdu, state_before, &trusted)?;
        }
        let (standing, accepted) = match verdict {
            Err(refused) => (Standing::Rejected, Accepted::Rejected(refused.to_string())),
            Ok(()) => match self.judge_now(room, head, &pdu, state_before, &trusted)? {
                Err(refused) => (
                    Standing::SoftFailed,
                    Accepted::SoftFailed(refused.to_string()),
                ),
                Ok(()) => match terms.unsigned.filter(|_| checker.is_some()) {
                    Some(reason) => (
                        Standing::SoftFailed,
                        Accepted::SoftFailed(reason.to_owned()),
                    ),
                    None => (Standing::Accepted, Accepted::Live),
                },
            },
        };
        tracing::debug!(event_id = %pdu.event_id, ?accepted, "an event came");
        let is_accepted = standing == Standing::Accepted;
        if is_accepted {
            state_before = self.learn(head, state_before, &trusted, &mut nodes)?;
        }
        if is_accepted && self.has_relations(head, &pdu)? {
            self.inner.relations.gained(at.next());
        }
        let redacts = match &pdu.redacts {
            Some(_) if is_accepted => self.redacted_by(room, head, &pdu, state_before)?,
            _ => None,
        };
        let mut made = Made {
            redacts,
            nodes: Some(nodes),
            number: known.map(|known| known.position),
            ..Made::judged(
                pdu,
                arrival.json.clone(),
                standing,
                Before::State(state_before),
            )
        };
        let event = made.number.unwrap_or(at);
        if let Some(whole) = self.redact_at_once(room, head, &mut made, state_before)?
            && head.is_partial
        {
            Self::keep_redacted(room, head, (event, whole), at, &mut batch);
        }
        self.fill_one(room, head, made, at, &mut batch)?;
        if let Some(from) = terms.forward.filter(|_| is_accepted) {
            let from = from.to_string();
            batch.log(Entry::Forward { event, from });
        }
        Ok(Placed::By(batch, accepted))
    }

    /// Whether the room as it is allows an event that stood on another state.
    fn judge_now(
        &self,
        room: &Room,
        head: &Head,
        pdu: &Pdu,
        before: StateId,
        trusted: &[Arc<Pdu>],
    ) -> Result<super::judge::Verdict> {
        // Where nothing is known of how the room is, there is nothing to refuse by.
        if before == head.state || head.state == StateId::EMPTY {
            return Ok(Ok(()));
        }
        self.judge_with(room, head, pdu, head.state, trusted)
    }

    /// As [`Rooms::judge_now`], of an event of long ago: why it was refused where it stood.
    pub(crate) fn judge_past(
        &self,
        room: &Room,
        head: &Head,
        pdu: &Pdu,
        before: StateId,
    ) -> Result<Option<String>> {
        let (auth_events, missing) = self.auth_events_here(room, head, pdu)?;
        if !missing.is_empty() {
            return Ok(Some("what allows it cannot be had".to_owned()));
        }
        let create = self.create_here(room, head)?;
        let mut verdict = self.judge_alone(room, pdu, create.as_ref(), &auth_events);
        if verdict.is_ok() {
            verdict = self.judge_by(room, head, pdu, before)?;
        }
        Ok(verdict.err().map(|refused| refused.to_string()))
    }

    /// Notes that an event which others follow is not known.
    #[expect(clippy::too_many_arguments, reason = "one step of what calls it")]
    pub(crate) fn note_gap(
        &self,
        room: &Room,
        head: &mut Head,
        id: &EventId,
        depth: u64,
        is_beginning: bool,
        at: Position,
        batch: &mut Batch,
    ) {
        let record = GapRecord {
            depth,
            is_beginning,
        };
        batch.put(&GAPS, (room.number, id), &record);
        head.gaps.push((at, id.to_owned()));
    }

    /// The state that consists of these events.
    pub(crate) fn bridged(
        &self,
        room: &Room,
        head: &mut Head,
        state: &[OwnedEventId],
        nodes: &mut Nodes,
    ) -> Result<StateId> {
        let mut entries = Vec::with_capacity(state.len());
        for id in state {
            let event = self
                .here(head, id)?
                .filter(|event| event.room == room.number);
            if let Some(event) = event
                && event.record.standing != Standing::Rejected
                && let Some(place) = event.state_hash()
            {
                entries.push((place, Some(event.position)));
            }
        }
        let states = &self.inner.states;
        Ok(states.change(StateId::EMPTY, &entries, nodes, &mut head.unwritten)?)
    }

    fn has_relations(&self, head: &Head, pdu: &Pdu) -> Result<bool> {
        let mut unwritten = head.relations.iter();
        if unwritten.any(|(_, parent, ..)| *parent == pdu.event_id) {
            return Ok(true);
        }
        let found = self.store().prefix(&RELATIONS, (&pdu.event_id,), 1)?;
        Ok(!found.is_empty())
    }

    /// What a redaction takes away, if it is known and the sender may: those of the same server, or with the power to.
    ///
    /// <https://spec.matrix.org/v1.19/rooms/v11/#handling-redactions>
    pub(crate) fn redacted_by(
        &self,
        room: &Room,
        head: &Head,
        redaction: &Pdu,
        state: StateId,
    ) -> Result<Option<Arc<StoredEvent>>> {
        let Some(id) = &redaction.redacts else {
            return Ok(None);
        };
        let target = self
            .here(head, id)?
            .filter(|event| event.room == room.number);
        match target {
            Some(target) if self.may_redact(room, head, redaction, &target.pdu, state)? => {
                Ok(Some(target))
            }
            _ => Ok(None),
        }
    }

    fn may_redact(
        &self,
        room: &Room,
        head: &Head,
        redaction: &Pdu,
        target: &Pdu,
        state: StateId,
    ) -> Result<bool> {
        if redaction.sender.server_name() == target.sender.server_name() {
            return Ok(true);
        }
        use ruma::events::StateEventType::{RoomCreate, RoomPowerLevels};
        let create = self.state_here(head, state, &RoomCreate, "")?;
        let levels = self.state_here(head, state, &RoomPowerLevels, "")?;
        let levels = crate::power::of_state(room, |kind, _| match kind {
            RoomCreate => create.as_ref().map(|event| event.pdu.clone()),
            RoomPowerLevels => levels.as_ref().map(|event| event.pdu.clone()),
            _ => None,
        })?;
        Ok(levels.user_can_redact_event_of_other(&redaction.sender))
    }

    /// Redacts an event that comes after its redaction. The event as it was, if there is one.
    fn redact_at_once(
        &self,
        room: &Room,
        head: &Head,
        made: &mut Made,
        state: StateId,
    ) -> Result<Option<Bytes>> {
        let id = &made.pdu.event_id;
        let held = self.store().prefix(&HELD_REDACTIONS, (id,), 16)?;
        let held = held.into_iter().map(|((_, at), ())| at);
        let unwritten = head.redactions.iter().filter(|(_, target, _)| target == id);
        let unwritten = unwritten.map(|(.., at)| *at);
        for at in held.chain(unwritten).collect::<Vec<_>>() {
            let redaction = self.here_at(head, at)?;
            let is_valid = redaction.room == room.number && redaction.is_shown();
            if is_valid && self.may_redact(room, head, &redaction.pdu, &made.pdu, state)? {
                let redacted = orvale_events::redact(&made.json, &room.rules)?;
                let whole = std::mem::replace(&mut made.json, redacted);
                let (id, room_id) = (made.pdu.event_id.clone(), made.pdu.room_id.clone());
                let mut pdu = Pdu::parse(id, room_id, &made.json, &room.rules)?;
                pdu.rejected = made.pdu.rejected;
                made.pdu = Arc::new(pdu);
                made.redacted = Some(redaction::unsigned(&redaction.pdu)?);
                return Ok(Some(whole.into()));
            }
        }
        Ok(None)
    }
}

impl StoredEvent {
    /// Whether the state at its place is known.
    pub(crate) fn has_state(&self) -> bool {
        self.record.standing != Standing::Outlier && self.record.state_after != 0
    }

    pub(crate) fn state_hash(&self) -> Option<crate::state::StateHash> {
        let key = self.pdu.state_key.as_deref()?;
        Some(crate::state::hash(&self.pdu.kind.to_string(), key))
    }
}
