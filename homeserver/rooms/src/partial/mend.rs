//! Setting a room right whose members have come to be known: as if it had been entered with all of its state.
//!
//! The state before the join is another now, and so is all that follows from it: the states at the events since, what the auth rules say
//! of each, where forks meet, and the room's current state. All of it is one batch. What was shown and would not have been is so no more.

use std::{collections::BTreeMap, sync::Arc};

use orvale_storage::{
    Batch, Entry, Pending, Permit, Place, Position, Standing,
    trees::rooms::{HEADS, PARTIAL_EVENTS, RELATIONS, RedactedRecord, TIMELINE, WHOLE_SINCE},
};

use super::{
    blocking,
    flat::{Flat, Known, Whole},
};
use crate::{
    Room, Rooms, StoredEvent,
    append::{follows_all, rejected, relation},
    error::Result,
    room::Head,
    state::{Nodes, StateId, hash},
    stood::moved,
};

/// How often what is made ready is made anew where the room went on meanwhile, before that is done under its lock.
const ATTEMPTS: usize = 5;

/// What became of a room that is to be set right.
enum Mended {
    /// There is nothing to be done any more.
    Not,
    /// It went on meanwhile.
    Moved,
    /// It is right as soon as that is durable.
    Done(Done),
}

/// What there is to be waited for.
struct Done {
    pending: Pending,
    at: Position,
    /// The events whose records are others now.
    events: Vec<Arc<StoredEvent>>,
}

/// What a room is set right by.
struct Work {
    /// The state before the join.
    whole: StateId,
    /// The join's number.
    join: Position,
    /// Where it happens.
    at: Position,
    /// What took a place since, the join included.
    events: BTreeMap<Position, Arc<StoredEvent>>,
    /// What was redacted since.
    redacted: Vec<(Position, RedactedRecord)>,
    /// The first of the positions under which what is set right is found until that can be read.
    slots: u64,
}

/// The work on one room, under its lock.
pub(super) struct Mending<'a> {
    pub(super) rooms: &'a Rooms,
    pub(super) room: &'a Room,
    pub(super) head: &'a mut Head,
    /// The state before the join.
    whole: StateId,
    nodes: Nodes,
    at: Position,
    pub(super) batch: &'a mut Batch,
}

impl Rooms {
    /// Sets a room right by the whole state before the join. Resolves when that is durable.
    pub(super) async fn mend(&self, room: &Arc<Room>, whole: Vec<Known>) -> Result<()> {
        self.mend_within(room, whole, ATTEMPTS).await
    }

    pub(super) async fn mend_within(
        &self,
        room: &Arc<Room>,
        whole: Vec<Known>,
        attempts: usize,
    ) -> Result<()> {
        let whole = self.write_whole(whole).await?;
        let mut attempts = 0..attempts;
        let done = loop {
            let flat = match attempts.next() {
                Some(_) => {
                    let (latest, state) = {
                        let head = room.lock();
                        (head.latest, head.state)
                    };
                    self.settled(latest).await?;
                    Some(blocking(|| self.flatten_settled(room, state, &whole))?)
                }
                None => None,
            };
            let permit = self.inner.store.permit().await?;
            match blocking(|| self.mend_now(room, &whole, flat, permit))? {
                Mended::Not => return Ok(()),
                Mended::Moved => {}
                Mended::Done(done) => break done,
            }
        };
        done.pending.await?;
        self.forget_looked_up(&mut room.lock());
        for event in done.events {
            // Whoever read one meanwhile may have put it back as it was.
            self.inner.events.insert(event.position, event);
        }
        self.inner.servers.remove(&room.number);
        self.inner.partial.is_over(room.number, Some(done.at));
        Ok(())
    }

    fn mend_now(
        &self,
        room: &Room,
        whole: &Whole,
        flat: Option<Flat>,
        permit: Permit,
    ) -> Result<Mended> {
        let mut head = room.lock();
        let began = std::time::Instant::now();
        let head = &mut *head;
        self.forget_looked_up(head);
        let partial = self.inner.partial.get(room.number);
        let Some(partial) = partial.filter(|_| head.is_partial) else {
            return Ok(Mended::Not);
        };
        let mut flat = match flat {
            Some(flat) if flat.before != head.state => return Ok(Mended::Moved),
            Some(flat) => flat,
            None => self.flatten(room, head, whole)?,
        };
        let events = self.since_join(room, head)?;
        let redacted = self.kept_redacted(room, head)?;
        // Those who are told for themselves how they stand.
        let locals = whole.locals + flat.others() as u64;
        let slots = (events.len() + redacted.len()) as u64;
        let reserved = self.store().reserve(permit, 1 + locals + slots);
        let at = reserved.at(0);
        let work = Work {
            whole: whole.state,
            join: partial.join,
            at,
            events,
            redacted,
            slots: 1 + locals,
        };
        let mut batch = std::mem::take(&mut flat.batch);
        batch.log(Entry::Whole { room: room.number });
        let slot = |n| reserved.at(n);
        let (mended, locals) = moved(head, at, |head| {
            let mended = self.set_right(room, head, work, slot, &mut batch)?;
            let locals = self.flatten_changes(room, head, (whole, flat), at, &mut batch)?;
            self.unmark_partial(room, head, &mut batch)?;
            Ok((mended, locals))
        })?;
        for user_id in locals {
            batch.log(Entry::Membership {
                user_id,
                room: room.number,
            });
        }
        batch
            .put(&HEADS, (room.number,), &head.record())
            .put(&WHOLE_SINCE, (room.number,), &at);
        for event in &mended {
            self.inner.events.insert(event.position, event.clone());
        }
        let pending = self.store().submit(reserved, batch);
        tracing::info!(room_id = %room.id, events = mended.len(), took = ?began.elapsed(), "a room is set right");
        Ok(Mended::Done(Done {
            pending,
            at,
            events: mended,
        }))
    }

    fn set_right(
        &self,
        room: &Room,
        head: &mut Head,
        work: Work,
        slot: impl Fn(u64) -> Position,
        batch: &mut Batch,
    ) -> Result<Vec<Arc<StoredEvent>>> {
        let mut slots = (work.slots..).map(slot);
        let mut slot = || slots.next().expect("positions do not end");
        head.extremities.clear();
        head.state = work.whole;
        let mut mending = Mending {
            rooms: self,
            room,
            head,
            whole: work.whole,
            nodes: Nodes::new(work.at),
            at: work.at,
            batch,
        };
        let mut mended = Vec::new();
        for (placed, event) in work.events {
            let is_join = event.position == work.join;
            mended.push(mending.event(&event, placed, is_join, slot())?);
        }
        for (number, kept) in work.redacted {
            let event = mending.redacted(number, kept, &mended, slot())?;
            mended.push(event);
        }
        mending.nodes.put(mending.batch);
        Ok(mended)
    }

    /// The events that took a place since the join, that included, in the order in which they did.
    fn since_join(&self, room: &Room, head: &Head) -> Result<BTreeMap<Position, Arc<StoredEvent>>> {
        let noted = self
            .store()
            .prefix(&PARTIAL_EVENTS, (room.number,), usize::MAX)?;
        let mut events = BTreeMap::new();
        for ((_, placed), number) in noted {
            events.insert(placed, self.event(number)?);
        }
        // Those on their way are not noted yet, and may have been known before in another form.
        for (placed, event) in head.flight.placed() {
            events.insert(placed, event.clone());
        }
        Ok(events)
    }
}

impl Mending<'_> {
    /// Where it happens.
    pub(super) fn at(&self) -> Position {
        self.at
    }

    /// Sets one event right. `slot` is a position under which it is found until that can be read.
    fn event(
        &mut self,
        event: &StoredEvent,
        placed: Position,
        is_join: bool,
        slot: Position,
    ) -> Result<Arc<StoredEvent>> {
        let rooms = self.rooms;
        let mut record = event.record.clone();
        let before = match is_join {
            true => self.whole,
            false => self.state_before(event)?,
        };
        record.standing = self.judge(event, before)?;
        let mut after = before;
        let mut replaced = None;
        let is_rejected = record.standing == Standing::Rejected;
        if let Some(key) = event.pdu.state_key.as_deref().filter(|_| !is_rejected) {
            let (kind, number) = (event.pdu.kind.to_string(), event.position);
            replaced = rooms.state_here(self.head, before, &kind.clone().into(), key)?;
            let change = [(hash(&kind, key), Some(number))];
            let (states, unwritten) = (&rooms.inner.states, &mut self.head.unwritten);
            after = states.change(before, &change, &mut self.nodes, unwritten)?;
        }
        (record.state_before, record.state_after) = (before.0, after.0);
        // What a redaction left there stays.
        if record.unsigned.is_empty() || StoredEvent::replaces(&record).is_some() {
            record.unsigned = replaced
                .as_ref()
                .map(|before| StoredEvent::unsigned_replacing(before.event_id()))
                .unwrap_or_default();
        }
        let pdu = match is_rejected {
            true => rejected(&event.pdu),
            false => event.pdu.clone(),
        };
        let replaced = replaced.as_ref().map(|event| &*event.pdu);
        let set_right =
            |record| StoredEvent::with_pdu(event.position, pdu.clone(), record, replaced);
        if record.standing == Standing::Accepted {
            let room_before = self.head.state;
            let is_own = follows_all(self.head, &pdu) && before == room_before;
            if is_own {
                self.head.extremities = vec![pdu.event_id.clone()];
                self.head.state = after;
            } else {
                let event = Arc::new(set_right(record.clone()));
                self.head.flight.insert(slot, event);
                rooms.advance(self.room, self.head, &pdu, after, &mut self.nodes)?;
            }
            self.head.latest = placed;
            let (before, after) = (room_before.0, self.head.state.0);
            record.place = match record.place {
                Place::Late { order, .. } => Place::Late {
                    order,
                    before,
                    after,
                },
                _ if is_own => Place::Live,
                _ => Place::Merged { before, after },
            };
        } else if event.record.standing == Standing::Accepted {
            self.take_out(event, slot);
            record.place = Place::Live;
        }
        self.batch
            .rewrite(event.position, &Entry::Event(record.clone()));
        let event = Arc::new(set_right(record));
        self.head.flight.insert(slot, event.clone());
        Ok(event)
    }

    fn state_before(&mut self, event: &StoredEvent) -> Result<StateId> {
        let mut states = Vec::with_capacity(event.pdu.prev_events.len());
        for id in &event.pdu.prev_events {
            let known = self.rooms.here(self.head, id)?;
            // What is not known comes just before the join, or nothing would have been built on it.
            let state = known
                .filter(|known| known.has_state())
                .map_or(self.whole, |known| known.state_after());
            states.push(state);
        }
        self.rooms
            .meet(self.room, self.head, &states, &mut self.nodes)
    }

    /// Where an event stands now: no better than before, as nobody was shown it since.
    fn judge(&self, event: &StoredEvent, before: StateId) -> Result<Standing> {
        let (rooms, room, head) = (self.rooms, self.room, &*self.head);
        let standing = event.record.standing;
        if matches!(standing, Standing::Rejected | Standing::Outlier) {
            return Ok(standing);
        }
        if let Some(reason) = rooms.judge_past(room, head, &event.pdu, before)? {
            tracing::info!(event_id = %event.event_id(), reason, "an event turns out to be forbidden");
            return Ok(Standing::Rejected);
        }
        if standing == Standing::Accepted
            && before != head.state
            && let Err(refused) = rooms.judge_by(room, head, &event.pdu, head.state)?
        {
            tracing::info!(event_id = %event.event_id(), %refused, "an event turns out not to be wanted");
            return Ok(Standing::SoftFailed);
        }
        Ok(standing)
    }

    /// Takes an event out of the timeline.
    fn take_out(&mut self, event: &StoredEvent, at: Position) {
        self.batch
            .delete(&TIMELINE, (self.room.number, event.order().0));
        if let Some((parent, rel_type, _)) = relation(&event.pdu) {
            self.batch
                .delete(&RELATIONS, (&parent, &rel_type, event.position));
            self.rooms.inner.relations.lost(at);
        }
    }
}
