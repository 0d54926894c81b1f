//! Writing events: one batch with all that follows from them, and the room's head moved over them.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use orvale_events::Pdu;
use orvale_storage::{
    Batch, Entry, EventRecord, Pending, Permit, Place, Position, Standing, Transaction,
    trees::rooms::{
        CURRENT_STATE, EVENT_NUMBERS, GAPS, HEADS, HELD_REDACTIONS, MEMBERSHIPS, Membership,
        MembershipRecord, PARTIAL_EVENTS, RELATIONS, RelationRecord, StateRecord, THREADS,
        TIMELINE, TRANSACTIONS,
    },
};
use ruma::{OwnedEventId, events::TimelineEventType};

use super::{
    Request,
    content::{membership, relation},
    make::transaction_key,
};
use crate::{
    Rooms,
    error::{Error, Result},
    event::StoredEvent,
    redaction,
    room::{Head, Room},
    state::{Nodes, StateId, hash},
    stood::moved,
    threads::THREAD,
    timeline::Order,
};

/// The most events that are looked through for what an event follows.
const MAX_FOLLOWED: usize = 200;

/// The state that an event stands on.
pub(crate) enum Before {
    /// The room's, as its head has it then.
    Head,
    /// That where the events before it meet.
    Prev,
    /// This one.
    State(StateId),
}

/// An event made or come, and judged, but not yet written.
pub(crate) struct Made {
    pub(crate) pdu: Arc<Pdu>,
    pub(crate) json: Vec<u8>,
    pub(crate) standing: Standing,
    pub(crate) before: Before,
    pub(crate) request: Option<Request>,
    /// What it redacts.
    pub(crate) redacts: Option<Arc<StoredEvent>>,
    /// `unsigned` of an event that was redacted before it came.
    pub(crate) redacted: Option<Bytes>,
    /// New nodes of states at its place.
    pub(crate) nodes: Option<Nodes>,
    /// Its number, if it was known before, without a state.
    pub(crate) number: Option<Position>,
}

impl Made {
    /// An event of another server, with what the auth rules said.
    pub(crate) fn judged(pdu: Arc<Pdu>, json: Vec<u8>, standing: Standing, before: Before) -> Self {
        let pdu = match standing {
            // Whatever names it as what allows it is to be refused too.
            Standing::Rejected => rejected(&pdu),
            Standing::Accepted | Standing::SoftFailed | Standing::Outlier => pdu,
        };
        Self {
            standing,
            ..Self::new(pdu, json, before)
        }
    }

    pub(crate) fn new(pdu: Arc<Pdu>, json: Vec<u8>, before: Before) -> Self {
        Self {
            pdu,
            json,
            standing: Standing::Accepted,
            before,
            request: None,
            redacts: None,
            redacted: None,
            nodes: None,
            number: None,
        }
    }
}

/// An entry of the room's state that changes.
struct Change {
    kind: String,
    key: String,
    old: Option<Arc<Pdu>>,
    new: Option<(Position, Arc<Pdu>)>,
}

impl Rooms {
    pub(crate) fn write(
        &self,
        room: &Room,
        head: &mut Head,
        made: Vec<Made>,
        permit: Permit,
    ) -> Result<Pending> {
        let reserved = self.inner.store.reserve(permit, made.len() as u64);
        let places: Vec<_> = (0..made.len() as u64).map(|n| reserved.at(n)).collect();
        let mut batch = Batch::new();
        moved(head, reserved.at(0), |head| {
            self.fill(room, head, made, &places, &mut batch)
        })?;
        Ok(self.inner.store.submit(reserved, batch))
    }

    /// Puts events and all that follows from them into a batch, and moves the head over them.
    pub(crate) fn fill(
        &self,
        room: &Room,
        head: &mut Head,
        made: Vec<Made>,
        places: &[Position],
        batch: &mut Batch,
    ) -> Result<()> {
        self.forget_looked_up(head);
        for (made, at) in made.into_iter().zip(places.iter().copied()) {
            self.fill_one(room, head, made, at, batch)?;
        }
        self.put_head(room, head, batch);
        Ok(())
    }

    /// Puts where the room stands then into a batch.
    pub(crate) fn put_head(&self, room: &Room, head: &Head, batch: &mut Batch) {
        batch.put(&HEADS, (room.number,), &head.record());
    }

    /// As [`Rooms::fill`], of one event, and without the room's head.
    pub(crate) fn fill_one(
        &self,
        room: &Room,
        head: &mut Head,
        made: Made,
        at: Position,
        batch: &mut Batch,
    ) -> Result<()> {
        let pdu = made.pdu.clone();
        let number = made.number.unwrap_or(at);
        let mut nodes = made.nodes.unwrap_or_else(|| Nodes::new(at));
        let state_before = match made.before {
            Before::Head => head.state,
            Before::State(state) => state,
            Before::Prev => self.state_after_all(room, head, &pdu.prev_events, &mut nodes)?,
        };
        let mut state_after = state_before;
        let mut replaces = None;
        if let Some(key) = &pdu.state_key
            && made.standing != Standing::Rejected
        {
            let kind = pdu.kind.to_string();
            let place = hash(&kind, key);
            let before = self
                .inner
                .states
                .get(state_before, &place, &head.unwritten)?;
            replaces = before.map(|at| self.here_at(head, at)).transpose()?;
            let change = [(place, Some(number))];
            let (states, unwritten) = (&self.inner.states, &mut head.unwritten);
            state_after = states.change(state_before, &change, &mut nodes, unwritten)?;
        }
        let unsigned = made.redacted.unwrap_or_else(|| {
            let replaced = replaces.as_ref().map(|before| before.event_id());
            replaced
                .map(StoredEvent::unsigned_replacing)
                .unwrap_or_default()
        });
        let mut record = EventRecord {
            room: room.number,
            event_id: pdu.event_id.to_string(),
            state_before: state_before.0,
            state_after: state_after.0,
            standing: made.standing,
            transaction: made.request.as_ref().map(|request| Transaction {
                device_id: request.device_id.clone(),
                transaction_id: request.transaction_id.clone(),
            }),
            pdu: made.json.into(),
            unsigned,
            place: Place::Live,
        };
        let replaced = replaces.as_ref().map(|event| &*event.pdu);
        let is_accepted = made.standing == Standing::Accepted;
        if is_accepted {
            let room_before = head.state;
            let is_own = follows_all(head, &pdu) && state_before == room_before;
            if is_own {
                head.extremities = vec![pdu.event_id.clone()];
                head.state = state_after;
            } else {
                // Where forks meet, the event itself may be asked for.
                let event = StoredEvent::with_pdu(number, pdu.clone(), record.clone(), replaced);
                head.flight.insert(at, Arc::new(event));
                self.advance(room, head, &pdu, state_after, &mut nodes)?;
            }
            head.depth = head.depth.max(pdu.depth);
            head.latest = at;
            match (is_own, &pdu.state_key) {
                (true, None) => {}
                (true, Some(key)) => {
                    let change = Change {
                        kind: pdu.kind.to_string(),
                        key: key.clone(),
                        old: replaces.as_ref().map(|event| event.pdu.clone()),
                        new: Some((number, pdu.clone())),
                    };
                    self.change_state(room, head, change, at, batch)?;
                }
                (false, _) => self.change_from(room, head, room_before, at, batch)?,
            }
            let (before, after) = (room_before.0, head.state.0);
            let order = Order::live(at).0;
            if made.number.is_some() {
                record.place = Place::Late {
                    order,
                    before,
                    after,
                };
            } else if !is_own {
                record.place = Place::Merged { before, after };
            }
            batch.put(&TIMELINE, (room.number, order), &number);
            self.relate(room, head, &pdu, number, batch);
        }
        nodes.put(batch);
        if let Some(target) = &made.redacts {
            redaction::apply(self, room, head, target, (&pdu, at), batch)?;
            self.inner.relations.lost(at);
        } else if is_accepted && let Some(target) = &pdu.redacts {
            batch.put(&HELD_REDACTIONS, (target, number), &());
            head.redactions.push((at, target.clone(), number));
        }
        if let Some(request) = &made.request {
            let key = transaction_key(&pdu.sender, request);
            batch.put(
                &TRANSACTIONS,
                (&key.0, &key.1, &key.2),
                &pdu.event_id.to_string(),
            );
            head.transactions.insert(key, (at, pdu.event_id.clone()));
        }
        if made.number.is_some() {
            batch.rewrite(number, &Entry::Event(record.clone()));
            batch.log(Entry::Arrived { event: number });
        } else {
            batch.put(&EVENT_NUMBERS, (&pdu.event_id,), &number);
            batch.log(Entry::Event(record.clone()));
        }
        if head.is_partial {
            batch.put(&PARTIAL_EVENTS, (room.number, at), &number);
        }
        let event = Arc::new(StoredEvent::with_pdu(number, pdu, record, replaced));
        self.inner.events.insert(number, event.clone());
        head.flight.insert(at, event);
        Ok(())
    }

    /// Moves extremities and state over an accepted event that does not simply follow all the others.
    pub(crate) fn advance(
        &self,
        room: &Room,
        head: &mut Head,
        pdu: &Pdu,
        after: StateId,
        nodes: &mut Nodes,
    ) -> Result<()> {
        let followed = self.followed(head, pdu)?;
        head.extremities
            .retain(|extremity| !followed.contains(extremity));
        let mut states = Vec::with_capacity(head.extremities.len() + 1);
        for extremity in &head.extremities {
            let event = self
                .here(head, extremity)?
                .ok_or_else(|| Error::Internal(format!("extremity {extremity} is missing")))?;
            states.push(event.state_after());
        }
        // It is followed already if the gap where it was missing was bridged.
        let is_followed = head.gaps.iter().any(|(_, id)| *id == pdu.event_id)
            || self.store().contains(&GAPS, (room.number, &pdu.event_id))?;
        if !is_followed || states.is_empty() {
            head.extremities.push(pdu.event_id.clone());
            states.push(after);
        }
        head.state = self.meet(room, head, &states, nodes)?;
        Ok(())
    }

    /// The events that an event follows: those it names, and through those of them that are not part of the room, what these follow.
    fn followed(&self, head: &Head, pdu: &Pdu) -> Result<HashSet<OwnedEventId>> {
        let mut followed = HashSet::new();
        let mut open = pdu.prev_events.clone();
        while let Some(id) = open.pop() {
            if followed.len() == MAX_FOLLOWED || !followed.insert(id.clone()) {
                continue;
            }
            if let Some(event) = self.here(head, &id)?
                && !event.is_shown()
                && event.has_state()
            {
                open.extend(event.pdu.prev_events.iter().cloned());
            }
        }
        Ok(followed)
    }

    /// Takes what a step of the head changed in the room's state over into what is kept of it flat.
    pub(crate) fn change_from(
        &self,
        room: &Room,
        head: &mut Head,
        before: StateId,
        at: Position,
        batch: &mut Batch,
    ) -> Result<()> {
        let states = &self.inner.states;
        for difference in states.diff(before, head.state, &head.unwritten)? {
            self.change_entry(room, head, (difference.a, difference.b), at, batch)?;
        }
        Ok(())
    }

    /// As [`Rooms::change_from`], of one entry: the numbers of the event that was there and of that which is.
    pub(crate) fn change_entry(
        &self,
        room: &Room,
        head: &mut Head,
        (old, new): (Option<Position>, Option<Position>),
        at: Position,
        batch: &mut Batch,
    ) -> Result<()> {
        let read = |at: Position| Ok::<_, Error>(self.here_at(head, at)?.pdu.clone());
        let old = old.map(read).transpose()?;
        let new = match new {
            Some(at) => Some((at, read(at)?)),
            None => None,
        };
        let Some(any) = new.as_ref().map(|(_, pdu)| pdu).or(old.as_ref()) else {
            return Ok(());
        };
        let change = Change {
            kind: any.kind.to_string(),
            key: any.state_key.clone().unwrap_or_default(),
            old,
            new,
        };
        self.change_state(room, head, change, at, batch)
    }

    fn change_state(
        &self,
        room: &Room,
        head: &mut Head,
        change: Change,
        at: Position,
        batch: &mut Batch,
    ) -> Result<()> {
        let Change {
            kind,
            key,
            old,
            new,
        } = change;
        let is_member = kind == TimelineEventType::RoomMember.to_string();
        let place = (room.number, &kind, &key);
        match &new {
            Some((event, pdu)) => {
                let record = StateRecord {
                    event: *event,
                    membership: is_member.then(|| membership(pdu)).flatten(),
                };
                batch.put(&CURRENT_STATE, place, &record);
            }
            None => {
                batch.delete(&CURRENT_STATE, place);
            }
        }
        if is_member {
            self.set_membership(room, head, &key, (old.as_deref(), new.as_ref()), at, batch)?;
        }
        let known = new.map(|(_, pdu)| pdu);
        head.known.set((kind.into(), key), at, known);
        Ok(())
    }

    fn set_membership(
        &self,
        room: &Room,
        head: &mut Head,
        user: &str,
        (old, new): (Option<&Pdu>, Option<&(Position, Arc<Pdu>)>),
        at: Position,
        batch: &mut Batch,
    ) -> Result<()> {
        let before = old.and_then(membership);
        let now = new.and_then(|(event, pdu)| Some((*event, membership(pdu)?)));
        if new.is_some() && now.is_none() {
            return Ok(());
        }
        for (count, counted) in [
            (&mut head.joined, Membership::Join),
            (&mut head.invited, Membership::Invite),
        ] {
            *count += u64::from(now.is_some_and(|(_, now)| now == counted));
            *count = count.saturating_sub(u64::from(before == Some(counted)));
        }
        let last = match head.membership(user) {
            Some(record) => Some(record),
            None if room.number == Position::START => None,
            None => self.inner.store.get(&MEMBERSHIPS, (user, room.number))?,
        };
        let record = match (now, last) {
            (Some((event, now)), _) => MembershipRecord {
                event,
                membership: now,
                before,
                was_joined: now == Membership::Join || last.is_some_and(|last| last.was_joined),
                forgotten: false,
                since: (event != at).then_some(at),
            },
            // Forks met, and what made them a member does not count: they are out.
            (None, Some(last)) => MembershipRecord {
                membership: Membership::Leave,
                before,
                since: Some(at),
                ..last
            },
            (None, None) => return Ok(()),
        };
        batch.put(&MEMBERSHIPS, (user, room.number), &record);
        head.memberships.set(user.to_owned(), at, record);
        Ok(())
    }

    fn relate(&self, room: &Room, head: &mut Head, pdu: &Pdu, at: Position, batch: &mut Batch) {
        if let Some((parent, rel_type, record)) = put_relation(room, pdu, at, batch) {
            self.inner.relations.gained(at);
            head.relations.push((at, parent, rel_type, record));
        }
    }
}

/// Puts what an event relates to into a batch: the parent, `rel_type` and the rest.
pub(crate) fn put_relation(
    room: &Room,
    pdu: &Pdu,
    at: Position,
    batch: &mut Batch,
) -> Option<(OwnedEventId, String, RelationRecord)> {
    let (parent, rel_type, key) = relation(pdu)?;
    let record = RelationRecord {
        room: room.number,
        sender: pdu.sender.to_string(),
        kind: pdu.kind.to_string(),
        key,
    };
    batch.put(&RELATIONS, (&parent, &rel_type, at), &record);
    if rel_type == THREAD {
        batch.put(&THREADS, (room.number, &parent), &());
    }
    Some((parent, rel_type, record))
}

/// Whether an event follows all that nothing else follows.
pub(crate) fn follows_all(head: &Head, pdu: &Pdu) -> bool {
    let mut extremities = head.extremities.iter();
    extremities.all(|extremity| pdu.prev_events.contains(extremity))
}

/// An event marked as refused by the auth rules.
pub(crate) fn rejected(pdu: &Pdu) -> Arc<Pdu> {
    let mut pdu = pdu.clone();
    pdu.rejected = true;
    Arc::new(pdu)
}
